#!/bin/sh
# The kernel counts the listeners of its process connector (drivers/connector/cn_proc.c) and
# does not notice when one closes its socket without PROC_CN_MCAST_IGNORE: from then on it
# composes an event for each fork, exec and exit until the next boot. Seen on Linux 6.18.
#
# A process in a user namespace shows it. Its own request is ignored without an error, but
# it has joined the group: it gets the events that the kernel composes for others, without
# a filter and with the PIDs of the first PID namespace. So a probe must check that the
# filter works, too. Porthole gives its events up before it closes a socket.
#
# Needs python3, Linux 6.6 and user namespaces. It leaves one listener more in the kernel's
# count, as every program does that is killed.
set -eu
listener='
import socket, struct, subprocess, sys, time
s = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 11)  # NETLINK_CONNECTOR
s.bind((0, 1))                                               # CN_IDX_PROC
s.settimeout(1)
body = struct.pack("=II", 1, 2)                              # PROC_CN_MCAST_LISTEN, PROC_EVENT_EXEC
data = struct.pack("=IIIIHH", 1, 1, 0, 0, len(body), 0) + body
s.send(struct.pack("=IHHII", 16 + len(data), 3, 0, 0, 0) + data)
subprocess.run(["true"])
seen, end = set(), time.monotonic() + 1
try:
    while time.monotonic() < end:
        seen.add(struct.unpack_from("=I", s.recv(4096), 36)[0])
except TimeoutError:
    pass
print(sys.argv[1] + ":", sorted(hex(kind) for kind in seen) or "no events")
'
echo "0x1 is a fork, 0x2 an exec, 0x80000000 an exit."
python3 -c "$listener" "a listener for execs, which closes its socket without giving up"
unshare --user python3 -c "$listener" "a process in a user namespace, while nobody listens"
