# shellcheck shell=bash disable=SC2034
# Sourced by the scripts beside it: the checkout ($repo), the work folder ($work), and a PATH on which the npm packages'
# programs come first and the Debian packages unpacked by setup.sh come last.
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${VARVE_DEMO_DIR:-$repo/.varve}
tools=$work/tools
PATH=$repo/node_modules/.bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin:$tools/usr/bin:$tools/usr/sbin:$tools/bin
if [ -d "$tools/usr/share/perl5" ] || [ -d "$tools/usr/share/perl" ]; then # mmdebstrap is a Perl program
  PERL5LIB=$(printf '%s:' "$tools"/usr/share/perl5 "$tools"/usr/share/perl/5.* "$tools"/usr/lib/*/perl/5.*)${PERL5LIB:-}
  export PERL5LIB
fi
export PATH LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Path of a busybox that runs without shared libraries, or nothing.
static_busybox() {
  local candidate
  for candidate in /bin/busybox /usr/bin/busybox "$tools/bin/busybox" "$tools/usr/bin/busybox"; do
    [ -x "$candidate" ] || continue
    case $(ldd "$candidate" 2>&1 || :) in # the dynamic loader's refusal is the sign of a static program
      *'not a dynamic executable'* | *'statically linked'*) printf '%s\n' "$candidate"; return ;;
    esac
  done
}
