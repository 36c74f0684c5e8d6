#!/bin/bash
# Makes stand-ins for Docker Hub's images out of Debian's packages: root filesystems as tar archives in the folder given.
# They are not the real images. golang and debian are Debian's newest stable suite with what the real ones have in common
# use; busybox and alpine are one static busybox (no apk); golangci-lint is gofmt and go vet. busybox and alpine are made for
# amd64, arm64 and arm/v7; golang too where VARVE_BASE_EMULATED=1 asks for it: another minute, and 300 MB each.
# The same packages give the same bytes, for root as for an ordinary user.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"
out=${1:?where to: make.sh FOLDER}
suite=trixie
export SOURCE_DATE_EPOCH=1748736000 TZ=UTC # no file is newer than 2025-06-01
umask 022
mkdir -p "$out"
scratch=$(mktemp -d "$out/scratch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# The Debian mirror, as this machine's apt has it: where the suite of this machine, or a newer one, has its main component.
mirror() {
  apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v own="$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")" -v suite="$suite" \
      '$3 == "main" && ($2 == own || $2 == suite || $2 ~ /^(stable|testing|unstable|sid)$/) { sub(/\/$/, "", $1); if (!found) print $1; found = 1 }'
}

archive() { # --create or --append, folder, tar, path in the folder
  tar "$1" --directory "$2" --file "$3" --sort=name --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
    --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$4"
}

debian() { # name, packages, then hooks of mmdebstrap
  local name=$1 packages=$2
  shift 2
  # Real images have no devices, and an ordinary user could not unpack them.
  local options=(--variant=minbase --skip=output/dev --aptopt='APT::Install-Recommends "false"' "${apt_options[@]}")
  [ -z "$packages" ] || options+=(--include="$packages")
  options+=(--customize-hook='cd "$1" && rm -rf usr/share/doc/* usr/share/info/* usr/share/lintian/* usr/share/locale/* usr/share/man/*')
  options+=(--customize-hook='rm -f "$1"/etc/hostname "$1"/etc/resolv.conf') # mmdebstrap brings this machine's own
  say "  $name: Debian $suite${packages:+ with $packages}"
  mmdebstrap "${options[@]}" "$@" "$suite" "$scratch/$name.tar" "deb $mirror $suite main" >"$out/$name.log" 2>&1 </dev/null || {
    tail -n 15 "$out/$name.log" >&2
    fail "mmdebstrap failed; all it said is in $out/$name.log"
  }
  mkdir -p "$scratch/empty/dev"
  archive --append "$scratch/empty" "$scratch/$name.tar" ./dev
  mv "$scratch/$name.tar" "$out/$name.tar"
}

# Packages of another architecture, whose programs cannot be run here: they are only unpacked.
foreign() { # Debian's architecture, name, packages, then hooks: the variant has none but --extract-hook
  local architecture=$1 name=$2 packages=$3
  shift 3
  mmdebstrap --variant=extract --architectures="$architecture" --include="$packages" --skip=output/dev "${apt_options[@]}" "$@" \
    "$suite" "$scratch/$name.tar" "deb $mirror $suite main" >"$out/$name.log" 2>&1 </dev/null || {
    tail -n 15 "$out/$name.log" >&2
    fail "mmdebstrap failed for $architecture; all it said is in $out/$name.log"
  }
}

# A busybox of another architecture. The applets are this machine's.
foreign_busybox() { # Debian's architecture
  foreign "$1" "busybox-$1" busybox-static
  mkdir "$scratch/busybox-$1"
  tar -x -C "$scratch/busybox-$1" -f "$scratch/busybox-$1.tar" ./usr/bin/busybox
  rm "$scratch/busybox-$1.tar"
}

# As images call the architecture; their archives end in .ARCHITECTURE.tar.
image_architecture() { case $1 in armhf) echo arm ;; *) echo "$1" ;; esac; }

busybox() { # name, hard or symbolic, architecture of the image where it is another, busybox of it
  local suffix=${3:+.$3} applet program own
  local root=$scratch/$1$suffix
  own=$(static_busybox)
  [ -n "$own" ] || fail "found no static busybox; Debian's package busybox-static has one"
  program=${4:-$own}
  [ -n "$suffix" ] || say "  $1: Debian's static busybox"
  mkdir -p "$root"/{bin,dev,etc,home,proc,root,sys,tmp,usr/bin,usr/sbin,var/tmp}
  chmod 1777 "$root/tmp" "$root/var/tmp"
  chmod 700 "$root/root"
  cp "$program" "$root/bin/busybox"
  chmod 755 "$root/bin/busybox"
  for applet in $("$own" --list); do
    [ "$applet" = busybox ] && continue
    if [ "$2" = hard ]; then ln "$root/bin/busybox" "$root/bin/$applet"; else ln -s /bin/busybox "$root/bin/$applet"; fi
  done
  printf '%s\n' root:x:0:0:root:/root:/bin/sh daemon:x:1:1:daemon:/usr/sbin:/bin/false bin:x:2:2:bin:/bin:/bin/false \
    www-data:x:33:33:www-data:/var/www:/bin/false nobody:x:65534:65534:nobody:/home:/bin/false >"$root/etc/passwd"
  printf '%s\n' root:x:0: daemon:x:1: bin:x:2: users:x:100: www-data:x:33: nobody:x:65534: >"$root/etc/group"
  printf 'NAME="%s"\nID=%s\nPRETTY_NAME="Varve'\''s stand-in for %s: busybox only"\n' "$1" "$1" "$1" >"$root/etc/os-release"
  archive --create "$root" "$out/$1$suffix.tar" .
}

# golang where it is emulated: Debian's Go and a busybox, nothing set up.
foreign_golang() { # Debian's architecture
  local architecture
  architecture=$(image_architecture "$1")
  say "  golang for $architecture: Debian $suite's golang-go, for emulated steps"
  foreign "$1" "golang.$architecture" golang-go,busybox-static,ca-certificates \
    --extract-hook='cd "$1" && for name in sh cat ls mkdir rm cp mv echo env; do [ -e usr/bin/$name ] || ln -s busybox usr/bin/$name; done' \
    --extract-hook='cd "$1" && for name in bin sbin lib; do [ -e $name ] || ln -s usr/$name $name; done && mkdir -p dev proc sys tmp root && chmod 1777 tmp' \
    --extract-hook='cd "$1" && mkdir -p -m 1777 go go/src go/bin && mkdir -p usr/local && ln -s ../lib/go usr/local/go && mkdir -p etc/ssl/certs && rm -rf usr/share/doc usr/share/man' \
    --extract-hook='cd "$1"/usr/share/go-* && rm -rf api test && find . -type d -name testdata -prune -exec rm -rf {} +' \
    "${trust[@]/--customize-hook/--extract-hook}"
  mv "$scratch/golang.$architecture.tar" "$out/golang.$architecture.tar"
}

golangci_lint() { # one more layer over golang
  local root=$scratch/golangci-lint
  mkdir -p "$root/usr/bin"
  cp "$repo/scripts/base-images/golangci-lint.sh" "$root/usr/bin/golangci-lint"
  chmod 755 "$root/usr/bin/golangci-lint"
  archive --create "$root" "$out/golangci-lint.tar" .
}

mirror=$(mirror)
[ -n "$mirror" ] || fail "found no Debian mirror in this machine's apt sources (apt-get indextargets), so there is nothing to make images from"
# How apt reaches the mirror from here (a proxy, say). A bare machine sets none of it.
mapfile -t apt_options < <(apt-config dump | sed -nE '/^Acquire::(https?::|Check-Valid-Until|Retries|ForceIPv)[^"]*"[^"]+"/s/^(.*);$/--aptopt=\1/p')

bundle=/etc/ssl/certs/ca-certificates.crt
trust=()
# Where this machine trusts more than the wide world does, programs in RUN must too.
if [ -r $bundle ]; then trust=(--customize-hook="upload $bundle $bundle"); fi

foreigners=()
for architecture in amd64 arm64 armhf; do
  [ "$architecture" = "$(dpkg --print-architecture)" ] || foreigners+=("$architecture")
done
for architecture in "${foreigners[@]}"; do foreign_busybox "$architecture" & done

busybox busybox hard
busybox alpine symbolic
golangci_lint
debian debian ''
debian golang ca-certificates,golang-go "${trust[@]}" \
  --customize-hook='cd "$1" && mkdir -p -m 1777 go go/src go/bin && ln -s ../lib/go usr/local/go' \
  --customize-hook='cd "$1"/usr/share/go-* && rm -rf api test && find . -type d -name testdata -prune -exec rm -rf {} +'

wait
for architecture in "${foreigners[@]}"; do
  foreign=$scratch/busybox-$architecture/usr/bin/busybox
  [ -x "$foreign" ] || fail "no busybox for $architecture was made; what was said is in $out/busybox-$architecture.log"
  busybox busybox hard "$(image_architecture "$architecture")" "$foreign"
  busybox alpine symbolic "$(image_architecture "$architecture")" "$foreign"
  [ "${VARVE_BASE_EMULATED:-0}" != 1 ] || foreign_golang "$architecture"
done
