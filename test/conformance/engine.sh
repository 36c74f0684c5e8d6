#!/bin/bash
# A Docker Engine to compare with, that lives as long as a command runs: engine.sh run COMMAND…
# The engine is Docker's newest in Debian (its suite sid): unpacked once into a folder of the work folder, nothing of it is
# installed. Where that cannot be had, the machine's own dockerd (Debian's package docker.io) serves. It runs in mount, pid
# and network namespaces of its own, so that it meets no other engine of this machine and all of it ends with the command.
# COMMAND runs in that network too, which leads nowhere, and finds the engine by DOCKER_HOST. With a DOCKER_HOST that is set
# already nothing is brought; where there can be no engine COMMAND runs without one and has to say so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/env.sh"
place=$work/conformance
root=$place/sid
packages=docker.io,docker-cli,docker-buildx,runc,git,iproute2,iptables,mount,procps,ca-certificates

# As make.sh of the base images finds it: the first mirror of apt's that has a main component.
mirror() { apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "main" && !/security/ { sub(/\/$/, "", $1); print $1; exit }'; }

bring() {
  [ "$(cat "$root/ready" 2>/dev/null)" != "$packages" ] || return 0
  local mirror options
  command -v mmdebstrap >/dev/null || { echo "there is no mmdebstrap"; return 1; }
  mirror=$(mirror)
  [ -n "$mirror" ] || { echo "apt knows no mirror"; return 1; }
  mapfile -t options < <(apt-config dump | sed -nE '/^Acquire::(https?::|Check-Valid-Until|Retries|ForceIPv)[^"]*"[^"]+"/s/^(.*);$/--aptopt=\1/p')
  say "conformance: brings Docker of Debian's suite sid into $root" >&2
  mkdir -p "$place"
  rm -rf "$root"
  mmdebstrap --variant=apt --aptopt='APT::Install-Recommends "false"' "${options[@]}" --include="$packages" sid "$root" "deb $mirror sid main" \
    >"$place/mmdebstrap.log" 2>&1 </dev/null || { tail -n 3 "$place/mmdebstrap.log"; return 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  echo "$packages" >"$root/ready"
}

# The engine's own client, also on a machine whose C library is older than the programs.
make_client() { # folder
  local loader program
  loader=$(find "$root/lib64/" "$root/lib/" -maxdepth 1 -name "ld-linux-*.so.*" -print -quit 2>/dev/null || true)
  mkdir -p "$1/bin" "$1/config/cli-plugins"
  for program in usr/bin/docker:bin/docker usr/libexec/docker/cli-plugins/docker-buildx:config/cli-plugins/docker-buildx; do
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$loader" "$root/usr/lib/$(uname -m)-linux-gnu" "$root/${program%:*}" >"$1/${program#*:}"
    chmod 755 "$1/${program#*:}"
  done
}

# In new mount and pid namespaces: becomes dockerd. $1: the run's folder; $2: the engine's root, / for the machine's own.
become_engine() {
  local run=$1 base=$2 mount
  mount --make-rprivate /
  mount -t proc proc /proc
  if [ "$base" != / ]; then
    mount --bind "$base" "$base"
    for mount in proc sys dev; do mount --rbind "/$mount" "$base/$mount"; done
    mkdir -p "$base/run/engine" "$base/var/lib/docker" "$base/old"
    mount -t tmpfs tmpfs "$base/run"
    mkdir -p "$base/run/engine"
    mount --bind "$run" "$base/run/engine"
    mount --bind "$place/data" "$base/var/lib/docker"
    cd "$base"
    pivot_root . old
    umount -l /old
    cd /
  else
    mkdir -p /run/engine
    mount -t tmpfs tmpfs /run
    mkdir -p /run/engine
    mount --bind "$run" /run/engine
    mkdir -p /var/lib/docker
    mount --bind "$place/data" /var/lib/docker
  fi
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin
  ip link set lo up 2>/dev/null || true
  exec dockerd --host unix:///run/engine/docker.sock --config-file /run/engine/daemon.json $3
}

start() { # the run's folder, the engine's root, more flags: waits until the engine answers, and leaves its pid in $engine
  local tries
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child bash "$here/engine.sh" become "$1" "$2" "${3:-}" >"$place/dockerd.log" 2>&1 </dev/null &
  engine=$!
  for tries in {1..60}; do
    [ ! -S "$1/docker.sock" ] || ! docker version >/dev/null 2>&1 || return 0
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.5
  done
  stop
  return 1
}

# unshare itself takes no SIGTERM while it waits for its child.
stop() {
  local child tries
  [ -n "${engine:-}" ] || return 0
  child=$(tr -d ' ' <"/proc/$engine/task/$engine/children" 2>/dev/null) || child=
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  for tries in {1..60}; do
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.25
  done
  kill -KILL "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  engine=
}

run_inside() { # in the network of the run: $1 is the engine's root
  local base=$1 status=0
  shift
  run=$(mktemp -d "${TMPDIR:-/tmp}/varve-engine.XXXXXX") # not local: the trap needs it
  trap 'stop; rm -rf "$run"' EXIT
  mkdir -p "$place/data"
  echo '{"features": {"containerd-snapshotter": true}, "pidfile": "/run/engine/docker.pid"}' >"$run/daemon.json"
  if [ "$base" != / ]; then
    make_client "$run"
    export PATH=$run/bin:$PATH DOCKER_CONFIG=$run/config
    chroot "$base" /usr/sbin/ip link set lo up
  else
    ip link set lo up
  fi
  export DOCKER_HOST=unix://$run/docker.sock
  # Where the kernel lacks what the firewall needs, an engine without one does: nobody has to be kept out.
  if start "$run" "$base" || start "$run" "$base" '--iptables=false --ip6tables=false'; then
    "$@" || status=$?
    stop
  else
    say "conformance: the Docker Engine did not start; all it said is in $place/dockerd.log" >&2
    tail -n 3 "$place/dockerd.log" >&2
    unset DOCKER_HOST
    "$@" || status=$?
  fi
  exit $status
}

case ${1:-} in
  run)
    shift
    if [ -n "${DOCKER_HOST:-}" ]; then exec "$@"; fi
    if [ "$(id -u)" != 0 ]; then
      say "conformance: only root can run a Docker Engine" >&2
    elif why=$(bring); then
      exec unshare --net bash "$here/engine.sh" inside "$root" "$@"
    elif command -v dockerd >/dev/null && command -v ip >/dev/null; then
      say "conformance: Docker of Debian's suite sid cannot be had ($why); the machine's own serves" >&2
      exec unshare --net bash "$here/engine.sh" inside / "$@"
    else
      say "conformance: no Docker Engine can be had: $why" >&2
    fi
    exec "$@"
    ;;
  inside) shift; run_inside "$@" ;;
  become) become_engine "$2" "$3" "${4:-}" ;;
  *) sed -n 2,7p "$0"; exit 2 ;;
esac
