package notify

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestABeeepThatHangsKeepsOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		answer := make(chan error)
		p := NewPortable()
		p.show = func(string, string, any) error { calls.Add(1); return <-answer }
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), deliveryTimeout)
			if err := p.Notify(ctx, Notification{Title: "hangs"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Notify: %v, want the deadline", err)
			}
			cancel()
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls hang, want one", n)
		}
		answer <- nil // the service wakes up
		synctest.Wait()
		p.show = func(string, string, any) error { return nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Notify(ctx, Notification{Title: "again"}); err != nil {
			t.Errorf("Notify after the service woke up: %v", err)
		}
	})
}

func TestTextsThatAFallBackWouldRunAreHarmless(t *testing.T) {
	var title, body string
	p := NewPortable()
	p.show = func(a, b string, _ any) error { title, body = a, b; return nil }
	if err := p.Notify(t.Context(), Notification{Title: "$(reboot)", Body: "`id` ]]>"}); err != nil {
		t.Fatal(err)
	}
	if title != "＄(reboot)" || body != "'id' ]] >" {
		t.Errorf("shown as %q, %q", title, body)
	}
}
