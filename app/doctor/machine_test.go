package doctor

import (
	"strings"
	"testing"
)

// Without process events crashes are known through pidfds only, or not at all.
func TestExitsWithoutEvents(t *testing.T) {
	for byPidfd, want := range map[bool]string{true: "crashes are known only of the first 128 owners", false: "crashes are shown as closes"} {
		if got := exitsWithoutEvents(byPidfd); !strings.HasPrefix(got, want) || strings.Contains(got, ". ") {
			t.Errorf("pidfd %t: got %q, want one clause that begins with %q", byPidfd, got, want)
		}
	}
}
