#!/bin/bash
# Prints what builds and tests could leave on a machine, one line each; run before and after, what is new was left behind.
#   leftovers.sh WORD   traces of one run: processes and mounts, whosoever, that have WORD (the path of its folder) in their
#                       command line, their environment or their mounts, and control groups of steps
set -euo pipefail
word=$1
for process in /proc/[0-9]*; do
  pid=${process#/proc/}
  [ "$pid" != $$ ] && [ "$pid" != "$PPID" ] || continue
  command=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) || continue
  # What asks is in the run's environment, too.
  case $command in *scripts/test.sh* | *scripts/leftovers.sh* | 'npm '*) continue ;; esac
  if grep -qsF -- "$word" "$process/cmdline" "$process/environ"; then echo "process $pid $command"; fi
  { grep -hsF -- "$word" "$process/mountinfo" || true; } | awk '{ print "mount " $5 }'
done 2>/dev/null | sort -u
find /sys/fs/cgroup -mindepth 2 -path '*/varve/*' -type d 2>/dev/null | sed 's/^/cgroup /' | sort
