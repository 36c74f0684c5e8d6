#!/bin/bash
# Prints what a run of builds or tests left on the machine, one line each: leftovers.sh FOLDER
# Of the run's processes each has FOLDER in its environment or command line, and its mounts have it in their paths. Control
# groups, network links and tables of rules do not tell whose they are: all that steps, containers and networks have are printed.
set -euo pipefail
folder=$1
for process in /proc/[0-9]*; do
  command=$(tr '\0' ' ' <"$process/cmdline") || continue
  case $command in *scripts/leftovers.sh*) continue ;; esac
  if grep -qF -- "$folder" "$process/cmdline" "$process/environ"; then echo "process ${process#/proc/} $command"; fi
  grep -F -- "$folder" "$process/mountinfo" | awk '{ print "mount " $5 }' || true
done 2>/dev/null | sort -u
# Others' groups may end while they are listed, which find calls a failure.
{ find /sys/fs/cgroup -mindepth 2 \( -path '*/varve/*' -o -path '*/varve-containers/*' \) -type d 2>/dev/null || true; } | sed 's/^/cgroup /' | sort
if [ "$(id -u)" = 0 ]; then
  ip -o link 2>/dev/null | awk -F': ' '$2 ~ /^v(br|ve)[0-9a-f]+(@|$)/ { print "link " $2 }' || true
  nft list tables 2>/dev/null | sed -n '/ varve_/s/^/rules /p' || true
fi
find "$folder" -mindepth 1 -maxdepth 1 ! -name node-compile-cache 2>/dev/null | sed 's/^/file /'
