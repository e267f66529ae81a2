#!/bin/sh
# Does the kernel notice that a listener of its process connector has closed its socket?
#
# Packages: python3 3.11; seen with Linux 6.18. Run as root on a machine where no other
#   program listens to process events. It leaves one listener more in the kernel's count.
# Expected: closing a netlink socket ends what it asked for, as with a multicast group.
# Behaviour: the connector counts PROC_CN_MCAST_LISTEN and PROC_CN_MCAST_IGNORE
#   (proc_event_num_listeners in drivers/connector/cn_proc.c). A socket that closes without
#   IGNORE, as that of a program that is killed, stays counted: the kernel goes on to
#   compose an event for each fork, exec and exit until the next boot. A second socket,
#   which only joins the group and asks for nothing, receives them. So a program should
#   send IGNORE before it closes, and a probe must not take events for the answer to its
#   own request.
# Output seen:
#   after the only listener closed: events arrive
# Exits with 1 if that changes.
set -eu
seen=$(python3 - <<'PY'
import socket, struct, subprocess, time

NETLINK_CONNECTOR, CN_IDX_PROC, LISTEN = 11, 1, 1


def join():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR)
    s.bind((0, CN_IDX_PROC))
    s.settimeout(1)
    return s


first = join()
body = struct.pack("=I", LISTEN)
data = struct.pack("=IIIIHH", CN_IDX_PROC, 1, 0, 0, len(body), 0) + body
first.send(struct.pack("=IHHII", 16 + len(data), 3, 0, 0, 0) + data)
first.recv(4096)  # the kernel confirms
first.close()
time.sleep(1)
second = join()
subprocess.run(["true"])
try:
    second.recv(4096)
    print("events arrive")
except TimeoutError:
    print("no events")
PY
)
echo "after the only listener closed: $seen"
[ "$seen" = "events arrive" ] || { echo "this has changed: expected that events arrive"; exit 1; }
