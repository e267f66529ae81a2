#!/bin/bash
# Builds the command line and the agent for Windows and tests under Wine what
# can be tested there: a smoke test, no more. Wine tells few PIDs, no times, and
# has no System process.
set -euo pipefail

out=build/windows
if [ -z "${PORTHOLE_BUILT:-}" ]; then
	echo "== build for Windows, without C"
	mkdir -p "$out"
	export CGO_ENABLED=0 GOOS=windows GOARCH=amd64
	go build -trimpath -tags "$TAGS" -o "$out/porthole.exe" .
	for p in socket process owner; do
		go test -tags "$TAGS" -c -o "$out/$p.test.exe" "./monitor/$p"
	done
	# Alone, where that is allowed: sockets of others that come and go by the
	# thousand make Wine's table fail.
	export PORTHOLE_BUILT=1
	if [ "$(id -u)" = 0 ] && unshare --net true 2>/dev/null; then
		exec unshare --net sh -c 'ip link set lo up && exec "$0"' "$0"
	fi
fi

work=$(mktemp -d)
listener=
finish() {
	[ -z "$listener" ] || kill "$listener" 2>/dev/null || true
	wineserver -k 2>/dev/null || true # this prefix's alone
	wineserver -w 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
unset DISPLAY WAYLAND_DISPLAY
export WINEPREFIX=$work/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml="
wine=$(command -v wine64 || command -v wine || echo /usr/lib/wine/wine64)
PATH=$PATH:/usr/lib/wine # wineserver's, on Debian
echo "== $("$wine" --version)"
"$wine" wineboot --init >/dev/null 2>&1

# Every Go program takes its random numbers from bcryptprimitives.dll, which
# Wine has from version 9 on.
system32=$WINEPREFIX/drive_c/windows/system32
if [ ! -e "$system32/bcryptprimitives.dll" ]; then
	x86_64-w64-mingw32-gcc -shared -O2 -s -o "$system32/bcryptprimitives.dll" packaging/bcryptprimitives.c -ladvapi32
fi
echo "== the tables lie in memory as the headers have them"
x86_64-w64-mingw32-gcc -Wall -Werror -fsyntax-only packaging/iphlpapi-layout.c

echo "== tests of the monitor"
root=$PWD
run() {
	(cd "monitor/$1" && "$wine" "$root/$out/$1.test.exe" -test.timeout 5m -test.v "${@:2}") >"$work/$1.log" 2>&1 || {
		cat "$work/$1.log"
		exit 1
	}
	echo "$1: $(grep -c '^--- PASS' "$work/$1.log") passed, $(grep -c '^--- SKIP' "$work/$1.log") skipped"
	grep -A1 '^=== RUN' "$work/$1.log" | grep -E '^ +[a-z_]+\.go:' || true # why
}
run socket
run process -test.run 'OfWindows|ListOfProcesses' # temporary folders cannot be removed in Wine 8
run owner

echo "== the program sees a listener of this machine"
coproc LISTENER { exec perl -MIO::Socket::INET -e '$| = 1;
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die "listen: $!";
	print $s->sockport, "\n"; sleep 600'; }
listener=$LISTENER_PID
read -r port <&"${LISTENER[0]}"
"$wine" "$out/porthole.exe" list --json --all >"$work/list.json"
grep -q "\"port\":$port,\"addresses\":\[\"127.0.0.1\"\],\"reach\":\"machine\"" "$work/list.json" || {
	echo "porthole.exe does not list port $port:" >&2
	cat "$work/list.json" >&2
	exit 1
}
"$wine" "$out/porthole.exe" list "$port" | grep -w "$port"
kill "$listener"
wait "$listener" 2>/dev/null || true
listener=
"$wine" "$out/porthole.exe" list --json --all >"$work/list.json"
if grep -q "\"port\":$port," "$work/list.json"; then
	echo "porthole.exe still lists port $port, which is closed" >&2
	exit 1
fi
echo "== what can be tested under Wine passed"
