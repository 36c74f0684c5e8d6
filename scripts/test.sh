#!/bin/bash
# npm test: everything, on a bare machine too. Brings what is missing (setup.sh says what and why), checks the code, then
# builds for real: a comparison with a real Docker Engine in its reduced form, and end-to-end and interop tests with real
# runtimes, registries and tools. At the end nothing of it may be left on the machine.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$repo"
user=varvetest
tun=/dev/net/tun
tun_mode=

# The ordinary user whom root's tests become.
make_user() {
  touch /etc/subuid /etc/subgid # useradd gives ids only where these are
  if ! id $user >/dev/null 2>&1; then
    say "tests: makes the user $user, for builds without privileges"
    useradd --create-home $user
  fi
  grep -q "^$user:" /etc/subuid || usermod --add-subuids 600000-665535 $user
  grep -q "^$user:" /etc/subgid || usermod --add-subgids 600000-665535 $user
}

# A machine without udev leaves it to root.
open_tun() {
  [ -c $tun ] && [ "$(stat -c %a $tun)" != 666 ] || return 0
  say "tests: opens $tun to all users until they end, as udev does: their containers' way out goes through it"
  local mode
  mode=$(stat -c %a $tun)
  if chmod 666 $tun; then tun_mode=$mode; else say "tests: it cannot be opened; what needs it is skipped by name"; fi
}

close_tun() { [ -z "$tun_mode" ] || chmod "$tun_mode" $tun; }

# The sync after a build may leave its mark in a store meanwhile.
remove() {
  local tries as_owner=()
  [ "$(id -u)" = 0 ] || as_owner=(unshare --user --map-auto --map-root-user)
  for tries in {1..9}; do
    ! "${as_owner[@]}" rm -rf "$1" 2>/dev/null || return 0
    sleep 0.2
  done
  "${as_owner[@]}" rm -rf "$1"
}

left() { bash "$repo/scripts/leftovers.sh" "$run" | grep -vxF -f "$before" || true; }

main() {
  bash "$repo/scripts/setup.sh" --tests
  if [ "$(id -u)" = 0 ]; then make_user; fi
  run=$(realpath "$(mktemp -d "${TMPDIR:-/tmp}/varve.XXXXXX")") # short: podman allows its folders 50 characters
  before=$(mktemp "${TMPDIR:-/tmp}/before.XXXXXX")
  trap 'close_tun; remove "$run"; rm -f "$before"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  chmod 1777 "$run"
  if [ "$(id -u)" = 0 ]; then open_tun; fi
  bash "$repo/scripts/leftovers.sh" "$run" >"$before"
  # Workers get nothing of the environment but the PATH, and this is how they are known, too.
  # Each user's code lies in a folder of its own there.
  mkdir -m 1777 "$run/node-compile-cache"
  local marked=(env "TMPDIR=$run" "PATH=$PATH:$run/path" "VARVE_TEST_USER=$user" "NODE_COMPILE_CACHE=$run/node-compile-cache") status=0 tries
  "${marked[@]}" npm run --silent check
  "${marked[@]}" bash "$repo/scripts/base-images/registry.sh" run bash "$repo/scripts/test.sh" inside || status=$?
  # What was killed needs a moment to be gone.
  for tries in {1..240}; do
    [ -n "$(left)" ] || break
    sleep 0.5
  done
  if [ -n "$(left)" ]; then
    left | sed '1s/^/left behind by the tests:\n/' >&2
    status=1
  else
    say "nothing left behind: no process, no mount, no control group, no temporary file"
  fi
  exit "$status"
}

# A killed step's control group is removed by a build that comes at least a minute later.
sweep() {
  local store=$TMPDIR/sweep tries
  for tries in {1..12}; do
    # find calls it a failure when others' groups end while it lists them, and when nobody reads on
    [ -n "$(find /sys/fs/cgroup -mindepth 2 -path '*/varve/*' -type d 2>/dev/null || true)" ] || break
    [ "$tries" = 1 ] || sleep 10
    printf 'FROM busybox\nRUN : %s\n' "$tries" | VARVE_ROOT=$store node src/cli/main.ts build --progress=none - || return 1
  done
  remove "$store"
}

inside() { # with the base images at hand
  local status=0
  if [ -e test/conformance/engine.sh ]; then
    bash test/conformance/engine.sh run node test/conformance/run.ts --reduced || status=1
  fi
  # Two at a time: the machine that we test on has two cores.
  node --test --test-concurrency=2 'test/**/*.test.ts' || status=1
  if [ "$(id -u)" = 0 ]; then sweep || status=1; fi
  exit $status
}

case ${1:-} in
  '') main ;;
  inside) inside ;;
  *) fail "unknown argument $1" ;;
esac
