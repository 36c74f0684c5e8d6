#!/bin/bash
# npm test: everything, on a bare machine too. Brings what is missing (setup.sh says what and why), checks the code, then
# builds for real: end-to-end and interop tests with real runtimes, registries and tools, and the comparison with a real
# Docker Engine in its reduced form. At the end nothing of it may be left on the machine.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$repo"

if [ "${1:-}" != inside ]; then
  bash "$repo/scripts/setup.sh" --tests
  if [ "$(id -u)" = 0 ] && ! id varvetest >/dev/null 2>&1; then
    say "tests: makes the user varvetest, for builds without privileges"
    useradd --create-home varvetest
  fi
  npm run --silent check
  before=$(mktemp "${TMPDIR:-/tmp}/varve-test-before.XXXXXX")
  export VARVE_TEST_BEFORE=$before
  bash "$repo/scripts/leftovers.sh" >"$before"
  status=0
  bash "$repo/scripts/base-images/registry.sh" run bash "$repo/scripts/test.sh" inside || status=$?
  left=$(bash "$repo/scripts/leftovers.sh" | grep -vxFf "$before" || true)
  rm -f "$before"
  if [ -n "$left" ]; then
    printf 'left behind by the tests:\n%s\n' "$left" >&2
    fail "the tests left something behind"
  fi
  say "nothing left behind: no mount, process, control group or temporary file"
  exit "$status"
fi

status=0
# Two at a time: the machine that we test on has two cores.
node --test --test-concurrency=2 'test/**/*.test.ts' || status=1
if [ -e test/conformance/engine.sh ]; then
  bash test/conformance/engine.sh run node test/conformance/run.ts --reduced || status=1
fi
exit $status
