package desktop

import (
	"slices"
	"testing"
)

func TestChildEnvironHasTheUsersScale(t *testing.T) {
	t.Setenv(ScaleVariable, "1.50") // by the zoom
	t.Setenv("PORTHOLE_OTHER", "kept")
	before, had := scaleAtStart, hasScaleAtStart
	t.Cleanup(func() { scaleAtStart, hasScaleAtStart = before, had })
	for _, c := range []struct {
		scale string
		has   bool
	}{{"", false}, {"2", true}} {
		scaleAtStart, hasScaleAtStart = c.scale, c.has
		env := ChildEnviron()
		if slices.Contains(env, ScaleVariable+"=1.50") || !slices.Contains(env, "PORTHOLE_OTHER=kept") {
			t.Errorf("scale %q: got %q, want it without the zoom", c.scale, env)
		}
		if got := slices.Contains(env, ScaleVariable+"="+c.scale); got != c.has {
			t.Errorf("scale %q: got it %v, want %v", c.scale, got, c.has)
		}
	}
}
