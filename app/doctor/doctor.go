// Package doctor checks what works on this machine and suggests fixes: for
// "porthole doctor" and for bug reports. Like the command line, it is in English
// only.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"porthole/app/desktop"
	"porthole/monitor"
)

// Status is the outcome of a check.
type Status string

// The statuses. Only Error makes a report unhealthy: with a Warning Porthole is
// still useful.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Error   Status = "error"
)

// Finding is the result of one check.
type Finding struct {
	Subject string `json:"subject"`
	Status  Status `json:"status"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"` // what to do if Status is not OK
}

// Report is the result of all checks. It contains no secrets: no process names,
// no commands, and "~" for the home folder.
type Report struct {
	Version  string    `json:"version"`
	System   string    `json:"system"`
	Findings []Finding `json:"findings"`
}

// Options are the facts about this build that only the caller knows.
type Options struct {
	Version   string
	HasWindow bool // built with the window (cgo)
}

// timeout is the maximum time to wait for one service of the desktop.
const timeout = 3 * time.Second

// Examine runs all checks. It starts nothing but a notification daemon that D-Bus
// activates on demand. It takes up to timeout for each service that does not
// respond.
func Examine(ctx context.Context, o Options) Report {
	r := Report{Version: o.Version, System: system()}
	session := desktop.Current()
	r.add(listeningPorts(), endedConnections(), processEvents(), owners(), userSettings(), storedHistory(ctx))
	r.add(sessionBus(ctx, session)...)
	r.add(display(session), graphics(o.HasWindow))
	r.add(agent()...)
	r.add(startAtLogin())
	r.add(folders()...)
	return r
}

// add appends findings. It cleans their texts, which may come from the system,
// and shortens the home folder.
func (r *Report) add(findings ...Finding) {
	for _, f := range findings {
		f.Message, f.Fix = clean(f.Message), clean(f.Fix)
		r.Findings = append(r.Findings, f)
	}
}

// Healthy reports whether everything that Porthole requires works.
func (r Report) Healthy() bool {
	for _, f := range r.Findings {
		if f.Status == Error {
			return false
		}
	}
	return true
}

// labels are the statuses in the text, all of the same width.
var labels = map[Status]string{OK: "ok     ", Warning: "warning", Error: "ERROR  "}

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "Porthole %s on %s\n\n", r.Version, r.System); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	for _, f := range r.Findings {
		line := fmt.Sprintf("%s  %-16s  %s\n", labels[f.Status], f.Subject, f.Message)
		if f.Fix != "" {
			line += fmt.Sprintf("%27sfix: %s\n", "", f.Fix)
		}
		if _, err := io.WriteString(w, line); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

// Encode writes the report as one JSON object.
func (r Report) Encode(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// String returns what Print writes.
func (r Report) String() string {
	var b strings.Builder
	_ = r.Print(&b) // a Builder never fails
	return b.String()
}

// clean replaces the home folder with "~" and removes control characters.
func clean(text string) string {
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		text = strings.ReplaceAll(text, home, "~")
	}
	return monitor.Clean(text, 400)
}

// system returns the operating system, its name and the kernel version.
func system() string {
	parts := []string{runtime.GOOS + "/" + runtime.GOARCH}
	if name := osName("/etc/os-release"); name != "" {
		parts = append(parts, name)
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		parts = append(parts, "kernel "+strings.TrimSpace(string(kernel)))
	}
	return monitor.Clean(strings.Join(parts, ", "), 200)
}

// osName returns PRETTY_NAME of an os-release(5) file, "" if it has none.
func osName(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(name), `"`)
		}
	}
	return ""
}
