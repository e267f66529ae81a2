package child

import (
	"os/exec"
	"sync"
	"testing"
)

// StartChurn starts short-lived processes, n at a time, until the test ends.
func StartChurn(t *testing.T, n int) {
	stop := make(chan struct{})
	var loops sync.WaitGroup
	for range n {
		loops.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command("/bin/true").Run() // it may be missing
				}
			}
		})
	}
	t.Cleanup(func() {
		close(stop)
		loops.Wait()
	})
}
