#!/bin/bash
# Tests the program as it is built without C in a root directory that has no X or
# OpenGL library: the command line and the agent. Removes all that it creates there.
#
#	unshare --mount packaging/test-nowindow.sh ROOT
set -euo pipefail
root=$1
if find "$root" -xdev \( -name 'lib*GL*.so*' -o -name 'libX*.so*' -o -name 'libxcb*.so*' -o -name 'libwayland*.so*' \) | grep .; then
	echo "ROOT contains these libraries" >&2
	exit 1
fi
mkdir "$root/alone" "$root/alone/run"
chmod 700 "$root/alone/run"
CGO_ENABLED=0 go build -trimpath -o "$root/alone/porthole" .
mount -t proc proc "$root/proc"
dbus-daemon --session --nofork --nopidfile --address="unix:path=$root/alone/bus" 2>"$root/alone/bus.log" &
bus=$! listener=
finish() { # if a test failed, its agent ends with the bus
	kill "$bus"
	[ -z "$listener" ] || kill "$listener"
	wait
	rm -rf "$root/alone"
}
trap finish EXIT
within() {
	chroot "$root" env -i PATH=/usr/bin:/bin HOME=/alone XDG_RUNTIME_DIR=/alone/run DBUS_SESSION_BUS_ADDRESS=unix:path=/alone/bus "$@"
}
porthole() { within /alone/porthole "$@"; }
met() { # wait until a command succeeds, at most ten seconds
	for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
	echo "timed out: $*" >&2
	cat "$root/alone/.local/state/porthole/porthole.log" >&2 || true
	return 1
}
recorded() { porthole history "$port" | grep "$1" >/dev/null; } # not grep -q, which would break the pipe

met test -S "$root/alone/bus"
porthole --hidden &
agent=$!
met test -S "$root/alone/run/porthole/agent.sock"
coproc LISTENER { exec chroot "$root" perl -MIO::Socket::INET -e '$| = 1;
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die "listen: $!";
	print $s->sockport, "\n"; <STDIN>'; }
listener=$LISTENER_PID
read -r port <&"${LISTENER[0]}"
porthole list "$port" | grep -w "$port"
porthole who "$port" | grep perl >/dev/null
met recorded opened
kill "$listener"
listener=
met recorded closed
porthole wait "$port" --closed
porthole doctor >"$root/alone/doctor" || true # exit status 1 if anything is missing
grep -q "this build has no window" "$root/alone/doctor"
porthole --hidden # a second start succeeds too
porthole quit
wait "$agent"
