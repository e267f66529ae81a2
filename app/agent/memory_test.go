package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestReleaseRegularly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*releaseInterval+time.Second)
		defer cancel()
		releases := 0
		releaseRegularly(ctx, func() error { releases++; return nil }, func(err error) { t.Error(err) })
		if releases != 4 {
			t.Errorf("got %d releases in three intervals, want 4", releases)
		}
		broken := errors.New("broken")
		var got error
		releases = 0
		releaseRegularly(t.Context(), func() error { releases++; return broken }, func(err error) { got = err })
		if releases != 1 || got != broken {
			t.Errorf("a failure: got %d releases and the error %v, want one and %v", releases, got, broken)
		}
	})
}
