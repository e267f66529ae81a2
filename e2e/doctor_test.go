package e2e

import (
	"strings"
	"testing"

	"porthole/e2e/desktop"
)

// On a whole desktop nothing is ill, and the doctor names what it found.
func TestDoctorOnAWholeDesktop(t *testing.T) {
	d := boot(t, desktop.DefaultOptions())
	out, err := d.Command(d.bin, "doctor").CombinedOutput()
	if err != nil {
		t.Errorf("porthole doctor: %v", err)
	}
	for _, want := range []string{"dunst", "a panel shows tray icons", "X11, " + d.Display()} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the doctor does not say %q:\n%s", want, out)
		}
	}
}
