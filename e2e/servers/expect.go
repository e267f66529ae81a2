//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// expectation is one line of servers.txt, which describes the fields: a process, and
// what Porthole is to show of it.
type expectation struct {
	run, unit, comm, service, process string
	ports                             []expectedPort
	warnings                          []string
}

type expectedPort struct {
	port               uint16
	protocol           string
	exposed, ephemeral bool
}

// readExpected reads the right values.
func readExpected(path string) ([]expectation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the right values: %w", err)
	}
	defer f.Close()
	var all []expectation
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseExpectation(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// parseExpectation parses one line of servers.txt.
func parseExpectation(line string) (expectation, error) {
	fields := strings.Split(line, "|")
	if len(fields) < 9 {
		return expectation{}, fmt.Errorf("%d columns, want 9 or 10: %s", len(fields), line)
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	e := expectation{run: fields[0], unit: fields[1], comm: fields[3], service: fields[6], process: fields[7]}
	if len(fields) > 9 {
		e.warnings = strings.Fields(fields[9])
	}
	for text := range strings.FieldsSeq(fields[5]) {
		port, err := strconv.ParseUint(strings.TrimLeft(text, "ue*"), 10, 16)
		if err != nil {
			return expectation{}, fmt.Errorf("port of %s: %w", e.run, err)
		}
		p := expectedPort{port: uint16(port), protocol: "tcp", exposed: strings.Contains(text, "*"), ephemeral: strings.Contains(text, "e")}
		if text[0] == 'u' {
			p.protocol = "udp"
		}
		e.ports = append(e.ports, p)
	}
	return e, nil
}

// serviceOf returns the service that e is to show on port.
func (e expectation) serviceOf(port uint16) string {
	if !strings.Contains(e.service, ";") {
		return e.service
	}
	for one := range strings.SplitSeq(e.service, ";") {
		if name, ok := strings.CutPrefix(one, strconv.Itoa(int(port))+"="); ok {
			return name
		}
	}
	return ""
}

// has reports whether e names the port.
func (e expectation) has(protocol string, port uint16) bool {
	return slices.ContainsFunc(e.ports, func(p expectedPort) bool { return !p.ephemeral && p.protocol == protocol && p.port == port })
}

// random reports whether all ports of e are random.
func (e expectation) random() bool {
	return !slices.ContainsFunc(e.ports, func(p expectedPort) bool { return !p.ephemeral })
}

// of returns the right values of the processes of r.
func (l *lab) of(r run) (all []expectation) {
	for _, e := range l.expected {
		if e.run == r.name || slices.Contains(r.also, e.run) {
			all = append(all, e)
		}
	}
	if e, err := parseExpectation(r.right); err == nil {
		all = append(all, e)
	}
	return all
}

// named returns the right values of all processes with this name.
func (l *lab) named(process string) (all []expectation) {
	for _, e := range l.expected {
		if e.process == process && strings.Contains(e.unit, ".") {
			all = append(all, e)
		}
	}
	return all
}
