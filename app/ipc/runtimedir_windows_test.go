package ipc

import (
	"testing"

	"github.com/Microsoft/go-winio"
)

func TestDialRejectsAForeignPipe(t *testing.T) {
	dir := openTestDir(t)
	me, err := currentUser()
	if err != nil {
		t.Fatal(err)
	}
	for owner, accepted := range map[string]bool{me.String(): true, "SY": false} { // SY: the system account
		l, err := winio.ListenPipe(dir.pipe(), &winio.PipeConfig{SecurityDescriptor: "O:" + owner + "D:P(A;;GA;;;WD)"})
		if err != nil {
			t.Skipf("can't create a pipe owned by %s: %v", owner, err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for { // until l is closed
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		}()
		c, err := dir.dial()
		if (err == nil) != accepted {
			t.Errorf("pipe owned by %s: got error %v, want accepted %t", owner, err, accepted)
		}
		if err == nil {
			_ = c.Close()
		}
		_ = l.Close()
		<-done
	}
}
