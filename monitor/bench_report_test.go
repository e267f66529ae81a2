//go:build bench && linux

package monitor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// target is one thing that we want of the monitor, and what was measured.
type target struct {
	what, want, got string
	met             bool
}

// write writes the table and the picture.
func (m *measurements) write(folder string) error {
	if err := os.WriteFile(filepath.Join(folder, "bench.svg"), []byte(m.picture()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "bench.md"), []byte(m.report()), 0o644)
}

// machine says where this was measured.
func machine() string {
	system := runtime.GOOS
	if b, err := os.ReadFile("/etc/os-release"); err == nil {
		if _, after, ok := strings.Cut(string(b), `PRETTY_NAME="`); ok {
			system, _, _ = strings.Cut(after, `"`)
		}
	}
	var u unix.Utsname
	_ = unix.Uname(&u) // it cannot fail
	return fmt.Sprintf("%d cores, %s, kernel %s, %s", runtime.NumCPU(), system, unix.ByteSliceToString(u.Release[:]), runtime.Version())
}

func (m *measurements) report() string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	line("# How fast\n\n%s; %s. Beside %d other processes with %d open files each. The run took %s.\n",
		m.begun.Format(time.DateOnly), machine(), otherProcesses, filesOfEach, m.ended.Sub(m.begun).Round(time.Second))
	line("Other programs took %.0f %% of the machine meanwhile: above a few, look at the ratios rather than the times and the delays.\n", 100*m.others)
	line("Medians of %d rounds in which all take their turns; a batch in each where one takes microseconds. CPU is of all threads and of the programs that were started. "+
		"The floor is the dump that the poll asks for too, read and not parsed; the peers are all below it. "+
		"The poll, `/proc/net/tcp` and `ss -Hltn` do not look for owners at that moment (the monitor knows them already); the others do.\n", rounds)

	line("## Targets\n\n| | wanted | measured | |\n|---|---:|---:|---|")
	for _, t := range m.targets() {
		met := "met"
		if !t.met {
			met = "**not met**"
		}
		line("| %s | %s | %s | %s |", t.what, t.want, t.got, met)
	}
	for _, r := range m.results {
		line("\n## %s\n", r.load)
		line("| | time | CPU | CPU to the floor | CPU to the best peer | allocations | rounds × batch |\n|---|---:|---:|---:|---:|---:|---:|")
		floor, peer := r.contestants[bareDump], r.bestPeer()
		for _, name := range contestants {
			c := r.contestants[name]
			allocs := "–"
			if name == ourPoll || name == ourStill || name == bareDump || name == gopsutil {
				allocs = number(c.allocs())
			}
			line("| %s | %s | %s | %s | %s | %s | %d × %d |", name, duration(c.wall()), duration(c.cpu()),
				ratio(c.cpu(), floor.cpu()), ratio(c.cpu(), peer.cpu()), allocs, c.rounds, c.batch)
		}
	}
	m.reportChange(line)
	return b.String()
}

// reportChange is about what one port that opens or closes costs, and when it
// is seen.
func (m *measurements) reportChange(line func(string, ...any)) {
	line("\n## A change, at %s\n\n| | time | CPU |\n|---|---:|---:|", m.change.load)
	for _, name := range []string{firstOwner, fullWalk} {
		c := m.change.contestants[name]
		line("| %s | %s | %s |", name, duration(c.wall()), duration(c.cpu()))
	}
	line("\n| from the system call to the change | n | median | p99 | most |\n|---|---:|---:|---:|---:|")
	for _, d := range []struct {
		name string
		all  []time.Duration
	}{
		{"`listen()`, a look every 100 ms (as in the 3 s after a change)", m.delays.opened},
		{"`listen()`, a look every 250 ms", m.delays.openedCalm},
		{"`close()`", m.delays.closed},
	} {
		line("| %s | %d | %s | %s | %s |", d.name, len(d.all), duration(at(d.all, 50)), duration(at(d.all, 99)), duration(at(d.all, 100)))
	}
	line("\n| an unchanged poll, CPU | before | with | after | growth |\n|---|---:|---:|---:|---:|")
	for _, g := range m.growths {
		line("| %s | %s | %s | %s | %+.1f %% |", g.name, duration(g.before), duration(g.with), duration(g.after), g.percent())
	}
	line("\n| a running monitor, as the agent has it | a second | share of a core | told opened | told closed |\n|---|---:|---:|---:|---:|")
	for _, s := range m.shares {
		line("| %s | %s | %.2f %% | %d | %d |", s.name, number(s.done), 100*s.cpu, s.opened, s.closed)
	}
}

// targets are those of the monitor's issue. None fails the run: the machine
// may be busy.
func (m *measurements) targets() (all []target) {
	add := func(met bool, what, want, got string) { all = append(all, target{what, want, got, met}) }
	allocs := 0.0
	for _, r := range m.results {
		poll, floor := r.contestants[ourPoll], r.contestants[bareDump]
		allocs = max(allocs, poll.allocs())
		if r.listeners >= 100 {
			x := over(poll.cpu(), floor.cpu())
			add(x <= 1.15, fmt.Sprintf("unchanged poll to the bare dump, CPU, %s listeners", number(float64(r.listeners))), "≤ 1.15×", fmt.Sprintf("%.2f×", x))
		}
	}
	for _, r := range m.results {
		if r.load == usual {
			for _, peer := range []struct {
				name string
				want float64
			}{{gopsutil, 2000}, {ssOwners, 1000}} {
				x := over(r.contestants[peer.name].cpu(), r.contestants[ourPoll].cpu())
				add(x >= peer.want, fmt.Sprintf("`%s` to an unchanged poll, CPU", peer.name), "≥ "+number(peer.want)+"×", number(x)+"×")
			}
		}
	}
	add(allocs == 0, "allocations of an unchanged poll", "0", number(allocs))
	for _, g := range m.growths {
		add(g.percent() <= 10, "unchanged poll, CPU, "+g.name, "≤ +10 %", fmt.Sprintf("%+.1f %%", g.percent()))
	}
	x := 100 * over(m.change.contestants[firstOwner].wall(), m.change.contestants[fullWalk].wall())
	add(x <= 2.5, "a change with its first owner, to a walk over all processes", "≤ 2.5 %", fmt.Sprintf("%.1f %%", x))
	for _, s := range m.shares {
		if s.name == whileIdle || s.name == whileIdleMany {
			add(s.cpu <= 0.001, "a running monitor, "+s.name+", of a core", "≤ 0.10 %", fmt.Sprintf("%.2f %%", 100*s.cpu))
		}
	}
	late := func(what string, d []time.Duration, limit time.Duration) {
		add(at(d, 99) <= limit, what, "≤ "+duration(limit), fmt.Sprintf("%.1f ms", over(at(d, 99), time.Millisecond)))
	}
	const more = 5 * time.Millisecond
	late("`close()` seen, p99", m.delays.closed, more)
	late("`listen()` seen, p99, a look every 100 ms", m.delays.opened, hurryInterval+more)
	late("`listen()` seen, p99, a look every 250 ms", m.delays.openedCalm, calmInterval+more)
	return all
}

// bestPeer is the cheapest of the others but the floor.
func (r result) bestPeer() *contestant {
	var best *contestant
	for name, c := range r.contestants {
		if name != ourPoll && name != ourStill && name != bareDump && (best == nil || c.cpu() < best.cpu()) {
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

// duration has three digits that count.
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

// number groups thousands.
func number(x float64) string {
	s := fmt.Sprintf("%.0f", x)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
