//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"porthole/e2e/newroot"
)

// The wait for a server. idlePolls is after how many polls without a change it is taken
// for started, although a port is missing.
const (
	listenPoll = time.Second
	idlePolls  = 20
)

// lab is the folder with the installed systems and the records of the runs.
type lab struct {
	dir      string // an absolute path
	expected []expectation
	wait     time.Duration // how long a server may take until it listens
}

func newLab(dir string, expected []expectation, wait time.Duration) (*lab, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", dir, err)
	}
	return &lab{absolute, expected, wait}, nil
}

// records is the folder of the records of r.
func (l *lab) records(r run) string { return filepath.Join(l.dir, "records", r.name) }

// measureScript writes the truth and what Porthole shows to /records.
const measureScript = `
export HOME=/root
cd /records
ss -Hltunpe >sockets
user() { runuser -u dev -- env HOME=/home/dev "$@"; }
porthole list --json --udp --all -v >list.root.json 2>list.root.log
user porthole list --json --udp --all -v >list.user.json 2>list.user.log
ss -Hltunpe >sockets.after
for port in $(awk '{sub(/.*:/, "", $5); print $5}' sockets | sort -un | head -30); do
	porthole who --json --udp $port >who.$port.root.json 2>&1
	user porthole who --json --udp $port >who.$port.user.json 2>&1
	user porthole explain --udp $port >explain.$port.user 2>&1
done
for pid in $(grep -o 'pid=[0-9]*' sockets | cut -d= -f2 | sort -un); do
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' $pid "$(tr '\n' ' ' </proc/$pid/comm)" "$(stat -c %U /proc/$pid)" \
		"$(sed -n 's/^0:://p' /proc/$pid/cgroup)" "$(readlink /proc/$pid/exe)" "$(tr '\0' ' ' </proc/$pid/cmdline)"
done >processes
dpkg-query -W -f '${Package} ${Version}\n' >packages
echo "Debian $(cat /etc/debian_version), systemd $(systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p'), Linux $(uname -r | cut -d. -f1,2)" >system
ps -eo pid,ppid,user,cgroup:60,args --forest >tree
`

// measure replaces the records of r. If it fails, the record "error" says why.
func (l *lab) measure(parent context.Context, r run) {
	ctx, cancel := context.WithTimeout(parent, 15*time.Minute)
	defer cancel()
	err := l.startAndRecord(ctx, r)
	switch {
	case parent.Err() != nil: // interrupted: the records are incomplete
		os.RemoveAll(l.records(r))
	case err != nil:
		os.WriteFile(filepath.Join(l.records(r), "error"), []byte(err.Error()), 0o644)
	}
}

// startAndRecord boots a system, starts the server of r there, and records what
// listens and what Porthole shows.
func (l *lab) startAndRecord(ctx context.Context, r run) error {
	s, f, err := l.bootFor(ctx, r.name, r.layer)
	if err != nil {
		return err
	}
	defer f.remove()
	defer s.stop()
	defer s.recordLogs(ctx)
	if err := s.start(ctx, r); err != nil {
		return err
	}
	s.waitForServer(ctx, r.unit, l.ports(r), l.wait)
	if r.client != "" {
		if _, err := s.run(ctx, r.client); err != nil {
			return fmt.Errorf("client: %w", err)
		}
	}
	_, err = s.run(ctx, measureScript)
	return err
}

// folders are those of one booted system.
type folders struct{ running, records string }

// bootFor boots the system with the packages of a layer, with new records for name. The
// caller must stop it and remove its folders.
func (l *lab) bootFor(ctx context.Context, name, layer string) (*system, folders, error) {
	f := folders{filepath.Join(l.dir, "running", name), filepath.Join(l.dir, "records", name)}
	for _, path := range []string{f.running, f.records} {
		if err := os.RemoveAll(path); err != nil {
			return nil, f, fmt.Errorf("remove the earlier run: %w", err)
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, f, fmt.Errorf("make the folder of the run: %w", err)
		}
	}
	s, err := boot(ctx, name, f.records, newroot.Config{
		Lower: []string{filepath.Join(l.dir, "layers", layer), filepath.Join(l.dir, "base")},
		Dir:   f.running,
		Binds: []newroot.Bind{{Source: f.records, Target: "/records"}, {Source: filepath.Join(l.dir, "porthole"), Target: "/usr/local/bin/porthole", ReadOnly: true}},
	})
	if err != nil {
		f.remove()
	}
	return s, f, err
}

// remove removes what the system wrote; its records stay.
func (f folders) remove() { os.RemoveAll(f.running) }

// write writes a record.
func (f folders) write(name, text string) error {
	return os.WriteFile(filepath.Join(f.records, name), []byte(text), 0o644)
}

// start prepares and starts the server.
func (s *system) start(ctx context.Context, r run) error {
	for _, command := range r.prepare {
		if _, err := s.run(ctx, command); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	if r.unit != "" {
		if out, err := s.enter(ctx, "systemctl", "start", "--no-block", r.unit).CombinedOutput(); err != nil {
			return fmt.Errorf("systemctl start %s: %w: %s", r.unit, err, out)
		}
	}
	if err := s.typeLines(ctx, "dev", r.dev); err != nil {
		return err
	}
	return s.typeLines(ctx, "root", r.root)
}

// typeLines types lines into a shell of user in tmux, in a session of its own.
func (s *system) typeLines(ctx context.Context, user string, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	if out, err := s.enter(ctx, "systemd-run", "--quiet", "--wait", "--collect", "-p", "KillMode=none", "/bin/su", "-", user, "-c", "tmux new-session -d -x 200 -y 50").CombinedOutput(); err != nil {
		return fmt.Errorf("start tmux: %w: %s", err, out)
	}
	for _, line := range lines {
		for _, keys := range [][]string{{"-l", line}, {"Enter"}} {
			args := append([]string{"runuser", "-u", user, "--", "tmux", "send-keys"}, keys...)
			if out, err := s.enter(ctx, args...).CombinedOutput(); err != nil {
				return fmt.Errorf("type %q: %w: %s", line, err, out)
			}
		}
	}
	return nil
}

// waitForServer waits until something listens on all ports and the sockets stay the
// same. It waits no longer than limit, and idlePolls after unit has started or
// failed: what listens then is the truth.
func (s *system) waitForServer(ctx context.Context, unit string, ports []string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	before, same := "", 0
	for ctx.Err() == nil {
		out, _ := s.enter(ctx, "ss", "-Hltun").Output()
		now := sortedLines(string(out))
		if same++; now != before {
			same = 0
		}
		missing := func(port string) bool { return !strings.Contains(now, port+" ") }
		switch {
		case now != "" && same > 0 && !slices.ContainsFunc(ports, missing):
			return
		case same > idlePolls && !s.isStarting(ctx, unit):
			return
		}
		before = now
		select {
		case <-ctx.Done():
		case <-time.After(listenPoll):
		}
	}
}

// isStarting reports whether systemd waits for unit, which may be "".
func (s *system) isStarting(ctx context.Context, unit string) bool {
	if unit == "" {
		return false
	}
	out, _ := s.enter(ctx, "systemctl", "is-active", unit).Output()
	return strings.TrimSpace(string(out)) == "activating"
}

func sortedLines(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// ports returns the fixed ports of r as ss(8) prints them: ":80".
func (l *lab) ports(r run) (ports []string) {
	for _, e := range l.of(r) {
		for _, p := range e.ports {
			if !p.ephemeral {
				ports = append(ports, fmt.Sprintf(":%d", p.port))
			}
		}
	}
	return ports
}

// recordLogs records what helps to find out why a server does not listen.
func (s *system) recordLogs(ctx context.Context) {
	s.run(ctx, `cd /records
for user in dev root; do runuser -u $user -- tmux capture-pane -p -S - 2>/dev/null; done | grep -v '^$' >screen
{ systemctl --failed --no-pager; journalctl --no-pager -n 60; } >journal 2>&1`)
}

// record returns a recorded file, "" if it is missing.
func (l *lab) record(r run, name string) string {
	text, _ := os.ReadFile(filepath.Join(l.records(r), name))
	return string(text)
}

// version returns the version of the first package of r.
func (l *lab) version(r run) string {
	for line := range strings.Lines(l.record(r, "packages")) {
		if name, version, _ := strings.Cut(strings.TrimSpace(line), " "); len(r.packages) > 0 && name == r.packages[0] {
			return name + " " + version
		}
	}
	return cmp.Or(strings.Join(r.packages, " "), "—")
}
