#!/bin/sh
# Runs Porthole: on this desktop, or, where there is none, on a virtual one,
# with a picture of it.
set -eu
bin=$1
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	exec "$bin"
fi
packaging/prerequisites.sh desktop
echo "There is no desktop here: running on a virtual one."
go run -tags "$TAGS" ./e2e/picture "$bin" build/porthole.png
