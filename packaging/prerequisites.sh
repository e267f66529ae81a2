#!/bin/sh
# Installs the system packages that are missing for building ("build"), for
# building and testing ("test"), for building and testing what is for
# Windows ("windows"), for measuring ("bench") or packing ("package"). Debian and Ubuntu; elsewhere it says what is
# needed and goes on where it is there.
set -eu

# The smallest set that builds Fyne with OpenGL ES, X11 and Wayland.
build="gcc libc6-dev pkg-config libgles-dev libgl-dev libegl-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev libwayland-dev libxkbcommon-dev"
# A desktop to look at: X server, bus, window manager, panel, notification daemon.
desktop="xvfb xauth dbus openbox xfce4-panel xfconf dunst xdotool wmctrl imagemagick x11-utils x11-xserver-utils libgl1-mesa-dri libgles2 libegl1 libwayland-client0"
# The monitor's tests need no OpenGL; what it is measured beside.
bench="gcc libc6-dev iproute2 util-linux lsof"
tests="weston xclip libnotify-bin iproute2 util-linux procps"
package="dpkg-dev desktop-file-utils appstream lintian debootstrap"
windows="wine wine64 gcc-mingw-w64-x86-64-win32 binutils-mingw-w64-x86-64 zip xvfb imagemagick perl-base iproute2 util-linux"

need_go=$(awk '/^go /{print $2}' go.mod)
if ! command -v go >/dev/null; then
	echo "Porthole is built with Go $need_go or newer, which is not installed: see https://go.dev/dl" >&2
	exit 1
fi
have_go=$(GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//;s/[^0-9.].*//')
if [ "$(printf '%s\n%s\n' "$need_go" "$have_go" | sort -V | head -1)" != "$need_go" ]; then
	echo "Porthole is built with Go $need_go or newer; this is Go $have_go: see https://go.dev/dl" >&2
	exit 1
fi

case ${1:-build} in
build) want=$build ;;
desktop) want=$desktop ;;
test) want="$build $desktop $tests" ;;
bench) want=$bench ;;
package) want=$package ;;
windows) want=$windows ;;
*) echo "usage: $0 build|desktop|test|windows|bench|package" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
	[ "$1" = build ] && command -v pkg-config >/dev/null && pkg-config --exists glesv2 x11 xkbcommon && exit 0
	echo "Please install the like of these, by their names on Debian (going on without): $want" >&2
	exit 0
fi

missing=
for p in $want; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "These packages are missing, and neither root nor sudo is at hand to install them. As root:" >&2
		echo "  apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	sudo=sudo
fi
echo "installing$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
