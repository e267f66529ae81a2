#!/bin/sh
# Does nohup(1) protect a Node.js server from the end of its terminal?
#
# Packages: nodejs, coreutils 9; seen with Node.js 18 and 20, Linux 6.18.
# Expected: nohup ignores SIGHUP, execve(2) keeps ignored signals ignored, so the
#   server outlives its terminal, as sleep(1) and python3 do.
# Behaviour: Node.js dies of SIGHUP. A server that "nohup node server.js &" started
#   outlives its terminal only because an interactive shell puts it into a process
#   group of its own, which the kernel does not signal; from a script (sh -c), whose
#   children share its group, it ends with the terminal. setsid(1) protects it.
#   Cause: at its start Node.js sets the dispositions of signals to SIG_DFL, "the
#   parent process may have been evil" (PlatformInit in src/node.cc).
# Output seen:
#   sleep under nohup: survives SIGHUP
#   node under nohup: ends by SIGHUP
# Exits with 1 if that changes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# Each prints "ready" when its dispositions are set.
mkfifo ready
survives() {
	nohup "$@" >ready 2>/dev/null </dev/null &
	pid=$!
	read -r _ <ready
	kill -HUP "$pid"
	kill -TERM "$pid" # the kernel delivers pending signals in the order of their numbers
	status=0
	wait "$pid" || status=$?
	[ "$status" = 143 ] # SIGTERM, not SIGHUP
}

failed=0
if survives sh -c 'echo ready; exec sleep 20'; then
	echo "sleep under nohup: survives SIGHUP"
else
	echo "this has changed: sleep under nohup ends by SIGHUP"
	failed=1
fi
if survives node -e 'console.log("ready"); setTimeout(() => {}, 20000)'; then
	echo "this has changed: node under nohup survives SIGHUP"
	failed=1
else
	echo "node under nohup: ends by SIGHUP"
fi
exit $failed
