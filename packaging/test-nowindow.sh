#!/bin/bash
# In a root without any library of X or OpenGL: the command line and the agent
# of the program as it is built without C. Leaves nothing there.
#
#	unshare --mount packaging/test-nowindow.sh ROOT
set -euo pipefail
root=$1
if find "$root" -xdev \( -name 'lib*GL*.so*' -o -name 'libX*.so*' -o -name 'libxcb*.so*' -o -name 'libwayland*.so*' \) | grep .; then
	echo "these libraries are there" >&2
	exit 1
fi
mkdir "$root/alone" "$root/alone/run"
chmod 700 "$root/alone/run"
CGO_ENABLED=0 go build -trimpath -o "$root/alone/porthole" .
mount -t proc proc "$root/proc"
dbus-daemon --session --nofork --nopidfile --address="unix:path=$root/alone/bus" 2>"$root/alone/bus.log" &
bus=$! listener=
finish() { # an agent that a failure has left ends with its bus
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
met() { # until a command succeeds, for ten seconds
	for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
	echo "not in time: $*" >&2
	cat "$root/alone/.local/state/porthole/porthole.log" >&2 || true
	return 1
}
remembered() { porthole history "$port" | grep "$1" >/dev/null; } # which reads all: else it would break the pipe

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
met remembered opened
kill "$listener"
listener=
met remembered closed
porthole wait "$port" --closed
porthole doctor >"$root/alone/doctor" || true # it fails where anything is missing
grep -q "this build has no window" "$root/alone/doctor"
porthole --hidden # a second start
porthole quit
wait "$agent"
