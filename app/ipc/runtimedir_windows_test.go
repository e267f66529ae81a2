package ipc

import (
	"testing"

	"github.com/Microsoft/go-winio"
)

func TestAPipeOfSomeoneElseIsNotUsed(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", shortTempDir(t))
	place, err := OpenRuntimeDir()
	if err != nil {
		t.Fatal(err)
	}
	me, err := currentUser()
	if err != nil {
		t.Fatal(err)
	}
	for owner, used := range map[string]bool{me.String(): true, "SY": false} { // SY: the system itself
		l, err := winio.ListenPipe(place.pipe(), &winio.PipeConfig{SecurityDescriptor: "O:" + owner + "D:P(A;;GA;;;WD)"})
		if err != nil {
			t.Skipf("a pipe of %s's cannot be made here: %v", owner, err)
		}
		accepted := make(chan struct{})
		go func() {
			defer close(accepted)
			for { // until l is closed
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		}()
		c, err := place.dial()
		if (err == nil) != used {
			t.Errorf("a pipe of %s's: %v; want it used: %v", owner, err, used)
		}
		if err == nil {
			_ = c.Close()
		}
		_ = l.Close()
		<-accepted
	}
}
