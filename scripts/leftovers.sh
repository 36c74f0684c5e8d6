#!/bin/bash
# Prints what builds could leave on a machine, one line each: mounts seen anywhere, processes, control groups, temporary
# files. Run before and after; what is new was left behind.
set -euo pipefail
{
  cat /proc/[0-9]*/mountinfo 2>/dev/null | awk '$5 ~ /varve/ { print "mount " $5 }'
  for process in /proc/[0-9]*; do
    line=$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) || continue
    case $line in
      *worker-entry* | *'crun '*run-* | *'runc '*run-*) echo "process ${process#/proc/} $line" ;;
    esac
  done
  find /sys/fs/cgroup -mindepth 2 -maxdepth 3 -path '*/varve/*' -type d 2>/dev/null | sed 's/^/cgroup /'
  find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'varve-*' 2>/dev/null | sed 's/^/file /'
} | sort -u
