#!/bin/bash
# Runs the package of Porthole on the desktops of Debian 12, each in a root directory and
# namespaces of its own, and checks there what a user sees and does: see e2e/desktops. Writes
# docs/desktops.md; the pictures are in build/desktops/pictures. Needs root, Debian's
# packages, and 8 GB of disk.
#
#	packaging/test-desktops.sh [REGEXP]
#
# With REGEXP it tries only desktops whose names match it; the table keeps the results of the others. The
# installed desktops are removed afterwards; with KEEP=1 they stay in build/desktops (or $PORTHOLE_DESKTOPS_DIR) for the next time.
set -euo pipefail
if [ "$(id -u)" != 0 ]; then
	echo "only root can start a desktop in namespaces" >&2
	exit 1
fi
only=${1:-}
dir=${PORTHOLE_DESKTOPS_DIR:-build/desktops}
if [ "${2:-}" != --install ]; then
	packaging/prerequisites.sh servers
	mkdir -p "$dir"
	CGO_ENABLED=0 go build -o "$dir/desktops" ./e2e/desktops
	rm -rf "$dir/porthole"
	dpkg-deb -x build/packages/*.deb "$dir/porthole"
	for layer in $("$dir/desktops" -layers -only "$only" | cut -d' ' -f1); do
		unshare --mount --propagation private "$0" "$layer" --install
		"$dir/desktops" -layer "$layer" -only "$only" "$dir"
		[ -n "${KEEP:-}" ] || rm -rf "$dir/layers/$layer" "$dir/layers/$layer.done"
	done
	[ -n "${KEEP:-}" ] || rm -rf "$dir"/{base,base.done,layers,packages,porthole}
	exit
fi

# In a mount namespace of its own: install the layer $1.
. packaging/roots.sh
packages=$("$dir/desktops" -layers | sed -n "s/^$only //p")
if [ ! -e "$dir/base.done" ]; then
	echo "== a Debian 12"
	# shellcheck disable=SC2046 # a list of words
	make_base bookworm $("$dir/desktops" -base)
	within "$dir/base" apt-get satisfy -y --no-install-recommends "$(dpkg-deb -f build/packages/*.deb Depends), $(dpkg-deb -f build/packages/*.deb Recommends)" >>"$dir/logs/base" 2>&1
	touch "$dir/base.done"
fi
# shellcheck disable=SC2086 # a list of words
install_layer "$only" $packages
