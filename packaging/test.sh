#!/bin/bash
# Runs all tests:
#
#	packaging/test.sh PROGRAM
#
# Stages that mostly wait run beside stages that compute. The output of a stage is
# printed when the stage ends. Everything that needs no window is tested without C and
# OpenGL too. As root, the monitor and the command line are tested again as an ordinary
# user, who may not see every owner.
set -euo pipefail
bin=$(realpath "$1")
tags=$TAGS # from the Makefile

# Fyne forgets the layout of a widget that was not painted for a minute. A window on a
# screen is painted all the time, but a page in a test on a busy machine may not be.
export FYNE_CACHE=1h

# Packages that are tested again as an ordinary user.
user_packages="monitor monitor/history monitor/history/store monitor/socket monitor/owner monitor/process monitor/integration app/cli app/ipc app/settings"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'trap "" TERM; kill 0; wait; exit 1' INT TERM
chmod 755 "$work"

# stage TITLE COMMAND [ARGUMENT ...] runs a stage and prints its output and duration.
stage() {
	local title=$1 began=$SECONDS log status=0
	shift
	log=$(mktemp "$work/log.XXXXXX")
	(set -euo pipefail; "$@") >"$log" 2>&1 &
	wait $! || status=$?
	{
		flock 9
		echo "== $title ($((SECONDS - began)) s)"
		cat "$log"
		[ $status = 0 ] || echo "$title" | tee -a "$work/failed" | sed 's/^/== FAILED: /'
	} 9>>"$work/lock"
	return $status
}

# user_tests tests the packages that are tested twice, and keeps their test programs.
# Those of monitor/socket read the kernel's counts of sockets, which other tests change.
user_tests() {
	local p others=()
	for p in $user_packages; do
		case $p in
		monitor/socket | monitor/integration) ;;
		*) others+=("./$p") ;;
		esac
	done
	go test -race -tags "$tags" -timeout 10m -o "$work/tests/" -exec "$PWD/packaging/isolated.sh" ./monitor/socket &
	go test -race -tags "$tags" -timeout 10m -p 2 -o "$work/tests/" "${others[@]}"
	wait $!
}

# All other packages without a desktop; the slowest first.
other_tests() {
	local skip
	skip=$(printf '%s\n' $user_packages | sed 's|^|porthole/|')
	# shellcheck disable=SC2046 # a list of packages
	go test -race -tags "$tags" -timeout 20m -p 2 ./ui $(go list -tags "$tags" ./... | grep -v -e '^porthole/e2e' -e '^porthole/ui$' | grep -vxF "$skip")
}

integration_tests() {
	go test -race -tags "$tags" -v -o "$work/tests/" ./monitor/integration >build/integration.log || { cat build/integration.log; return 1; }
	grep -B 1 -e '--- SKIP' build/integration.log || echo "nothing was skipped"
}

desktop_tests() {
	PORTHOLE_BIN=$bin-race PORTHOLE_E2E=required \
		go test -race -tags "$tags" -timeout 20m -parallel 3 -v ./e2e/... | grep -vE '^=== (RUN|PAUSE|CONT|NAME)'
}

shipped_program() {
	PORTHOLE_BIN=$bin PORTHOLE_E2E=required go test -tags "$tags" -count 1 -run 'TestTypicalDay|TestPictures' ./e2e
}

goldens() {
	PORTHOLE_PICTURES=$PWD/build/pictures CGO_ENABLED=0 go test -tags ci -run 'TestGoldens|TestPictures' ./ui ./ui/traffic ./ui/pictures
}

without_c() {
	CGO_ENABLED=0 go build -trimpath -o build/porthole-nowindow .
	build/porthole-nowindow --version
}

# as_user PACKAGE runs the test program of a package as the user nobody.
as_user() {
	local log="$work/user.${1//\//-}"
	local alone=
	[ "$1" != monitor/socket ] || alone=$PWD/packaging/isolated.sh
	if ! (cd "$work/$1" && HOME=/nonexistent $alone setpriv --reuid=65534 --regid=65534 --clear-groups "$work/tests/${1##*/}.test" -test.timeout 5m) >"$log" 2>&1; then
		echo "--- FAIL: $1"
		cat "$log"
		return 1
	fi
	echo "ok  	$1"
}

ordinary_user() {
	local p pids=() status=0
	install -D -m 644 docs/settings.md "$work/docs/settings.md" # the tests of the settings read its example
	for p in $user_packages; do
		# go test keeps no program of a test whose result it has cached.
		[ -e "$work/tests/${p##*/}.test" ] || go test -race -tags "$tags" -c -o "$work/tests/" "./$p"
		mkdir -p "$work/$p"
		[ ! -d "$p/testdata" ] || cp -r "$p/testdata" "$work/$p/"
	done
	chmod -R a+rX "$work"
	for p in $user_packages; do
		as_user "$p" &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || status=1; done
	return $status
}

lane_desktop() {
	stage "desktop tests of the program with the race detector" desktop_tests
	stage "desktop tests of the program as it is shipped" shipped_program
}

lane_user() {
	stage "tests of monitor, command line and settings, with the race detector" user_tests
	stage "tests of the monitor against this kernel, and those that this machine skips" integration_tests
	[ "$(id -u)" != 0 ] || stage "the same tests as an ordinary user" ordinary_user
}

lane_other() {
	stage "tests of all other packages, with the race detector" other_tests
	stage "pages compared with their pictures, pixel by pixel" goldens
	stage "gofmt and go vet" make --no-print-directory vet
	stage "build without C: command line and agent (make test-long runs it on a system without libraries)" without_c
}

mkdir "$work/tests"
go build -race -trimpath -tags "$tags" -o "$bin-race" .
# The desktop tests react to windows, so they get the processors first. The lane that only
# computes gets what is left.
lanes=()
for lane in lane_desktop lane_user lane_other; do
	(
		case $lane in
		lane_user) renice -n 5 "$BASHPID" ;;
		lane_other) renice -n 15 "$BASHPID" ;;
		esac >/dev/null 2>&1 || true # it may run at a lower priority already
		$lane
	) &
	lanes+=($!)
done
for lane in "${lanes[@]}"; do wait "$lane" || true; done
if [ -e "$work/failed" ]; then
	sed 's/^/== failed: /' "$work/failed"
	exit 1
fi
echo "== all tests passed"
