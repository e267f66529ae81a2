//go:build bench && linux

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// target is a goal for the monitor, and the result.
type target struct {
	what, want, got string
	met             bool
}

// write writes the report and the picture.
func (m *measurements) write(folder string) error {
	if err := os.WriteFile(filepath.Join(folder, "bench.svg"), []byte(m.picture()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "bench.md"), []byte(m.report()), 0o644)
}

// machine describes the machine.
func machine() string {
	system := runtime.GOOS
	if b, err := os.ReadFile("/etc/os-release"); err == nil {
		if _, after, ok := strings.Cut(string(b), `PRETTY_NAME="`); ok {
			system, _, _ = strings.Cut(after, `"`)
		}
	}
	var u unix.Utsname
	_ = unix.Uname(&u) // does not fail
	return fmt.Sprintf("%d cores, %s, kernel %s, %s", runtime.NumCPU(), system, unix.ByteSliceToString(u.Release[:]), runtime.Version())
}

func (m *measurements) report() string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	line("# Performance\n\n%s; %s. There were %d other processes with %d open files each. The run took %s.\n",
		m.begun.Format(time.DateOnly), machine(), otherProcesses, filesOfEach, m.ended.Sub(m.begun).Round(time.Second))
	line("Other programs used %.0f %% of the machine meanwhile. If that is more than a few percent, the ratios are more reliable than the times and delays.\n", 100*m.others)
	line("Medians of %d rounds in which all contestants take turns; those that take microseconds run in batches. CPU time includes all threads and started programs. "+
		"The floor is the raw sock_diag dump that a poll requests too, read but not parsed; the peers are listed below it. "+
		"The poll (the monitor knows the owners already), `/proc/net/tcp` and `ss -Hltn` do not find owners; the others do.\n", rounds)

	line("## Targets\n\n| what was measured | target | result | |\n|---|---:|---:|---|")
	for _, t := range m.targets() {
		met := "met"
		if !t.met {
			met = "**not met**"
		}
		line("| %s | %s | %s | %s |", t.what, t.want, t.got, met)
	}
	for _, r := range m.results {
		line("\n## %s\n", r.load)
		line("| | time | CPU | CPU relative to the floor | CPU relative to the best peer | allocations | rounds × batch |\n|---|---:|---:|---:|---:|---:|---:|")
		floor, peer := r.contestants[bareDump], r.bestPeer()
		for _, name := range contestants {
			c := r.contestants[name]
			allocs := "–"
			if name == ourPoll || name == ourQuiet || name == bareDump || name == gopsutil {
				allocs = number(c.allocs())
			}
			line("| %s | %s | %s | %s | %s | %s | %d × %d |", name, duration(c.wall()), duration(c.cpu()),
				ratio(c.cpu(), floor.cpu()), ratio(c.cpu(), peer.cpu()), allocs, c.rounds, c.batch)
		}
	}
	m.reportChange(line)
	return b.String()
}

// reportChange reports the cost of a port that opens or closes, and the delay until
// its event.
func (m *measurements) reportChange(line func(string, ...any)) {
	line("\n## Changes, at %s\n\n| | time | CPU |\n|---|---:|---:|", m.change.load)
	for _, name := range []string{firstOwner, fullWalk} {
		c := m.change.contestants[name]
		line("| %s | %s | %s |", name, duration(c.wall()), duration(c.cpu()))
	}
	line("\n| delay from the system call to the event | n | median | p99 | maximum |\n|---|---:|---:|---:|---:|")
	for _, d := range []struct {
		name string
		all  []time.Duration
	}{
		{"`listen()`, polling every 100 ms (as in the 3 s after a change)", m.delays.opened},
		{"`listen()`, polling every 250 ms", m.delays.openedSlow},
		{"`close()`", m.delays.closed},
	} {
		line("| %s | %d | %s | %s | %s |", d.name, len(d.all), duration(at(d.all, 50)), duration(at(d.all, 99)), duration(at(d.all, 100)))
	}
	line("\n| CPU of a poll without changes | before | with | after | growth |\n|---|---:|---:|---:|---:|")
	for _, g := range m.growths {
		line("| %s | %s | %s | %s | %+.1f %% |", g.name, duration(g.before), duration(g.with), duration(g.after), g.percent())
	}
	line("\n| running monitor, as in the agent | per second | share of a core | opened events | closed events |\n|---|---:|---:|---:|---:|")
	for _, s := range m.shares {
		line("| %s | %s | %.2f %% | %d | %d |", s.name, number(s.done), 100*s.cpu, s.opened, s.closed)
	}
}

// targets returns the targets. A missed target does not fail the run: the machine
// may be busy.
func (m *measurements) targets() (all []target) {
	add := func(met bool, what, want, got string) { all = append(all, target{what, want, got, met}) }
	allocs := 0.0
	for _, r := range m.results {
		poll, floor := r.contestants[ourPoll], r.contestants[bareDump]
		allocs = max(allocs, poll.allocs())
		if r.listeners >= 100 {
			x := over(poll.cpu(), floor.cpu())
			add(x <= 1.15, fmt.Sprintf("poll without changes, relative to a raw sock_diag dump, CPU, %s listeners", number(float64(r.listeners))), "≤ 1.15×", fmt.Sprintf("%.2f×", x))
		}
	}
	for _, r := range m.results {
		if r.load == usual {
			for _, peer := range []struct {
				name string
				want float64
			}{{gopsutil, 2000}, {ssOwners, 1000}} {
				x := over(r.contestants[peer.name].cpu(), r.contestants[ourPoll].cpu())
				add(x >= peer.want, fmt.Sprintf("`%s`, relative to a poll without changes, CPU", peer.name), "≥ "+number(peer.want)+"×", number(x)+"×")
			}
		}
	}
	add(allocs == 0, "allocations of a poll without changes", "0", number(allocs))
	for _, g := range m.growths {
		add(g.percent() <= 10, "poll without changes, CPU, "+g.name, "≤ +10 %", fmt.Sprintf("%+.1f %%", g.percent()))
	}
	x := 100 * over(m.change.contestants[firstOwner].wall(), m.change.contestants[fullWalk].wall())
	add(x <= 2.5, "one change including finding its owner, relative to a search through all processes", "≤ 2.5 %", fmt.Sprintf("%.1f %%", x))
	for _, s := range m.shares {
		if s.name == whileIdle || s.name == whileIdleMany {
			add(s.cpu <= 0.001, "running monitor, "+s.name+", of a core", "≤ 0.10 %", fmt.Sprintf("%.2f %%", 100*s.cpu))
		}
		if s.name == whileCounting {
			add(s.cpu <= 0.08, fmt.Sprintf("running monitor, %s connections a second to a watched port, each counted, of a core", number(s.done)), "≤ 8 %", fmt.Sprintf("%.1f %%", 100*s.cpu))
			missed := s.made - s.counted
			add(missed == 0 || s.atLeast && missed > 0, "connections that were not counted, without the count saying so", "0", fmt.Sprintf("%d missed, said %v", missed, s.atLeast))
		}
	}
	late := func(what string, d []time.Duration, limit time.Duration) {
		add(at(d, 99) <= limit, what, "≤ "+duration(limit), fmt.Sprintf("%.1f ms", over(at(d, 99), time.Millisecond)))
	}
	const more = 5 * time.Millisecond
	late("delay from `close()` to the event, p99", m.delays.closed, more)
	late("delay from `listen()` to the event, p99, polling every 100 ms", m.delays.opened, fastInterval+more)
	late("delay from `listen()` to the event, p99, polling every 250 ms", m.delays.openedSlow, slowInterval+more)
	return all
}

// bestPeer returns the cheapest contestant except ours and the floor.
func (r result) bestPeer() *contestant {
	var best *contestant
	for name, c := range r.contestants {
		if name != ourPoll && name != ourQuiet && name != bareDump && (best == nil || c.cpu() < best.cpu()) {
			best = c
		}
	}
	return best
}

func at(all []time.Duration, p float64) time.Duration {
	return percentile(all, p, func(d time.Duration) time.Duration { return d })
}

func over(a, b time.Duration) float64 { return float64(a) / float64(b) }

func ratio(a, b time.Duration) string {
	x := over(a, b)
	switch {
	case x < 0.01:
		return fmt.Sprintf("1/%s", number(1/x))
	case x < 10:
		return fmt.Sprintf("%.2f×", x)
	}
	return number(x) + "×"
}

// duration formats d with three significant digits.
func duration(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if x := over(d, unit.of); x >= 1 || unit.of == time.Microsecond {
			switch {
			case x >= 100:
				return fmt.Sprintf("%.0f %s", x, unit.name)
			case x >= 10:
				return fmt.Sprintf("%.1f %s", x, unit.name)
			}
			return fmt.Sprintf("%.2f %s", x, unit.name)
		}
	}
	return ""
}

// number formats x with grouped thousands.
func number(x float64) string {
	s := fmt.Sprintf("%.0f", x)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
