#!/bin/bash
# npm run demo: builds the eight chapters of examples/buildme, three times each (new, again, after an edit), and runs the
# server that came out. What it makes is kept in the work folder, so a second demo is quick.
#   demo.sh            npm run demo
#   demo.sh --fresh    npm run demo -- --fresh    forgets the earlier builds first
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
demo=$work/demo
export VARVE_ROOT=$demo/root
source=$demo/buildme
edited=cmd/server/translate.go
titles=('' 'the plain way' 'ordered layers' 'stages and targets' 'cache and bind mounts' 'build arguments' 'exported files' 'a lint stage' 'cross-compilation')

forget_builds() {
  [ -e "$VARVE_ROOT" ] || return 0
  # An ordinary user's snapshots hold files of the ids that only a user namespace may touch.
  if [ "$(id -u)" = 0 ]; then rm -rf "$VARVE_ROOT"; else unshare --user --map-auto --map-root-user rm -rf "$VARVE_ROOT"; fi
}

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1fs", to - from }'; }

# Runs one build; its plain progress is added to a log.
build() { # log, chapter, then arguments
  local log=$1 chapter=$2
  shift 2
  printf '$ npx varve build -f chapters/%s.Dockerfile %s .\n' "$chapter" "$*" >>"$log"
  node "$repo/dist/cli/main.js" build --progress=plain -f "$source/chapters/$chapter.Dockerfile" "$@" "$source" >>"$log" 2>&1 </dev/null || {
    local status=$?
    tail -n 40 "$log" >&2
    fail "chapter $chapter: the build ended with exit code $status; its whole output is in $log"
  }
}

# All that a chapter can build, with one log.
build_chapter() { # log, chapter, suffix of the images' and the folder's name
  local log=$1 chapter=$2 suffix=$3 target=()
  : >"$log"
  [ "$chapter" -lt 3 ] || target=(--target=server)
  [ "$chapter" -lt 5 ] || target+=(--build-arg APP_VERSION=v0.0.1)
  build "$log" "$chapter" -t "buildme$suffix:$chapter" "${target[@]}"
  case $chapter in
    3 | 4 | 5) build "$log" "$chapter" -t "buildme-client$suffix:$chapter" --target=client ;;
    6 | 8) build "$log" "$chapter" --target=binaries --build-arg APP_VERSION=v0.0.1 --output="$demo/bin$suffix/$chapter" ;;
    7) build "$log" "$chapter" --target=lint ;;
  esac
}

# The steps of a plain progress log that ran, or were cached: instructions only, one a line, each once.
steps() { # log, DONE or CACHED
  awk -v state="$2" '
    /^\$ / { split("", name); split("", cached); next }
    /^#[0-9]+ \[/ && $2 != "[internal]" { name[$1] = substr($0, index($0, " ") + 1); next }
    /^#[0-9]+ CACHED/ && $1 in name { cached[$1] = 1; if (!(name[$1] in all)) all[name[$1]] = "CACHED" }
    /^#[0-9]+ DONE/ && $1 in name && !($1 in cached) { all[name[$1]] = "DONE" }
    END {
      for (step in all) if (all[step] == state && step !~ /\] FROM /) { gsub(/--mount=[^ ]+ +/, "", step); print step }
    }' "$1" | sort
}

count() { steps "$1" "$2" | awk 'END { print NR }'; }

image_size() { node "$repo/dist/cli/main.js" images | awk -v tag="$1" '$1 == "buildme" && $2 == tag { print $NF }'; }

chapters() {
  local chapter pass suffix log started row summary size
  rm -rf "$source" "$demo/bin" "$demo/bin-edited" "$demo/log"
  mkdir -p "$demo/log"
  cp -R "$repo/examples/buildme" "$source"
  if [ "$VARVE_BASE_IMAGES" = hub ]; then
    say "Base images: the real ones, from Docker Hub."
  else
    say "Base images: stand-ins made of Debian's packages, as Docker Hub cannot be reached (scripts/base-images)."
  fi
  [ ! -e "$VARVE_ROOT" ] || say "An earlier demo's builds are kept, so \"first\" may be quick; npm run demo -- --fresh forgets them."
  say ''
  printf '%-25s %9s  %-23s %-23s %s\n' chapter image first again "after an edit of $edited"
  for chapter in 1 2 3 4 5 6 7 8; do
    row=$(printf '%s %s' "$chapter" "${titles[chapter]}")
    for pass in first again edit; do
      log=$demo/log/$chapter.$pass
      suffix=
      if [ $pass = edit ]; then
        suffix=-edited
        # No earlier demo has built this.
        printf '\n// Edited in chapter %s, %s.\n' "$chapter" "$EPOCHREALTIME" >>"$source/$edited"
      fi
      started=$EPOCHREALTIME
      build_chapter "$log" "$chapter" "$suffix"
      summary=$(printf '%7s %2s ran %2s cached' "$(seconds_since "$started")" "$(count "$log" DONE)" "$(count "$log" CACHED)")
      case $pass in
        first)
          size=$(image_size "$chapter")
          printf '%-25s %9s  %-23s' "$row" "$size" "$summary"
          ;;
        again) printf ' %-23s' "$summary" ;;
        edit) printf ' %s\n' "$summary" ;;
      esac
      if [ $pass = again ] && [ "$(count "$log" DONE)" != 0 ]; then
        say ''
        steps "$log" DONE >&2
        fail "chapter $chapter: built again without a change, these steps ran; the log is $log"
      fi
    done
    steps "$log" DONE | cut -c 1-110 | sed 's/^/      ran: /'
    [ -n "$(steps "$log" DONE)" ] || fail "chapter $chapter: $edited was edited and no step ran; the log is $log"
    if [ "$chapter" -gt 1 ] && grep -q 'go: downloading\|# get http' "$log"; then
      fail "chapter $chapter: an edit of $edited made a step download modules again; the log is $log"
    fi
    cp "$repo/examples/buildme/$edited" "$source/$edited"
  done
}

# The program that chapter 8 exported, asked for one translation.
ask_server() {
  local port pid answer tries
  port=$(node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  say ''
  say "The server that chapter 8 exported says:"
  PORT=$port setpriv --pdeathsig TERM "$demo/bin/8/server" >"$demo/log/server" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null || :' EXIT
  for tries in {1..50}; do
    answer=$(node -e 'fetch(process.argv[1]).then((r) => r.text()).then((t) => console.log(t.trim()), () => process.exit(1))' "http://127.0.0.1:$port/?s=hello") && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill "$pid" 2>/dev/null || :
  wait "$pid" || :
  trap - EXIT
  sed 's/^/  /' "$demo/log/server"
  say "  GET /?s=hello → $answer"
  [ "$answer" = hohelollolo ] || fail "the server answered \"$answer\" to hello, not hohelollolo"
}

case ${1:-} in
  '' | --fresh)
    say "Varve's demo: the eight chapters of examples/buildme. Everything it makes is in $work"
    bash "$repo/scripts/setup.sh"
    [ "${1:-}" != --fresh ] || forget_builds
    VARVE_BASE_IMAGES=$(bash "$repo/scripts/base-images/registry.sh" which)
    export VARVE_BASE_IMAGES
    exec bash "$repo/scripts/base-images/registry.sh" run bash "$repo/scripts/demo.sh" chapters
    ;;
  chapters) # with the base images at hand
    chapters
    ask_server
    say "Done. The progress of each build is in $demo/log."
    ;;
  *) fail "unknown argument $1; only --fresh is known" ;;
esac
