#!/bin/sh
# Can a user see which port his own service has that may open port 80?
#
# Packages: util-linux (setpriv), python3, lsof, iproute2 (ss); seen with util-linux
#   2.38.1, lsof 4.95.0, iproute2 6.1.0, Linux 6.18. Run as root.
# Expected: a process of one's own can be inspected; if the system protects it, as it does
#   programs with file capabilities or setgid, /proc/PID/fd belongs to root, cannot be
#   opened, and a tool can tell that by the owner of /proc/PID (proc(5)).
# Behaviour: a service that was started with an ambient capability (AmbientCapabilities=
#   in its unit) stays "dumpable". /proc/PID and /proc/PID/fd belong to its user, who may
#   list all descriptors; but following any of them fails with EACCES, since he lacks the
#   capability (ptrace(2), access mode PTRACE_MODE_READ_FSCREDS). So ss -p prints the
#   socket without a process, lsof prints nothing, and neither says why.
# Output seen:
#   fd: owner nobody, can be listed, 0 of 4 links can be read
#   ss -tlnp: the socket, no process
#   lsof: nothing
# Exits with 1 if that changes.
set -eu
[ "$(id -u)" = 0 ] || { echo "run as root: it starts a service of another user" >&2; exit 2; }
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
dir=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +net_bind_service --ambient-caps +net_bind_service \
	/usr/bin/python3 -uc 'import socket, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1]); time.sleep(30)' >"$dir/port" 2>/dev/null </dev/null &
pid=$!
while [ ! -s "$dir/port" ]; do sleep 0.1; done
port=$(cat "$dir/port")

failed=0
check() { # check WHAT GOT WANT
	echo "$1: $2"
	[ "$2" = "$3" ] || { echo "this has changed: expected $3"; failed=1; }
}
listed=$(as_nobody ls "/proc/$pid/fd" | wc -l)
read=$(for fd in $(as_nobody ls "/proc/$pid/fd"); do as_nobody readlink "/proc/$pid/fd/$fd" || true; done | wc -l)
able=$([ "$listed" -gt 0 ] && echo "can be listed" || echo "cannot be listed")
check fd "owner $(stat -c %U "/proc/$pid/fd"), $able, $read of 4 links can be read" "owner nobody, can be listed, 0 of 4 links can be read"
found=$(as_nobody ss -Htlnp "sport = :$port")
check "ss -tlnp" "$(case $found in *users:*) echo "the socket and its process" ;; *":$port"*) echo "the socket, no process" ;; *) echo nothing ;; esac)" "the socket, no process"
check lsof "$(as_nobody lsof -nP -iTCP:"$port" -sTCP:LISTEN 2>&1 | grep -c "$port" | sed 's/^0$/nothing/')" nothing
exit $failed
