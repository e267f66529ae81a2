// Package await waits in tests for what must happen soon and sends no event. Only tests
// import it.
package await

import (
	"net"
	"testing"
	"time"
)

// limit is long enough for a busy machine. Only a test that fails waits so long.
const limit = time.Minute

// Until waits until ok returns true, which it calls every 10 ms. After a minute it fails
// the test; details are added to the message.
func Until(t testing.TB, what string, ok func() bool, details ...func() any) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().Before(end) {
			continue
		}
		var more []any
		for _, f := range details {
			more = append(more, f())
		}
		t.Fatalf("waited %v until %s %v", limit, what, more)
	}
}

// Listener waits until a TCP server accepts connections at address.
func Listener(t testing.TB, address string) {
	t.Helper()
	Until(t, "something listens on "+address, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}
