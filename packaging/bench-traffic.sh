#!/bin/sh
# Compares a tap with mitmproxy, socat and nginx, and measures a capture, in one run:
#
#	packaging/bench-traffic.sh PROGRAM [FLAG ...]
#
# The flags are those of monitor/traffic/bench. As root it uses a network of its own.
set -eu
packaging/prerequisites.sh traffic
program=$1
shift
mkdir -p build
CGO_ENABLED=0 go build -o build/bench-traffic ./monitor/traffic/bench
set -- build/bench-traffic -porthole "$program" -out build/traffic.md "$@"
if [ "$(id -u)" = 0 ]; then
	unshare --net --pid --fork --kill-child --mount-proc sh -c 'ip link set lo up; "$@"' sh "$@"
else
	"$@"
fi
# The window with 1,000 exchanges a second, and the selection in 20 and 10,000 of them.
CGO_ENABLED=0 go test -run XXX -bench 'ThousandASecond|TenThousand' ./ui/traffic >build/traffic-window.txt || { cat build/traffic-window.txt; exit 1; }
{
	printf '\n## The window\n\n'
	sed -n 's/^Benchmark/    /p' build/traffic-window.txt
} >>build/traffic.md
echo "see build/traffic.md"
