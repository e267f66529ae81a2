#!/bin/sh
# Measures the monitor beside its rivals. As root it does so in a network and
# among processes of its own: then nothing else is in the tables, and all ends
# with the run.
set -eu
packaging/prerequisites.sh bench
mkdir -p build
go test -c -tags "$TAGS,bench" -o build/bench.test ./monitor
export PORTHOLE_BENCH_OUT="$PWD/build"
set -- build/bench.test -test.run '^TestBench$' -test.timeout 20m -test.v
if [ "$(id -u)" = 0 ]; then
	unshare --net --pid --fork --kill-child --mount-proc sh -c 'ip link set lo up; "$@"' sh "$@"
else
	echo "Not root: this machine's other sockets and processes are in the figures."
	"$@"
fi
echo "see build/bench.md and build/bench.svg"
