package process

import (
	"porthole/monitor"
	"porthole/ui/words"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"
)

// resourceMeter formats the resources of a process and computes its CPU share from one
// poll to the next. The zero value is ready to use.
type resourceMeter struct {
	since time.Time     // time of the poll from which the share is computed
	cpu   time.Duration // CPU time at since
	share float64       // percent of a core; -1 until known
}

// minShareInterval is the shortest time over which the share is computed: the kernel
// counts CPU time in hundredths of a second.
const minShareInterval = 900 * time.Millisecond

// update returns the text for resources read at a time: "12 threads · 48 MB memory · 3%
// of a core". Unknown values are left out; it returns "" if none is known.
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
