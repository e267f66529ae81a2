//go:build !linux

package ipc

import (
	"errors"
	"net"
	"os"
)

// peer is the process at the other end of a connection.
type peer struct{ pid int }

// peerOf fails: only Linux is asked for the process.
func peerOf(net.Conn) (peer, error) {
	return peer{}, errors.New("this system does not name the process of a connection")
}

// checkPeer accepts every peer: access is restricted by the permissions of the
// runtime directory, on Windows by the access control list of the pipe.
func checkPeer(net.Conn) error { return nil }

// peerProgram returns this program's file, "" if it is unknown: an update replaces
// it at the same path. A program that only the peer names is not started.
func peerProgram(net.Conn) string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}
