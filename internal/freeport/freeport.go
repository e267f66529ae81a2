// Package freeport finds ports that tests may use. Only tests import it.
package freeport

import (
	"net"
	"testing"
)

// Get returns a TCP port that was free at every address a moment ago: the kernel gives a
// wildcard of both address families no other.
func Get(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
