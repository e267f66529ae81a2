package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The output of a process is known if it goes to a file.
func TestOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.log")
	log, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for want, set := range map[string]func(*exec.Cmd){
		path: func(c *exec.Cmd) { c.Stdout = log },
		"":   func(*exec.Cmd) {}, // /dev/null
	} {
		c := exec.Command("sleep", "60")
		set(c)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		o, err := Info(c.Process.Pid)
		_ = c.Process.Kill()
		_ = c.Wait()
		if err != nil || o.Output != want {
			t.Errorf("got %q, %v; want %q", o.Output, err, want)
		}
	}
}
