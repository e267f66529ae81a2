package sockevents

import (
	"net"
	"os"
	"testing"

	"porthole/monitor/process/child"
)

func TestMain(m *testing.M) { child.Main(m, map[string]func(){"connect": connect}) }

// connect connects to the address in the argument, until the test closes its input.
func connect() {
	c, err := net.Dial("tcp", os.Args[1])
	if err != nil {
		child.Fail(err)
	}
	defer c.Close()
	child.Wait()
}
