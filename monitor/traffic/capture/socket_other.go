//go:build !linux

package capture

import "errors"

// loopback is the name of the loopback interface of BSD and macOS.
const loopback = "lo0"

// errNoSocket means that only programs can capture on this system.
var errNoSocket = errors.New("packet sockets exist on Linux only")

func openSocket(Options) (handle, error) { return nil, errNoSocket }

func isDenied(error) bool { return true }
