#!/bin/bash
# Runs the tests that take long, with the race detector: what "make test" does
# for seconds goes on for a time (1m), and its counts are the full ones.
set -euo pipefail
churn=${1:-1m}
tags=$TAGS # from the Makefile

echo "== $churn of churn: listeners that open and close, 1,000 a second, from 8 processes"
PORTHOLE_LONG=1 PORTHOLE_CHURN=$churn \
	go test -race -tags "$tags" -count 1 -timeout 30m -v -run 'Churn' ./monitor

echo "== memory over 1,000,000 looks, bad worlds: every port, 100,000 files, no descriptors, no /proc, a sandbox, a clock that is set"
PORTHOLE_LONG=1 \
	go test -race -tags "$tags" -count 1 -timeout 20m -v -skip 'Churn' ./monitor | grep -vE '^=== (RUN|PAUSE|CONT|NAME)'
echo "== the memory of ports: killed a hundred times while it writes"
PORTHOLE_LONG=1 \
	go test -race -tags "$tags" -count 1 -timeout 10m -v -run 'Killed' ./monitor/history/store | grep -vE '^=== (RUN|PAUSE|CONT|NAME)'
echo "== full disks, dense screens and smaller ones on a real desktop"
go build -race -trimpath -tags "$tags" -o build/porthole-race .
PORTHOLE_LONG=1 PORTHOLE_BIN=$PWD/build/porthole-race PORTHOLE_E2E=required \
	go test -race -tags "$tags" -count 1 -timeout 10m -v -run 'FullAndReadOnlyDisk|Scales|ScreenBecomesSmaller' ./e2e | grep -vE '^=== (RUN|PAUSE|CONT|NAME)'
echo "== all long tests passed"
