// Package doctor tells what works here and what does not, and what to do about
// it: for "porthole doctor", and for who reports a problem. It speaks English,
// as the command line does.
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

// Status is how well something works.
type Status string

// The states. Only Broken is a failure: Porthole is of use without what is
// Missing.
const (
	OK      Status = "works"
	Warning Status = "missing"
	Error   Status = "broken"
)

// Finding is what was found out about one subject.
type Finding struct {
	Subject string `json:"subject"`
	Status  Status `json:"state"`
	Message string `json:"text"`
	Fix     string `json:"fix,omitempty"` // what to do, where it does not work
}

// Report is everything. It holds nothing secret: no names of processes, no
// commands, and the home folder is "~".
type Report struct {
	Version  string    `json:"version"`
	System   string    `json:"system"`
	Findings []Finding `json:"findings"`
}

// Options say what only the caller knows.
type Options struct {
	Version   string
	HasWindow bool // this build has a window
}

// timeout is how long one service of the desktop is waited for.
const timeout = 3 * time.Second

// Examine looks at this machine and this session. It starts nothing but a
// notification service that the bus starts on demand, and may take some seconds
// where one does not answer.
func Examine(ctx context.Context, o Options) Report {
	r := Report{Version: o.Version, System: system()}
	session := desktop.Current()
	r.add(listeningPorts(), owners(), userSettings(), storedHistory(ctx))
	r.add(sessionBus(ctx, session)...)
	r.add(display(session), graphics(o.HasWindow), agent(), login())
	r.add(folders()...)
	return r
}

// add appends findings. Their words may come from the system, so they are
// cleaned, and the home folder is shortened.
func (r *Report) add(findings ...Finding) {
	for _, f := range findings {
		f.Message, f.Fix = clean(f.Message), clean(f.Fix)
		r.Findings = append(r.Findings, f)
	}
}

// Healthy reports whether all that Porthole needs works.
func (r Report) Healthy() bool {
	for _, f := range r.Findings {
		if f.Status == Error {
			return false
		}
	}
	return true
}

// labels stand before the findings in the text, one width each.
var labels = map[Status]string{OK: "ok    ", Warning: "note  ", Error: "BROKEN"}

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "Porthole %s on %s\n\n", r.Version, r.System); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	for _, f := range r.Findings {
		line := fmt.Sprintf("%s  %-18s %s\n", labels[f.Status], f.Subject, f.Message)
		if f.Fix != "" {
			line += fmt.Sprintf("%27swhat to do: %s\n", "", f.Fix)
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

// String is what Print writes.
func (r Report) String() string {
	var b strings.Builder
	_ = r.Print(&b) // a Builder takes everything
	return b.String()
}

func clean(text string) string {
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		text = strings.ReplaceAll(text, home, "~")
	}
	return monitor.Clean(text, 400)
}

// system names the operating system as it names itself.
func system() string {
	words := []string{runtime.GOOS + "/" + runtime.GOARCH}
	if name := osName("/etc/os-release"); name != "" {
		words = append(words, name)
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		words = append(words, "kernel "+strings.TrimSpace(string(kernel)))
	}
	return monitor.Clean(strings.Join(words, ", "), 200)
}

// osName is PRETTY_NAME of an os-release file, "" where there is none.
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
