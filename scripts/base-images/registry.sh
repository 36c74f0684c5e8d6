#!/bin/bash
# Base images where Docker Hub cannot be reached: stand-ins made of Debian's packages, in a registry on this machine that is
# set as mirror of docker.io. Where Docker Hub can be reached, the real images are used and nothing is started.
#   registry.sh run COMMAND…   the command with VARVE_CONFIG set; the registry lives as long as the command
#   registry.sh up [PORT]      the same registry until `down`, for work by hand; prints how to use it
#   registry.sh down
#   registry.sh which          prints hub or stand-ins
# VARVE_BASE_IMAGES=hub or =stand-ins skips the question. VARVE_BASE_EMULATED=1: golang for other architectures, too.
# Everything made is kept in the work folder.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"
here=$repo/scripts/base-images
base=$work/base-images

which_images() {
  if [ -z "${VARVE_BASE_IMAGES:-}" ]; then
    # 401 is a registry's way to say "here I am, bring a token".
    if node -e 'fetch("https://registry-1.docker.io/v2/", { signal: AbortSignal.timeout(4000) })
        .then((r) => process.exit(r.status === 401 || r.status === 200 ? 0 : 1), () => process.exit(1))'; then
      VARVE_BASE_IMAGES=hub
    else
      VARVE_BASE_IMAGES=stand-ins
    fi
  fi
  export VARVE_BASE_IMAGES
  case $VARVE_BASE_IMAGES in
    hub | stand-ins) ;;
    *) fail "VARVE_BASE_IMAGES is \"$VARVE_BASE_IMAGES\", neither hub nor stand-ins" ;;
  esac
}

free_port() { node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

answers() { node -e 'fetch(process.argv[1] + "/v2/").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "http://127.0.0.1:$1"; }

# Starts a registry over the kept images; its settings and pid go to a folder. $3: a program that runs it, with its arguments.
start() { # folder, port, wrapper…
  local folder=$1 port=$2 pid tries
  shift 2
  mkdir -p "$folder" "$base/storage"
  cat >"$folder/registry.yml" <<Y
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $base/storage}, cache: {blobdescriptor: inmemory}}
http: {addr: 127.0.0.1:$port}
Y
  cat >"$folder/varve.toml" <<T
# Written by scripts/base-images/registry.sh: docker.io's images are Varve's stand-ins, from a registry on this machine.
[registry."docker.io"]
mirrors = ["127.0.0.1:$port"]

[registry."127.0.0.1:$port"]
http = true
T
  OTEL_TRACES_EXPORTER=none "$@" docker-registry serve "$folder/registry.yml" >"$folder/registry.log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid" >"$folder/pid"
  for tries in {1..300}; do
    answers "$port" && break
    kill -0 "$pid" 2>/dev/null || { tail -n 5 "$folder/registry.log" >&2; fail "the registry did not start; all it said is in $folder/registry.log"; }
    [ "$tries" != 300 ] || fail "the registry on port $port does not answer; what it said is in $folder/registry.log"
    sleep 0.1
  done
}

stop() { # folder
  [ -f "$1/pid" ] || return 0
  local pid
  pid=$(cat "$1/pid")
  # The number may belong to another process by now.
  if grep -qs "$1/registry.yml" "/proc/$pid/cmdline"; then
    kill "$pid"
    while [ -e "/proc/$pid/cmdline" ] && grep -qs "$1/registry.yml" "/proc/$pid/cmdline"; do sleep 0.05; done
  fi
  rm -f "$1/pid"
}

# What the images are made of: when it changes, they are made anew.
fingerprint() { cat "$here"/make.sh "$here"/publish.ts "$here"/golangci-lint.sh /etc/ssl/certs/ca-certificates.crt 2>/dev/null | sha256sum; echo "${VARVE_BASE_EMULATED:-0}"; }

# Makes the images and pushes them to the registry on a port, unless they are there.
provide() { # port
  exec 9>"$base/lock"
  flock 9
  if [ "$(cat "$base/ready" 2>/dev/null)" != "$(fingerprint)" ]; then
    say "Making stand-ins for Docker Hub's images (once, about a minute):"
    rm -rf "$base/ready" "$base/tar"
    bash "$here/make.sh" "$base/tar" 9>&-
    node "$here/publish.ts" "http://127.0.0.1:$1" "$base/tar"
    rm -rf "$base/tar"
    fingerprint >"$base/ready"
  fi
  exec 9>&-
}

run() {
  which_images
  if [ "$VARVE_BASE_IMAGES" = hub ]; then exec "$@"; fi
  if up_port=$(running); then
    provide "$up_port" >&2
    exec env VARVE_CONFIG="$base/up/varve.toml" "$@"
  fi
  mkdir -p "$base"
  local folder status=0 left
  for left in "$base"/run.*/pid; do # of a run that was killed; its registry died with it
    [ ! -e "$left" ] || grep -qs "${left%/pid}/registry.yml" "/proc/$(cat "$left")/cmdline" || rm -rf "${left%/pid}"
  done
  folder=$(mktemp -d "$base/run.XXXXXX")
  trap 'stop "$folder"; rm -rf "$folder"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # The registry dies with this shell even when nothing is left to stop it.
  start "$folder" "$(free_port)" setpriv --pdeathsig TERM
  provide "$(sed -n 's/^http: .*:\([0-9]*\)}$/\1/p' "$folder/registry.yml")" >&2
  VARVE_CONFIG=$folder/varve.toml "$@" || status=$?
  exit $status
}

running() { # prints the port of the registry that `up` started, or fails
  local port
  [ -f "$base/up/pid" ] && grep -qs "$base/up/registry.yml" "/proc/$(cat "$base/up/pid")/cmdline" || return 1
  port=$(sed -n 's/^http: .*:\([0-9]*\)}$/\1/p' "$base/up/registry.yml")
  answers "$port" && echo "$port"
}

up() {
  which_images
  if [ "$VARVE_BASE_IMAGES" = hub ]; then
    say "Docker Hub can be reached: its real images are used, no mirror is needed."
    return
  fi
  local port
  port=$(running) || {
    port=${1:-$(free_port)}
    mkdir -p "$base"
    start "$base/up" "$port" setsid
  }
  provide "$port"
  say "Docker Hub cannot be reached: stand-ins made of Debian's packages are served as docker.io's images. Use them with"
  say "  export VARVE_CONFIG=$base/up/varve.toml"
}

case ${1:-} in
  run) shift; run "$@" ;;
  up) up "${2:-}" ;;
  down) stop "$base/up" ;;
  which) which_images; echo "$VARVE_BASE_IMAGES" ;;
  *) sed -n '2,8s/^# \?//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
