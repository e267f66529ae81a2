package notify

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPortableRunsOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		answer := make(chan error)
		p := NewPortable()
		p.show = func(string, string, any) error { calls.Add(1); return <-answer }
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), deliveryTimeout)
			if err := p.Notify(ctx, Notification{Title: "hangs"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Notify: got error %v, want %v", err, context.DeadlineExceeded)
			}
			cancel()
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("got %d pending calls, want 1", n)
		}
		answer <- nil // the notification service responds at last
		synctest.Wait()
		p.show = func(string, string, any) error { return nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Notify(ctx, Notification{Title: "again"}); err != nil {
			t.Errorf("Notify after the service responded: %v", err)
		}
	})
}

func TestPortableEscapesCode(t *testing.T) {
	var title, body string
	p := NewPortable()
	p.show = func(a, b string, _ any) error { title, body = a, b; return nil }
	if err := p.Notify(t.Context(), Notification{Title: "$(reboot)", Body: "`id` ]]>"}); err != nil {
		t.Fatal(err)
	}
	if title != "＄(reboot)" || body != "'id' ]] >" {
		t.Errorf("got title %q and body %q, want both escaped", title, body)
	}
}

func TestLeadingDashIsNotAnOption(t *testing.T) {
	if got := escapeScript("--help is now on 80"); strings.HasPrefix(got, "-") {
		t.Errorf("escapeScript: got %q, want no leading dash", got)
	}
}
