#!/bin/bash
# Tests build/windows under Wine: a smoke test only. Wine reports few PIDs and no
# times, has no System process and shows no toasts.
set -euo pipefail

out=build/windows
if [ -z "${PORTHOLE_BUILT:-}" ]; then
	echo "== build the tests, without C"
	for p in monitor/socket monitor/process monitor/owner app/ipc; do
		CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go test -tags "$TAGS" -c -o "$out/$(basename "$p").test.exe" "./$p"
	done
	# Use a network namespace of its own if that is allowed: Wine's socket table
	# fails if thousands of other sockets come and go.
	export PORTHOLE_BUILT=1
	if [ "$(id -u)" = 0 ] && unshare --net true 2>/dev/null; then
		exec unshare --net sh -c 'ip link set lo up && exec "$0"' "$0"
	fi
fi

work=$(mktemp -d)
listener= xvfb=
finish() {
	[ -z "$listener" ] || kill "$listener" 2>/dev/null || true
	[ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
	wineserver -k 2>/dev/null || true # only the one of this WINEPREFIX
	wineserver -w 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
unset DISPLAY WAYLAND_DISPLAY
export WINEPREFIX=$work/prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml="
wine=$(command -v wine64 || command -v wine || echo /usr/lib/wine/wine64)
PATH=$PATH:/usr/lib/wine # for wineserver on Debian
echo "== $("$wine" --version)"
"$wine" wineboot --init >/dev/null 2>&1

# Every Go program gets random numbers from bcryptprimitives.dll, which Wine has
# only since version 9.
system32=$WINEPREFIX/drive_c/windows/system32
if [ ! -e "$system32/bcryptprimitives.dll" ]; then
	x86_64-w64-mingw32-gcc -shared -O2 -s -o "$system32/bcryptprimitives.dll" packaging/windows/bcryptprimitives.c -ladvapi32
fi
echo "== the memory layout of the socket tables matches the Windows headers"
x86_64-w64-mingw32-gcc -Wall -Werror -fsyntax-only packaging/windows/iphlpapi-layout.c

echo "== tests of the monitor and of the protocol between the processes"
root=$PWD
run() {
	local name=${1##*/}
	(cd "$1" && "$wine" "$root/$out/$name.test.exe" -test.timeout 5m -test.v "${@:2}") >"$work/$name.log" 2>&1 || {
		cat "$work/$name.log"
		exit 1
	}
	echo "$name: $(grep -c '^--- PASS' "$work/$name.log") passed, $(grep -c '^--- SKIP' "$work/$name.log") skipped"
	grep -A1 '^=== RUN' "$work/$name.log" | grep -E '^ +[a-z_]+\.go:' || true # the reasons for skipping
}
run monitor/socket
run monitor/process -test.run 'OfWindows|ProcessList' # Wine 8 cannot remove temporary folders
run monitor/owner
run app/ipc

echo "== the program lists a listener of this machine"
coproc LISTENER { exec perl -MIO::Socket::INET -e '$| = 1;
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die "listen: $!";
	print $s->sockport, "\n"; sleep 600'; }
listener=$LISTENER_PID
read -r port <&"${LISTENER[0]}"
"$wine" "$out/porthole.exe" list --json --all >"$work/list.json"
grep -q "\"port\":$port,\"addresses\":\[\"127.0.0.1\"\],\"exposure\":\"loopback\"" "$work/list.json" || {
	echo "porthole.exe does not list port $port:" >&2
	cat "$work/list.json" >&2
	exit 1
}
"$wine" "$out/porthole.exe" list "$port" | grep -w "$port"
"$wine" "$out/porthole.exe" who "$port" | tee "$work/who" | head -2
grep -q "address  *127.0.0.1 (loopback)" "$work/who"
"$wine" "$out/porthole.exe" explain "127.0.0.1:$port" >"$work/explain"
grep -q "is the loopback address" "$work/explain"
"$wine" "$out/porthole.exe" doctor >"$work/doctor" || true # exit status 1 if anything is missing
grep -E "Listening ports +iphlpapi" "$work/doctor"
kill "$listener"
wait "$listener" 2>/dev/null || true
listener=
"$wine" "$out/porthole.exe" list --json --all >"$work/list.json"
if grep -q "\"port\":$port," "$work/list.json"; then
	echo "porthole.exe still lists port $port after it was closed" >&2
	exit 1
fi

echo "== the agent without a console, its window, and the named pipe between them"
coproc DISPLAYS { exec Xvfb -displayfd 1 -screen 0 1280x900x24 2>/dev/null; }
xvfb=$DISPLAYS_PID
read -r number <&"${DISPLAYS[0]}"
export DISPLAY=:$number
"$wine" "$out/portholew.exe" >"$work/agent.log" 2>&1 &
agent=$!
colours() { import -window root "$out/window.png" 2>/dev/null && identify -format %k "$out/window.png"; }
shown=
for _ in $(seq 60); do
	if [ "$(colours)" -gt 200 ]; then shown=1 && break; fi # antialiased text has that many
	sleep 0.5
done
[ -n "$shown" ] || { echo "no window appeared within 30 s; see $out/window.png" >&2; cat "$work/agent.log" >&2; exit 1; }
"$wine" "$out/porthole.exe" doctor >"$work/doctor" || true
grep -E "Running Porthole +responds" "$work/doctor"
timeout 20 "$wine" "$out/porthole.exe" quit
timeout 20 tail --pid "$agent" -f /dev/null || { echo "the agent did not end within 20 s" >&2; exit 1; }
wait "$agent"
echo "the window is in $out/window.png"
echo "== all tests under Wine passed"
