package desktop

import (
	"slices"
	"testing"
)

func TestChildEnvironHasTheUsersScale(t *testing.T) {
	t.Setenv(ScaleVariable, "1.50") // by the zoom
	t.Setenv(NoDPIVariable, "true") // by the window
	t.Setenv("PORTHOLE_OTHER", "kept")
	before := atStart
	t.Cleanup(func() { atStart = before })
	for _, own := range [][]string{nil, {ScaleVariable + "=2"}} {
		atStart = own
		env := ChildEnviron()
		for _, set := range []string{ScaleVariable + "=1.50", NoDPIVariable + "=true"} {
			if slices.Contains(env, set) {
				t.Errorf("own %q: got %q, want it without the window's %s", own, env, set)
			}
		}
		for _, want := range append(own, "PORTHOLE_OTHER=kept") {
			if !slices.Contains(env, want) {
				t.Errorf("own %q: got %q, want %s in it", own, env, want)
			}
		}
	}
}
