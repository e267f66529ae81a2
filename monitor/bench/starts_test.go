//go:build bench && linux

package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/process/child"
	"porthole/monitor/procevents"
)

const (
	starts        = 100         // of each kind
	startUp       = time.Second // the longest start-up time of a server
	startsASec    = 500         // programs
	stormFor      = 2 * time.Minute
	budgetUsed    = 20 * time.Second
	withPrograms  = "Porthole, which learns of programs that start"
	withoutThem   = "Porthole without that"
	tailscalePeer = "tailscale's portlist"
)

// playStartingServer listens some time after its start and reports when.
func playStartingServer() {
	d, err := time.ParseDuration(os.Args[1])
	if err != nil {
		child.Fail(err)
	}
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		child.Fail(err)
	}
	time.Sleep(d)
	_, at, err := listenAt(openAddress, port)
	if err != nil {
		child.Fail(err)
	}
	child.Report(answer{Port: port, At: at})
	child.Wait()
}

// TestStarts is the part of "make bench" about servers that have just been started: how
// soon Porthole and a peer report their ports, in one run. It writes build/starts.md. The
// kernel reports programs only to the first network and PID namespaces, so other programs
// are there, too.
func TestStarts(t *testing.T) {
	folder := os.Getenv("PORTHOLE_BENCH_OUT")
	if folder == "" {
		t.Skip(`run it with "make bench"`)
	}
	source := procevents.Open()
	state := procevents.Describe(source)
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	if source.State() != procevents.Available {
		t.Skip(state)
	}
	watchers := map[string]*worker{withPrograms: hire(t), withoutThem: hire(t)}
	watchers[withPrograms].ask(t, order{Do: "watch", N: 1, Programs: true})
	watchers[withoutThem].ask(t, order{Do: "watch", N: 1})
	if peer := hirePeer(t); peer != nil {
		watchers[tailscalePeer] = peer
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Servers that have just been started\n\n%s; %s.\n", time.Now().Format(time.DateOnly), machine())
	reportStarts(&b, fmt.Sprintf("a server listens up to %v after its start", startUp), measureStarts(t, watchers))
	reportStarts(&b, "a running process listens", measureOpenings(t, watchers))
	for _, w := range watchers {
		w.End()
	}
	fmt.Fprintf(&b, "\n| running monitor | share of a core | without that |\n|---|---:|---:|\n")
	for _, s := range measurePrograms(t) {
		fmt.Fprintf(&b, "| %s | %.2f %% | %.2f %% |\n", s.name, 100*s.with, 100*s.without)
	}
	if err := os.WriteFile(filepath.Join(folder, "starts.md"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log(b.String())
}

// hirePeer starts the peer, which packaging/bench.sh has built if the Go proxy had its
// module; nil if not.
func hirePeer(t *testing.T) *worker {
	t.Helper()
	program := os.Getenv("PORTHOLE_BENCH_PORTLIST")
	if program == "" {
		return nil
	}
	w := &worker{Child: child.StartVictim(t, exec.Command(program))}
	w.answers = json.NewDecoder(w.Out)
	if a := w.reply(t); a.Kind != "ready" {
		t.Fatalf("the peer began with %+v, want ready", a)
	}
	return w
}

// reported returns how long after at each watcher reports that port opened.
func reported(t *testing.T, watchers map[string]*worker, port int, at time.Duration, all map[string][]time.Duration) {
	t.Helper()
	for name, w := range watchers {
		for {
			if a := w.reply(t); a.Kind == string(monitor.Opened) && a.Port == port {
				all[name] = append(all[name], a.At-at)
				break
			}
		}
	}
}

// measureStarts starts servers that listen at a random time within startUp.
func measureStarts(t *testing.T, watchers map[string]*worker) map[string][]time.Duration {
	t.Helper()
	all := map[string][]time.Duration{}
	for i := range starts {
		time.Sleep(slowAfter + rand.N(slowInterval))
		c := child.Start(t, child.Command("starting server", rand.N(startUp).String(), strconv.Itoa(firstPort+i)))
		var a answer
		if err := c.ReadReport(&a); err != nil {
			t.Fatal(err)
		}
		reported(t, watchers, a.Port, a.At, all)
		c.End()
	}
	return all
}

// measureOpenings makes a process that runs already listen.
func measureOpenings(t *testing.T, watchers map[string]*worker) map[string][]time.Duration {
	t.Helper()
	opener := hire(t)
	defer opener.End()
	all := map[string][]time.Duration{}
	for i := range starts {
		time.Sleep(slowAfter + rand.N(slowInterval))
		a := opener.ask(t, order{Do: "open", N: firstPort + starts + i, Address: openAddress})
		reported(t, watchers, a.Port, a.At, all)
		opener.ask(t, order{Do: "close"})
	}
	return all
}

func reportStarts(b *strings.Builder, what string, all map[string][]time.Duration) {
	fmt.Fprintf(b, "\n| delay from `listen()` to the event, when %s | n | median | p99 | p99 relative to Porthole |\n|---|---:|---:|---:|---:|\n", what)
	for _, name := range []string{withPrograms, withoutThem, tailscalePeer} {
		if d := all[name]; len(d) > 0 {
			fmt.Fprintf(b, "| %s | %d | %s | %s | %s |\n", name, len(d), duration(at(d, 50)), duration(at(d, 99)), ratio(at(d, 99), at(all[withPrograms], 99)))
		}
	}
}

// programShare is the share of a core that a monitor uses, with and without learning of
// programs that start.
type programShare struct {
	name          string
	with, without float64
}

// measurePrograms measures two monitors at the same time, while nothing happens and while
// programs start and end.
func measurePrograms(t *testing.T) (all []programShare) {
	t.Helper()
	with, without, builder := hire(t), hire(t), hire(t)
	defer func() { with.End(); without.End(); builder.End() }()
	with.ask(t, order{Do: "watch", Programs: true})
	without.ask(t, order{Do: "watch"})
	storm := func(d time.Duration) int {
		done := 0
		for end := time.Now().Add(d); time.Now().Before(end); {
			done += builder.ask(t, order{Do: "run", Rate: startsASec, For: 10 * time.Second}).Done
		}
		return done
	}
	measure := func(do func() int) (s programShare) {
		a, b := with.ask(t, order{Do: "cost"}), without.ask(t, order{Do: "cost"})
		done := do()
		c, d := with.ask(t, order{Do: "cost"}), without.ask(t, order{Do: "cost"})
		s.with, s.without = over(c.CPU-a.CPU, c.At-a.At), over(d.CPU-b.CPU, d.At-b.At)
		s.name = fmt.Sprintf("%s programs a second start and end", number(float64(done)/(c.At-a.At).Seconds()))
		return s
	}
	time.Sleep(settle)
	before := forks(t)
	idle := measure(func() int { time.Sleep(idleFor); return 0 })
	idle.name = fmt.Sprintf("idle but for %.1f processes a second that others start", float64(forks(t)-before)/idleFor.Seconds())
	storm(budgetUsed)
	return append(all, idle, measure(func() int { return storm(stormFor) }))
}

// forks returns the number of processes and threads that have been started since the
// system started, from /proc/stat (proc(5)).
func forks(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "\nprocesses ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(line)
	if err != nil {
		t.Fatalf("/proc/stat has no number of processes: %v", err)
	}
	return n
}
