#!/bin/bash
# Brings what the demo and the tests need, and says what and why. Nothing to do: nothing printed, well under a second.
#   setup.sh           for `npm run demo`
#   setup.sh --tests   for `npm test`: also the other tools that the images are tried with
# As root it installs Debian packages. An ordinary user gets those that need no installation unpacked into the work folder;
# what must be installed by root (a setuid program, a container runtime) is named.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

tests=no
case ${1:-} in
  '') ;;
  --tests) tests=yes ;;
  *) fail "unknown argument $1; only --tests is known" ;;
esac

has() { command -v "$1" >/dev/null 2>&1; }
missing=() # Debian packages
loose=() # those that are only unpacked, for root too
want() { # package, why
  missing+=("$1")
  say "setup: needs Debian's $1: $2"
}

check_node() {
  has node || fail "needs Node.js 20 or newer and npm: apt-get install nodejs npm"
  has npm || fail "needs npm: apt-get install npm"
  [ -d "$repo/node_modules" ] && return # the packages bring a newer node of their own
  local major
  major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
  [ "$major" -ge 20 ] || fail "needs Node.js 20 or newer, this one is $(node --version)"
}

check_system() {
  has runc || has crun || want runc "it runs the commands of RUN"
  if [ "$(id -u)" != 0 ]; then
    has newuidmap || want uidmap "an ordinary user gets a range of user ids with it"
    if [ ${#missing[@]} != 0 ]; then
      fail "these must be installed by root, once: apt-get install ${missing[*]}"
    fi
    grep -q "^\($(id -un)\|$(id -u)\):" /etc/subuid 2>/dev/null && grep -q "^\($(id -un)\|$(id -u)\):" /etc/subgid 2>/dev/null ||
      fail "$(id -un) has no range of ids in /etc/subuid and /etc/subgid; as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
  fi
  if [ ! -e "$work/base-images/ready" ]; then
    has mmdebstrap || want mmdebstrap "it makes the stand-ins for golang and debian images out of packages"
    [ -n "$(static_busybox)" ] || want busybox-static "it is the stand-ins for the busybox and alpine images"
  fi
  has docker-registry || want docker-registry "it serves the stand-in images on this machine"
}

# test/interop/docker-shim.test.ts brings its own: tools that run docker, by npm into a folder of the test, in fixed versions.
check_tests() {
  local before=${#missing[@]}
  has runc || [[ " ${missing[*]} " == *' runc '* ]] || want runc "the tests run with it"
  has crun || want crun "the tests run with it, too"
  has conmon || want conmon "it looks after the containers that the tests run: their output, their end"
  has script || want bsdutils "the tests type at pseudo-terminals that it makes"
  has tini-static || has docker-init || has catatonit || want tini "it is the init of the tests' containers with --init"
  has ip || want iproute2 "the tests' containers get bridges and addresses with it"
  has nft || want nftables "the tests' containers publish ports with it"
  has aardvark-dns || [ -x /usr/lib/podman/aardvark-dns ] || want aardvark-dns "the tests' containers find each other by name with it"
  has slirp4netns || want slirp4netns "an ordinary user's containers leave their networks with it"
  has pasta || want passt "they do so with it, too"
  has newuidmap || want uidmap "the tests build as an ordinary user, too"
  has ps || want procps "top lists the processes of the tests' containers with it"
  has curl || want curl "the tutorials ask their servers with it"
  has file || want file "the tests look at exported programs with it"
  has make || want make "the tests build examples/monorepo with its Makefile"
  has skopeo || want skopeo "the tests check images with it"
  has umoci || want umoci "the tests unpack images with it"
  has podman || want podman "the tests load and run images with it"
  has docker || want docker.io "the tests load images into it"
  # Installed, it would serve this machine's users.
  if ! has sshd; then
    loose+=(openssh-server)
    say "setup: needs Debian's openssh-server: steps and Git sources of the tests log in to it; it is unpacked, not installed"
  fi
  # Installed, it would be registered with this machine's kernel.
  if ! has qemu-aarch64-static && ! has qemu-aarch64; then
    loose+=(qemu-user-static)
    say "setup: needs Debian's qemu-user-static: the tests run steps for other architectures with it; it is unpacked, not installed"
  fi
  # Installed, it would serve this machine.
  if ! has redis-server; then
    loose+=(redis-server)
    say "setup: needs Debian's redis-server: a Compose project of the tests has it in an image; it is unpacked, not installed"
  fi
  if [ "$(id -u)" != 0 ] && [ ${#missing[@]} -gt "$before" ]; then
    fail "these must be installed by root, once: apt-get install ${missing[*]:$before}"
  fi
}

# A mirror that fails once, and a machine that looks for updates at the same time.
patience=(-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)

install_packages() {
  if ! apt-cache show "${missing[@]}" >/dev/null 2>&1; then
    say "setup: apt-get update"
    apt-get update -qq "${patience[@]}"
  fi
  # Since Debian 13 Docker's command is a package of its own.
  if [[ " ${missing[*]} " == *' docker.io '* ]] && apt-cache show docker-cli >/dev/null 2>&1; then missing+=(docker-cli); fi
  say "setup: apt-get install ${missing[*]}"
  mkdir -p "$work"
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "${patience[@]}" --no-install-recommends "${missing[@]}" >"$work/apt.log" 2>&1 </dev/null || {
    tail -n 20 "$work/apt.log" >&2
    fail "apt-get install failed; all it said is in $work/apt.log"
  }
}

unpack_packages() { # packages
  local state=$tools/.apt apt=(-qq "${patience[@]}" -o Debug::NoLocking=1 -o APT::Install-Recommends=false) packages
  mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial" "$state/debs"
  apt+=(-o "Dir::Cache=$state/cache")
  if ! apt-cache show "$@" >/dev/null 2>&1; then
    apt+=(-o "Dir::State=$state/state" -o Dir::State::status=/var/lib/dpkg/status)
    say "setup: apt-get update (into $tools)"
    apt-get "${apt[@]}" update
  fi
  packages=$(apt-get "${apt[@]}" -s install "$@" | awk '$1 == "Inst" { print $2 }')
  say "setup: unpacking into $tools: ${packages//$'\n'/ }"
  (cd "$state/debs" && xargs apt-get "${apt[@]}" download <<<"$packages" >/dev/null)
  local deb
  for deb in "$state"/debs/*.deb; do dpkg-deb -x "$deb" "$tools"; done
  rm -rf "$state"
}

check_packages() {
  if [ ! -e "$repo/node_modules/.package-lock.json" ] || [ "$repo/package-lock.json" -nt "$repo/node_modules/.package-lock.json" ]; then
    say "setup: npm ci"
    (cd "$repo" && npm ci --no-audit --no-fund --loglevel=error)
    touch "$repo/node_modules/.package-lock.json"
  fi
  if [ ! -e "$repo/dist/cli/main.js" ] ||
    [ -n "$(find "$repo/src" "$repo/tsconfig.json" "$repo/tsconfig.build.json" "$repo/rolldown.config.ts" -name '*.test.ts' -prune -o -newer "$repo/dist/cli/main.js" -type f -print -quit)" ]; then
    say "setup: npm run build"
    (cd "$repo" && npm run --silent build)
  fi
}

check_node
check_system
[ $tests = no ] || check_tests
if [ $((${#missing[@]} + ${#loose[@]})) != 0 ]; then
  has apt-get || fail "needs ${missing[*]} ${loose[*]}, and this machine has no apt-get to bring them"
  if [ "$(id -u)" != 0 ]; then
    unpack_packages "${missing[@]}" "${loose[@]}"
  else
    [ ${#missing[@]} = 0 ] || install_packages
    [ ${#loose[@]} = 0 ] || unpack_packages "${loose[@]}"
  fi
fi
check_packages
