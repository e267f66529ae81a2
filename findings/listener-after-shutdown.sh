#!/bin/sh
# A TCP listener after shutdown(2): does its port stay taken?
#
# Packages: golang.org/x/sys v0.44.0 (Go 1.26); kernel seen: Linux 6.18.
# Expected: shutdown(fd, SHUT_RD) on a listener either keeps the port until
#   close(2), or gives it back. Which one does not depend on how the port was chosen.
# Behaviour: it depends on bind(2). A listener that asked for its port by number
#   keeps it: the socket is in state CLOSE, bind(2) by others fails with EADDRINUSE,
#   and ss(8) shows nothing. A listener that asked for port 0 loses the port at
#   once, although the descriptor is still open.
#   Cause: bind(2) sets SOCK_BINDPORT_LOCK only for a port that was asked for by
#   number (net/ipv4/af_inet.c), and tcp_set_state(TCP_CLOSE) gives back every
#   port without it (net/ipv4/tcp.c).
# Output seen:
#   bound by number: after shutdown another bind fails: address already in use
#   bound to port 0: after shutdown another bind succeeds
# Exits with 1 if that changes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'END'
package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func check(err error) {
	if err != nil {
		fmt.Println("unexpected:", err)
		os.Exit(1)
	}
}

func bound(port int) (fd, got int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	check(err)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fd, 0, err
	}
	name, err := unix.Getsockname(fd)
	check(err)
	return fd, name.(*unix.SockaddrInet4).Port, nil
}

// afterShutdown returns what a second bind gets.
func afterShutdown(port int) error {
	fd, got, err := bound(port)
	check(err)
	check(unix.Listen(fd, 1))
	check(unix.Shutdown(fd, unix.SHUT_RD))
	other, _, err := bound(got)
	unix.Close(other)
	unix.Close(fd)
	return err
}

func main() {
	fd, free, err := bound(0)
	check(err)
	unix.Close(fd)
	byNumber, byKernel := afterShutdown(free), afterShutdown(0)
	fmt.Printf("bound by number: after shutdown another bind fails: %v\n", byNumber)
	if byKernel == nil {
		fmt.Println("bound to port 0: after shutdown another bind succeeds")
	}
	if !errors.Is(byNumber, unix.EADDRINUSE) || byKernel != nil {
		fmt.Println("this has changed:", byNumber, byKernel)
		os.Exit(1)
	}
}
END
go mod init finding >/dev/null 2>&1
go get golang.org/x/sys@v0.44.0 >/dev/null 2>&1
CGO_ENABLED=0 go run .
