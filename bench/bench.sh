#!/bin/bash
# Varve beside a real Docker Engine on the same contexts: bench.sh [--only=NAME,…] [--runs=N] [--write] …
# The options are those of run.ts. The engine is the one that DOCKER_HOST names, or the one that test/conformance/engine.sh
# brings; a BuildKit daemon takes part where BUILDKIT_HOST names one and there is a buildctl. Varve is the built package.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../scripts/env.sh"
npm --prefix "$repo" run --silent build >/dev/null # what is measured is this checkout's code
mkdir -p "$work/bench"
# What this machine adds to each start of Node is not Varve's
unset NODE_EXTRA_CA_CERTS
base=$work/bench/busybox.tar
if [ ! -e "$base" ]; then
  store=$(mktemp -d)
  VARVE_ROOT=$store bash "$repo/scripts/base-images/registry.sh" run \
    sh -c '"$1" pull -q busybox && "$1" save -o "$2" busybox' sh "$repo/dist/cli/main.js" "$base"
  rm -rf "$store"
fi
exec bash "$repo/test/conformance/engine.sh" run node "$here/run.ts" --base "$base" "$@"
