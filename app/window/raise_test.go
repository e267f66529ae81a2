//go:build cgo

package window

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// On Wayland the window is mapped again unless it gets the focus otherwise.
func TestRaiseOnWayland(t *testing.T) {
	for _, c := range []struct {
		name    string
		token   string
		focused bool          // from the start
		accepts time.Duration // the compositor gives the focus for the token after this time; 0: never
		want    []string
		mapped  time.Duration // when the window was mapped again; 0: not at all
	}{
		{name: "it has the focus", token: "t", focused: true},
		{name: "no token", want: []string{"map again"}},
		{name: "a token", token: "t", accepts: 30 * time.Millisecond, want: []string{"activate t"}},
		{name: "a slow compositor", token: "t", accepts: activationTime - 1, want: []string{"activate t"}},
		{name: "a token that is refused", token: "t", want: []string{"activate t", "map again"}, mapped: activationTime},
		{name: "a compositor without tokens", token: "none", want: []string{"activate none", "map again"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var did []string
			var mapped time.Duration
			var focused atomic.Bool // set by a timer
			focused.Store(c.focused)
			r := waylandRaiser{
				focused: focused.Load,
				activate: func(token string) bool {
					if token == "" {
						return false
					}
					did = append(did, "activate "+token)
					if c.accepts > 0 {
						time.AfterFunc(c.accepts, func() { focused.Store(true) })
					}
					return token != "none"
				},
				mapAgain: func() {
					did = append(did, "map again")
					mapped = time.Since(began)
				},
				do: func(f func()) { f() },
			}
			r.raise(c.token)
			time.Sleep(2 * activationTime)
			synctest.Wait()
			if !slices.Equal(did, c.want) || mapped != c.mapped {
				t.Errorf("%s: got %q, mapped again after %v; want %q after %v", c.name, did, mapped, c.want, c.mapped)
			}
		})
	}
}
