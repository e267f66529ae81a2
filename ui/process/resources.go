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
	since time.Time // of the look from which the share is counted
	cpu   time.Duration
	share float64 // of a core, in percent; -1 until known
}

// minShareInterval is the time over which CPU time is counted at the least: the kernel
// counts it in hundredths of a second.
const minShareInterval = 900 * time.Millisecond

// update returns the words for u, as a look at that time told it: "12 threads · 48
// MB of memory · 3 % of a core"; what is not known is left out.
func (m *resourceMeter) update(at time.Time, u monitor.Resources) string {
	if u == (monitor.Resources{}) {
		*m = resourceMeter{}
		return ""
	}
	over := at.Sub(m.since)
	switch {
	case m.since.IsZero() || over < 0 || u.CPU < m.cpu:
		m.since, m.cpu, m.share = at, u.CPU, -1
	case over >= minShareInterval:
		m.share = 100 * float64(u.CPU-m.cpu) / float64(over)
		m.since, m.cpu = at, u.CPU
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
