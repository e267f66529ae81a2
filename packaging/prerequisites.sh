#!/bin/sh
# Installs the Debian packages that a task needs and that are missing:
#
#	packaging/prerequisites.sh [--check] build|desktop|test|film|windows|bench|traffic|package|servers
#
# With --check it installs nothing: if packages are missing, it names them and the
# command that installs them, and exits with status 1. On a system without dpkg it names
# the packages and continues.
set -eu

# The smallest set to build Fyne with OpenGL ES, X11 and Wayland.
build="gcc libc6-dev pkg-config libgles-dev libgl-dev libegl-dev libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev libwayland-dev libxkbcommon-dev"
# A virtual desktop: X server, bus, window manager, panel, notification daemon.
desktop="xvfb xauth dbus openbox xfce4-panel xfconf dunst xdotool wmctrl x11-utils x11-xserver-utils libgl1-mesa-dri libgles2 libegl1 libwayland-client0"
# The benchmarks of the monitor need no OpenGL, but the tools that they compare.
bench="gcc libc6-dev iproute2 util-linux lsof"
# The programs that a tap is compared with.
traffic="mitmproxy socat nginx-light iproute2 util-linux"
film="imagemagick util-linux iproute2"
# The clients and servers start no service: redis-tools has the server under another name.
# Tests of PostgreSQL run where a server is installed; its package would start one.
tests="weston xclip xterm tmux libnotify-bin iproute2 util-linux procps perl-base curl python3 tshark tcpdump wrk redis-tools nghttp2-client nghttp2-server nodejs node-ws"
servers="debootstrap iproute2 util-linux"
package="dpkg-dev desktop-file-utils appstream lintian debootstrap rpm libarchive-tools pacman-package-manager"
windows="wine wine64 gcc-mingw-w64-x86-64-win32 binutils-mingw-w64-x86-64 zip xvfb imagemagick perl-base iproute2 util-linux"

check=
if [ "${1:-}" = --check ]; then
	check=yes
	shift
fi
case ${1:-} in
build) want=$build ;;
desktop) want=$desktop ;;
test) want="$build $desktop $tests" ;;
film) want="$desktop $film" ;;
bench) want=$bench ;;
traffic) want=$traffic ;;
package) want=$package ;;
windows) want=$windows ;;
servers) want=$servers ;;
*) echo "usage: $0 [--check] build|desktop|test|film|windows|bench|traffic|package|servers" >&2; exit 2 ;;
esac

need_go=$(awk '/^go /{print $2}' go.mod)
if ! command -v go >/dev/null; then
	echo "Go is not installed. Porthole needs Go $need_go or newer: see https://go.dev/dl" >&2
	exit 1
fi
have_go=$(GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//;s/[^0-9.].*//')
if [ "$(printf '%s\n%s\n' "$need_go" "$have_go" | sort -V | head -1)" != "$need_go" ]; then
	echo "Go $have_go is too old. Porthole needs Go $need_go or newer: see https://go.dev/dl" >&2
	exit 1
fi

if ! command -v dpkg-query >/dev/null; then
	[ "$1" = build ] && command -v pkg-config >/dev/null && pkg-config --exists glesv2 x11 xkbcommon && exit 0
	echo "If this fails, install the equivalents of these Debian packages: $want" >&2
	exit 0
fi

missing=
for p in $want; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo="sudo "
if [ -n "$check" ]; then
	echo "These packages are missing:$missing" >&2
	echo "Install them with:" >&2
	echo "  ${sudo}apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
	echo "These packages are missing, and sudo is not installed. As root, run:" >&2
	echo "  apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "Installing the missing packages with ${sudo}apt-get:$missing"
${sudo}apt-get update -qq
# shellcheck disable=SC2086 # a list of words
${sudo}env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
