#!/bin/sh
# A stand-in for golangci-lint in Varve's demo, where the real image cannot be had: gofmt and go vet, nothing more.
set -eu
case "$#:${1:-}" in
  1:run) ;;
  *) echo "golangci-lint (stand-in): only \"golangci-lint run\" is known here" >&2; exit 3 ;;
esac
echo "golangci-lint (stand-in): gofmt and go vet"
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "not formatted as gofmt does: $unformatted" >&2; exit 1; }
go vet ./...
