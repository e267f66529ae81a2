package process

import (
	"fmt"
	"testing"
	"time"

	"porthole/internal/await"
)

// A read that never ends costs its result, not the caller; the same read is not tried
// again until it ends, and the number of such reads is limited.
func TestReadWithin(t *testing.T) {
	block := make(chan struct{})
	hang := func() string { <-block; return "late" }
	for i := range maxHanging + 4 {
		if got := readWithin(fmt.Sprint("folder ", i), hang); got != "" {
			t.Fatalf("got %q from a read that hangs", got)
		}
	}
	hanging.Lock()
	n := len(hanging.keys)
	hanging.Unlock()
	if n != maxHanging {
		t.Errorf("%d reads hang, want %d", n, maxHanging)
	}
	begin := time.Now()
	if got := readWithin("folder 0", func() string { return "again" }); got != "" || time.Since(begin) >= readDeadline {
		t.Errorf("got %q after %v; want nothing, at once", got, time.Since(begin))
	}
	close(block)
	await.Until(t, "the folder is read again, after it answered", func() bool {
		return readWithin("folder 0", func() string { return "again" }) == "again"
	})
}
