package process

import (
	"porthole/monitor"
	"porthole/ui/words"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"
)

// resourceMeter makes words of what a process uses, from look to look.
type resourceMeter struct {
	at    time.Time // of the look from which the share is counted
	cpu   time.Duration
	share float64 // of a core, in percent; -1 until known
}

// shareOver is the time over which CPU time is counted at the least: the kernel
// counts it in hundredths of a second.
const shareOver = 900 * time.Millisecond

// take returns the words for u, as a look at that time told it: "12 threads · 48
// MB of memory · 3 % of a core"; what is not known is left out.
func (m *resourceMeter) take(at time.Time, u monitor.Resources) string {
	if u == (monitor.Resources{}) {
		*m = resourceMeter{}
		return ""
	}
	over := at.Sub(m.at)
	switch {
	case m.at.IsZero() || over < 0 || u.CPU < m.cpu:
		m.at, m.cpu, m.share = at, u.CPU, -1
	case over >= shareOver:
		m.share = 100 * float64(u.CPU-m.cpu) / float64(over)
		m.at, m.cpu = at, u.CPU
	}
	var parts []string
	if u.Threads > 0 {
		parts = append(parts, lang.N("{{.Count}} threads", u.Threads, map[string]any{"Count": words.Number(u.Threads)}))
	}
	if u.Memory > 0 {
		parts = append(parts, lang.L("{{.Size}} memory", map[string]any{"Size": words.Size(u.Memory)}))
	}
	switch {
	case m.share < 0:
	case m.share > 0 && m.share < 1:
		parts = append(parts, lang.L("less than 1% of a core"))
	default:
		parts = append(parts, lang.L("{{.N}}% of a core", map[string]any{"N": words.Decimal(m.share, 0)}))
	}
	return strings.Join(parts, " · ")
}
