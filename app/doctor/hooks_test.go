package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"porthole/app/ipc"
	"porthole/monitor/watch"
)

func TestHooks(t *testing.T) {
	plain := watch.Default()[0]
	hook := plain
	hook.Run = []string{"/home/a/s3cret"}
	off := hook
	off.Off = true
	failed := time.Date(2026, 11, 26, 10, 20, 30, 0, time.Local)
	for _, test := range []struct {
		status  ipc.Status
		want    Status
		message string
	}{
		{ipc.Status{Watches: watch.Rules{plain, off}}, "", ""},
		{ipc.Status{Watches: watch.Rules{plain, hook}}, OK, "command or URL: 1; none failed"},
		{ipc.Status{Watches: watch.Rules{hook, hook}, HookFailedAt: failed}, Warning, "command or URL: 2; the last failure was at 2026-11-26 10:20:30"},
	} {
		got := slices.Concat(hooks(test.status), []Finding{{}})[0]
		if got.Status != test.want || !strings.Contains(got.Message, test.message) || got.Status == Warning && got.Fix == "" || strings.Contains(got.Message+got.Fix, "s3cret") {
			t.Errorf("got %+v, want status %q and %q", got, test.want, test.message)
		}
	}
}
