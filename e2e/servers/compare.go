//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The verdicts on a run, the best first.
const (
	right    = "right"
	partly   = "partly"   // no service or only the protocol, while the process is right, or the other way round
	wrong    = "wrong"    // another program's name, or the wrong process
	quiet    = "quiet"    // it runs, and nothing listens
	unknown  = "unknown"  // it could not be started
	unsought = "unsought" // it was not started this time
)

// result is what was found out about one run.
type result struct {
	run      run
	verdict  string
	faults   []string
	flags    string // letters that docs/servers.md explains
	warnings []string
	version  string
	system   string // kernel, systemd, Debian

	ports, services, processes []string
	sockets, shown, shownUser  int
}

// listing is the output of "porthole list --json" and "who --json".
type listing struct {
	Listeners []row `json:"listeners"`
}

// row is one listener in it.
type row struct {
	Protocol  string       `json:"protocol"`
	Port      uint16       `json:"port"`
	Addresses []netip.Addr `json:"addresses"`
	User      string       `json:"user"`
	Owners    []process    `json:"owners"`
	Inferred  *process     `json:"inferred"`
	Unit      string       `json:"unit"`
	Service   string       `json:"service"`
	ServiceBy string       `json:"service_by"`
	Framework string       `json:"framework"`
	Sockets   []struct {
		Address netip.Addr `json:"address"`
		Owners  []int      `json:"owners"`
	} `json:"sockets"`
	Why struct {
		Sentence string `json:"sentence"`
		Unit     string `json:"unit"`
		Orphaned bool   `json:"orphaned"`
	} `json:"why"`
	Warnings []struct {
		Kind string `json:"kind"`
	} `json:"warnings"`
}

type process struct {
	PID  int    `json:"pid"`
	Name string `json:"name"`
	User string `json:"user"`
}

// name is the name of the principal process, "" if it is unknown.
func (r row) name() string {
	if len(r.Owners) == 0 {
		return ""
	}
	return r.Owners[0].Name
}

// truth is what ss(8) and /proc show.
type truth struct {
	sockets   []realSocket
	processes map[int]realProcess
}

type realSocket struct {
	protocol string
	address  netip.Addr
	port     uint16
	owners   []int
}

type realProcess struct{ comm, user, cgroup, program, command string }

// unit is the systemd unit of the process, "" if it is in none.
func (p realProcess) unit() string {
	parts := strings.Split(p.cgroup, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if strings.HasSuffix(parts[i], ".service") || strings.HasSuffix(parts[i], ".scope") && parts[i] != "init.scope" {
			return strings.ReplaceAll(parts[i], `\x2d`, "-")
		}
	}
	return ""
}

var pidPattern = regexp.MustCompile(`pid=([0-9]+)`)

// parseSockets parses the output of "ss -Hltunpe".
func parseSockets(text string) (sockets []realSocket) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		at := strings.LastIndexByte(fields[4], ':')
		host, _, _ := strings.Cut(strings.Trim(fields[4][:max(at, 0)], "[]"), "%")
		host = strings.TrimSuffix(host, "]")
		if host == "*" {
			host = "::"
		}
		address, err := netip.ParseAddr(host)
		port, portErr := strconv.ParseUint(fields[4][at+1:], 10, 16)
		if err != nil || portErr != nil {
			continue
		}
		s := realSocket{protocol: fields[0], address: address, port: uint16(port)}
		for _, match := range pidPattern.FindAllStringSubmatch(line, -1) {
			pid, _ := strconv.Atoi(match[1])
			if !slices.Contains(s.owners, pid) {
				s.owners = append(s.owners, pid)
			}
		}
		sockets = append(sockets, s)
	}
	return sockets
}

// parseProcesses parses the processes that measureScript records.
func parseProcesses(text string) map[int]realProcess {
	processes := make(map[int]realProcess)
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if pid, err := strconv.Atoi(fields[0]); err == nil && len(fields) >= 6 {
			processes[pid] = realProcess{strings.TrimSpace(fields[1]), fields[2], fields[3], fields[4], strings.TrimSpace(strings.Join(fields[5:], "\t"))}
		}
	}
	return processes
}

// rows reads the listeners of a recorded listing.
func (l *lab) rows(r run, name string) ([]row, error) {
	var list listing
	if err := json.Unmarshal([]byte(l.record(r, name)), &list); err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", name, r.name, err)
	}
	return list.Listeners, nil
}

// lastingSockets returns the sockets that ss(8) shows before and after the list of
// Porthole: one that a starting server has closed or opened meanwhile proves nothing.
func (l *lab) lastingSockets(r run) []realSocket {
	after := parseSockets(l.record(r, "sockets.after"))
	return slices.DeleteFunc(parseSockets(l.record(r, "sockets")), func(s realSocket) bool {
		return !slices.ContainsFunc(after, func(a realSocket) bool {
			return a.protocol == s.protocol && a.address == s.address && a.port == s.port
		})
	})
}

// listens reports whether the server of r listens: on one of its ports, or on any if
// they are random. Another server of the same run does not count.
func (l *lab) listens(r run, t truth) bool {
	for _, e := range l.of(r) {
		if e.run != r.name {
			continue
		}
		for _, s := range t.sockets {
			if e.has(s.protocol, s.port) {
				return true
			}
			if e.random() && slices.ContainsFunc(s.owners, func(pid int) bool { return t.processes[pid].comm == e.comm }) {
				return true
			}
		}
	}
	return false
}

// compare compares the records of r with the right values.
func (l *lab) compare(r run) result {
	res := result{run: r, verdict: unsought, version: l.version(r), system: strings.Join(strings.Fields(l.record(r, "system")), " ")}
	if text := l.record(r, "error"); text != "" {
		res.verdict, res.faults = unknown, []string{text}
		return res
	}
	if l.record(r, "list.root.json") == "" {
		return res
	}
	asRoot, err := l.rows(r, "list.root.json")
	asUser, userErr := l.rows(r, "list.user.json")
	if err != nil || userErr != nil {
		res.verdict, res.faults = wrong, []string{fmt.Sprint(err, userErr)}
		return res
	}
	t := truth{l.lastingSockets(r), parseProcesses(l.record(r, "processes"))}
	res.verdict = right
	if !l.listens(r, t) {
		res.verdict = quiet
		return res
	}
	res.compareSockets(t, asRoot, asUser)
	for _, row := range asRoot {
		e, ok := expectationOf(l.of(r), row)
		if !ok { // a server that the unit needs, such as avahi-daemon
			e, ok = expectationOf(l.named(row.name()), row)
		}
		res.compareRow(e, ok, row, l.who(r, row), t)
		res.compareUser(row, asUser)
	}
	res.compareWarnings(l.of(r))
	return res
}

// who returns what "porthole who" shows of the row, nil if its port has closed before.
func (l *lab) who(r run, of row) *row {
	rows, _ := l.rows(r, fmt.Sprintf("who.%d.root.json", of.Port))
	for _, row := range rows {
		if row.Protocol == of.Protocol && slices.Equal(row.Addresses, of.Addresses) {
			return &row
		}
	}
	return nil
}

// worse sets the verdict if it is worse than the one before, with the reason.
func (res *result) worse(verdict, format string, args ...any) {
	order := []string{right, quiet, partly, wrong}
	if slices.Index(order, verdict) > slices.Index(order, res.verdict) {
		res.verdict = verdict
	}
	res.faults = append(res.faults, fmt.Sprintf(format, args...))
}

func (res *result) flag(letter string) {
	if !strings.Contains(res.flags, letter) {
		res.flags += letter
	}
}

// compareSockets compares the sockets and their owners.
func (res *result) compareSockets(t truth, asRoot, asUser []row) {
	find := func(rows []row, s realSocket) (owners []int, ok bool) {
		for _, row := range rows {
			for _, shown := range row.Sockets {
				if row.Protocol == s.protocol && row.Port == s.port && shown.Address.WithZone("") == s.address {
					return shown.Owners, true
				}
			}
		}
		return nil, false
	}
	for _, s := range t.sockets {
		res.sockets++
		owners, ok := find(asRoot, s)
		if !ok {
			res.worse(wrong, "%s %s:%d is not shown", s.protocol, s.address, s.port)
			continue
		}
		res.shown++
		if _, ok := find(asUser, s); ok {
			res.shownUser++
		}
		slices.Sort(owners)
		slices.Sort(s.owners)
		if !slices.Equal(owners, s.owners) {
			res.worse(wrong, "%s %d has the owners %d, want %d", s.protocol, s.port, owners, s.owners)
		}
	}
}

// expectationOf returns the right values for a row: those of its port and process, of
// its port, or for another port those of its process.
func expectationOf(all []expectation, r row) (expectation, bool) {
	named := func(e expectation) bool {
		return slices.ContainsFunc(r.Owners, func(p process) bool { return p.Name == e.process })
	}
	for _, matches := range []func(expectation) bool{
		func(e expectation) bool { return e.has(r.Protocol, r.Port) && r.name() == e.process },
		func(e expectation) bool { return e.has(r.Protocol, r.Port) && named(e) },
		func(e expectation) bool { return e.has(r.Protocol, r.Port) },
		named,
	} {
		if i := slices.IndexFunc(all, matches); i >= 0 {
			return all[i], true
		}
	}
	return expectation{}, false
}

// compareRow compares one row of root's list with its right values, if there are any.
func (res *result) compareRow(e expectation, ok bool, r row, who *row, t truth) {
	res.ports = append(res.ports, portText(r))
	res.services = appendNew(res.services, nonEmpty(r.Service))
	res.processes = appendNew(res.processes, nonEmpty(r.name()))
	if who != nil {
		for _, w := range who.Warnings {
			res.warnings = appendNew(res.warnings, w.Kind)
		}
	}
	if !ok {
		res.worse(partly, "%s has no right value: %s, %s", portText(r), nonEmpty(r.Service), nonEmpty(r.name()))
		return
	}
	if want := e.serviceOf(r.Port); r.Service != want {
		verdict := wrong
		if r.Service == "" || want != "" && r.ServiceBy == "port" {
			verdict = partly
		}
		res.worse(verdict, "%s: service %q (by %s), want %q", portText(r), r.Service, nonEmpty(r.ServiceBy), want)
	}
	if r.name() != e.process {
		verdict := partly
		if r.name() == "systemd" {
			verdict = wrong
		}
		res.worse(verdict, "%s: process %q, want %q", portText(r), r.name(), e.process)
	}
	if who != nil && len(r.Owners) > 0 {
		res.compareOrigin(r, *who, t)
	}
}

// compareOrigin compares the user and what started the process.
func (res *result) compareOrigin(r, who row, t truth) {
	p, ok := t.processes[r.Owners[0].PID]
	if ok && r.Owners[0].User != "" && p.user != r.Owners[0].User && p.user != "UNKNOWN" {
		res.flag("U")
		res.faults = append(res.faults, fmt.Sprintf("%s: user %s, want %s", portText(r), r.Owners[0].User, p.user))
	}
	unit := p.unit()
	if r.Owners[0].PID == 1 {
		unit = r.Unit
		if !strings.HasSuffix(unit, ".socket") {
			res.worse(wrong, "%s: systemd without the socket unit", portText(r))
		}
	}
	switch {
	case unit == "cron.service": // its jobs run in its unit
		if !strings.Contains(who.Why.Sentence, "cron") {
			res.flag("W")
			res.faults = append(res.faults, fmt.Sprintf("%s: %q does not name cron", portText(r), who.Why.Sentence))
		}
	case strings.HasSuffix(unit, ".service"), strings.HasSuffix(unit, ".socket"):
		if !strings.Contains(who.Why.Sentence, unit) {
			res.flag("W")
			res.faults = append(res.faults, fmt.Sprintf("%s: %q does not name %s", portText(r), who.Why.Sentence, unit))
		}
	case who.Why.Sentence == "" || strings.Contains(who.Why.Sentence, "not known") || strings.Contains(who.Why.Sentence, "systemd"):
		res.flag("W")
		res.faults = append(res.faults, fmt.Sprintf("%s: %q does not name what started it in %s", portText(r), who.Why.Sentence, unit))
	}
}

// compareUser compares what an unprivileged user sees of a row.
func (res *result) compareUser(r row, asUser []row) {
	var same []row
	for _, u := range asUser {
		if u.Protocol == r.Protocol && u.Port == r.Port && slices.ContainsFunc(u.Addresses, func(a netip.Addr) bool { return slices.Contains(r.Addresses, a) }) {
			same = append(same, u)
		}
	}
	if len(same) > 1 {
		res.flag("S")
		res.faults = append(res.faults, fmt.Sprintf("%s: %d rows as a user", portText(r), len(same)))
	}
	for _, u := range same {
		if u.Service != r.Service {
			res.flag("D")
			res.faults = append(res.faults, fmt.Sprintf("%s: service %q as a user, %q as root", portText(r), u.Service, r.Service))
		}
	}
}

// compareWarnings compares the kinds of warnings of all rows.
func (res *result) compareWarnings(all []expectation) {
	var want []string
	for _, e := range all {
		if len(all) > 1 && !slices.Contains(res.processes, e.process) {
			continue
		}
		for _, kind := range e.warnings {
			want = appendNew(want, kind)
		}
	}
	for _, kind := range res.warnings {
		if slices.Contains(want, kind) {
			continue
		}
		letter, known := map[string]string{"root": "R", "exposed": "N"}[kind]
		if !known {
			letter = "O"
		}
		res.flag(letter)
		res.faults = append(res.faults, "unexpected warning: "+kind)
	}
	for _, kind := range want {
		if !slices.Contains(res.warnings, kind) && res.verdict != quiet {
			res.flag("M")
			res.faults = append(res.faults, "missing warning: "+kind)
		}
	}
}

// portText describes the addresses of a row: "127.0.0.1:80, u *:53".
func portText(r row) string {
	text := ":" + strconv.Itoa(int(r.Port))
	if len(r.Addresses) > 0 {
		text = netip.AddrPortFrom(r.Addresses[0], r.Port).String()
	}
	if r.Protocol == "udp" {
		return "u " + text
	}
	return text
}

func nonEmpty(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
