#!/bin/sh
# Runs Porthole on this desktop. Without one, runs it on a virtual desktop for a
# moment and leaves a picture of it in build/porthole.png.
#
#	packaging/run.sh PROGRAM
set -eu
bin=$1
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	exec "$bin"
fi
packaging/prerequisites.sh desktop
echo "No display found: running on a virtual desktop."
go run -tags "$TAGS" ./e2e/picture "$bin" build/porthole.png
