#!/bin/bash
# Installs the package on a clean Debian, uses the command line there, removes
# it, and sees that nothing of it is left. Needs root and Debian's packages.
set -euo pipefail
if [ "$(id -u)" != 0 ]; then
	echo "== skipped: the package is tried on a clean Debian by root alone"
	exit 0
fi
packaging/prerequisites.sh package
deb=$(ls -t build/porthole_*.deb | head -1)
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -1)
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
echo "== a clean $suite"
debootstrap --variant=minbase "$suite" "$root" "$mirror" >build/debootstrap.log 2>&1 || { tail build/debootstrap.log; exit 1; }
files() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./var/log \) -prune -o \( -iname '*porthole*' \) -print | sort); }
within() { chroot "$root" "$@"; }

cp "$deb" "$root/tmp/package.deb"
within apt-get install -y --no-install-recommends /tmp/package.deb >build/install.log 2>&1 || { tail build/install.log; exit 1; }
rm "$root/tmp/package.deb"
within porthole --version
within porthole list >/dev/null
within porthole list 1 >/dev/null
test -s "$root/usr/share/applications/io.github.porthole.porthole.desktop"
within apt-get purge -y porthole >build/purge.log 2>&1
left=$(files)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
echo "== installed, used and removed; nothing is left"
