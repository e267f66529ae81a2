#!/bin/bash
# Installs the .deb on a clean Debian or Ubuntu, uses the command line there, starts
# Porthole through its desktop entry, removes the package, and checks that every file
# is as before. Installs and removes the .rpm and the Arch package in empty folders,
# without their dependencies. Needs root and access to the packages of the suite, which
# is this machine's if none is given.
#
#	packaging/test-package.sh [SUITE [MIRROR]]
set -euo pipefail
if [ "$(id -u)" != 0 ]; then
	echo "== skipped: only root can test the package on a clean Debian"
	exit 0
fi
packaging/prerequisites.sh package
deb=$(echo build/packages/*.deb)
suite=${1:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
mirror=${2:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -1)}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

echo "== the .rpm and the Arch package in empty folders"
rpm=(rpm --root "$root/rpm" --nodeps) # Debian's rpm warns on stderr of its use
pacman=(pacman --root "$root/arch" --dbpath "$root/arch/db" --cachedir "$root/arch/cache" --config /dev/null --noconfirm)
mkdir -p "$root"/{rpm,arch/db,arch/cache}
"${rpm[@]}" -i build/packages/*.rpm 2>/dev/null
"${rpm[@]}" -V porthole 2>/dev/null
"${pacman[@]}" -Udd build/packages/*.pkg.tar.zst >build/pacman.log 2>&1 || { cat build/pacman.log; exit 1; }
"${pacman[@]}" -Qkk porthole
for folder in rpm arch; do "$root/$folder/usr/bin/porthole" list >/dev/null; done
"${rpm[@]}" -e porthole 2>/dev/null
"${pacman[@]}" -Rdd porthole >build/pacman.log 2>&1 || { cat build/pacman.log; exit 1; }
if find "$root"/{rpm,arch} -path '*/usr/*' ! -type d | grep .; then echo "these files are left over" >&2; exit 1; fi
rm -rf "$root"/{rpm,arch}

echo "== a clean $suite"
# Debian has no keyring of Ubuntu, and debootstrap no script for its new suites: all use gutsy's.
strap=(debootstrap --variant=minbase) script=()
case $mirror in *ubuntu*) strap+=(--no-check-gpg --components=main,universe) script=(gutsy) ;; esac
"${strap[@]}" "$suite" "$root" "$mirror" "${script[@]}" >build/debootstrap.log 2>&1 || { tail build/debootstrap.log; exit 1; }
within() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }
quietly() { local log=build/$1.log; shift; "$@" >"$log" 2>&1 || { tail "$log"; exit 1; }; }
# Lists all files with their modification times, except the records of apt and dpkg.
files() { (cd "$root" && find . \( -path ./proc -o -path ./sys -o -path ./tmp -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./run \) -prune -o -type d -print -o -printf '%p %T@\n' | sort); }

printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # services must not start there
chmod 755 "$root/usr/sbin/policy-rc.d"
packaging/prerequisites.sh desktop
echo "== the program built without C, on a system without X or OpenGL libraries"
unshare --mount packaging/test-nowindow.sh "$root"
cp "$deb" "$root/package.deb"
# The first installation also installs the dependencies, which stay; the second
# installs Porthole only. gio starts a program as a desktop's menu does.
quietly install within apt-get install -y /package.deb libglib2.0-bin
quietly purge within apt-get purge -y porthole
files >build/files.before
quietly install-again within apt-get install -y /package.deb
within porthole --version
within porthole list >/dev/null
within porthole list 1 >/dev/null
echo "== started through its desktop entry, on a virtual desktop"
go build -tags "$TAGS" -o build/installed ./e2e/installed
unshare --mount build/installed "$root" build/installed.png
echo "== removed"
quietly purge-again within apt-get purge -y porthole
files >build/files.after
diff build/files.before build/files.after || { echo "these files are left over, missing or changed" >&2; exit 1; }
echo "== installed, used and removed; nothing is left over"
