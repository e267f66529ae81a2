#!/bin/sh
# Runs a command in a network namespace of its own, in which no other program opens
# sockets. Only root can create one: for other users it just runs the command.
#
#	packaging/isolated.sh COMMAND [ARGUMENT ...]
set -eu
[ "$(id -u)" = 0 ] || exec "$@"
exec unshare --net sh -c 'ip link set lo up; exec "$@"' sh "$@"
