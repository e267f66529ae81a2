package e2e

import (
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// On a complete desktop doctor succeeds and names what it found.
func TestDoctor(t *testing.T) {
	d := startDesk(t, desktop.DefaultOptions())
	out, err := d.Command(d.bin, "doctor").CombinedOutput()
	if err != nil {
		t.Errorf("porthole doctor: %v", err)
	}
	for _, want := range []string{"dunst", cliTrayFound, "X11, " + d.Display()} {
		if !strings.Contains(string(out), want) {
			t.Errorf("porthole doctor printed no %q:\n%s", want, out)
		}
	}
}
