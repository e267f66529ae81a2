#!/bin/sh
# Compares the monitor with other tools. As root it does so in a network and
# PID namespace of its own, so that nothing else is in the tables and everything
# ends with the run. The part about programs that start is outside of them: the
# kernel reports programs only there.
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
if (cd monitor/bench/portlist && go build -o ../../../build/portlist .); then
	export PORTHOLE_BENCH_PORTLIST="$PWD/build/portlist"
else
	echo "tailscale's portlist is left out: it could not be built."
fi
build/bench.test -test.run '^TestStarts$' -test.timeout 40m -test.v
echo "see build/bench.md, build/bench.svg and build/starts.md"
