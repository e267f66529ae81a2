#!/bin/bash
# Runs all tests. The parts that need no window are built without C and OpenGL;
# the race detector is everywhere. Where this is root, what matters runs again
# as an ordinary user: only those have hidden owners.
set -euo pipefail
bin=$(realpath "$1")
tags=$TAGS # from the Makefile

echo "== tests of all packages but the desktop's, with the race detector"
# shellcheck disable=SC2046 # a list of packages
go test -race -tags $tags -timeout 10m $(go list -tags $tags ./... | grep -v -e '^porthole/e2e' -e '^porthole/monitor/integration$')

echo "== the pages as they are painted, to the pixel, with no fonts but Fyne's"
PORTHOLE_PICTURES=$PWD/build/pictures CGO_ENABLED=0 go test -tags ci -run 'TestGoldens|TestPictures' ./ui

echo "== the right answers, and which of them this machine cannot show"
go test -race -tags $tags -v ./monitor/integration >build/answers.log || { cat build/answers.log; exit 1; }
grep -B 1 -e '--- SKIP' build/answers.log || echo "all were shown"

echo "== tests on a real desktop, with a program that has the race detector in it"
go build -race -trimpath -tags $tags -o "$bin-race" .
PORTHOLE_BIN=$bin-race PORTHOLE_E2E=required \
	go test -race -timeout 20m -v ./e2e/... | grep -vE '^=== (RUN|PAUSE|CONT|NAME)'

echo "== the program as it is shipped, on the same desktop"
PORTHOLE_BIN=$bin PORTHOLE_E2E=required go test -count 1 -run 'TestTypicalDay|TestPictures' ./e2e

echo "== without C: the command line and the agent build (make test-long tries them where no such library is)"
CGO_ENABLED=0 go build -trimpath -o build/porthole-nowindow .
build/porthole-nowindow --version

if [ "$(id -u)" = 0 ]; then
	echo "== monitor and command line as an ordinary user"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	mkdir "$work/docs" && install -m 644 docs/settings.md "$work/docs/" # whose example the settings' tests read
	for p in monitor monitor/history monitor/history/store monitor/socket monitor/owner monitor/process monitor/integration app/cli app/ipc app/settings; do
		name=$(echo "$p" | tr / -)
		CGO_ENABLED=1 go test -race -tags $tags -c -o "$work/$name.test" "./$p"
		mkdir -p "$work/$p" && chmod 755 "$work/$p"
		if [ -d "$p/testdata" ]; then cp -r "$p/testdata" "$work/$p/"; chmod -R a+rX "$work/$p"; fi
		(cd "$work/$p" && HOME=/nonexistent setpriv --reuid=65534 --regid=65534 --clear-groups "$work/$name.test" -test.timeout 5m)
	done
fi
echo "== all tests passed"
