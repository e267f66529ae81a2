#!/bin/bash
# Runs the long tests with the race detector. What "make test" does for seconds runs for
# the given time, and counts are the full ones:
#
#	packaging/test-long.sh [DURATION]
set -euo pipefail
churn=${1:-1m}
tags=$TAGS # from the Makefile
export PORTHOLE_LONG=1
progress='^=== (RUN|PAUSE|CONT|NAME)'

echo "== $churn of churn: 8 processes open and close 1,000 listeners per second"
PORTHOLE_CHURN=$churn go test -race -tags "$tags" -count 1 -timeout 30m -v -run 'Churn' ./monitor

echo "== memory over 1,000,000 polls; every port open, 100,000 files, no descriptors, no /proc, a sandbox, clock changes"
go test -race -tags "$tags" -count 1 -timeout 20m -v -skip 'Churn' ./monitor | grep -vE "$progress"

echo "== history: killed a hundred times while it writes"
go test -race -tags "$tags" -count 1 -timeout 10m -v -run 'Kill' ./monitor/history/store | grep -vE "$progress"

echo "== full disks, high resolutions and small screens on a virtual desktop"
go build -race -trimpath -tags "$tags" -o build/porthole-race .
PORTHOLE_BIN=$PWD/build/porthole-race PORTHOLE_E2E=required \
	go test -race -tags "$tags" -count 1 -timeout 10m -parallel 3 -v -run 'FullAndReadOnlyDisk|Scales|ScreenBecomesSmaller' ./e2e | grep -vE "$progress"
echo "== all long tests passed"
