#!/bin/sh
# Compares the monitor with other tools. As root it does so in a network and
# PID namespace of its own, so that nothing else is in the tables and everything
# ends with the run.
set -eu
packaging/prerequisites.sh bench
mkdir -p build
go test -c -tags "$TAGS,bench" -o build/bench.test ./monitor/bench
export PORTHOLE_BENCH_OUT="$PWD/build"
set -- build/bench.test -test.run '^TestBench$' -test.timeout 20m -test.v
if [ "$(id -u)" = 0 ]; then
	unshare --net --pid --fork --kill-child --mount-proc sh -c 'ip link set lo up; "$@"' sh "$@"
else
	echo "Not root: the results include the sockets and processes of other programs."
	"$@"
fi
echo "see build/bench.md and build/bench.svg"
