// Package link is the line between the agent and everyone who talks to it: the
// window process, a second start, a command. It is one unix socket, a named
// pipe on Windows, and JSON lines, in the same words as "porthole events --json".
package ipc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// Kind says what a message is. Readers ignore kinds that they do not know, and
// kinds of changes are the monitor's own.
type Kind string

// What a client may say first; each but Window gets one answer.
const (
	Start  Kind = "start"  // a second start: show the window, unless Hidden
	Window Kind = "window" // the window process: gets everything from now on
	Quit   Kind = "quit"   // end Porthole; to the window process: end yourself
	Lookup Kind = "recall" // answer with the Rows of Port, with their owners as they were first seen
)

// What the agent answers to a start or a command.
const (
	Done     Kind = "done"     // it is done
	HandOver Kind = "handover" // the agent's session is over; it ends, be the agent
	Refused  Kind = "refused"  // with Problem
)

// What the window process says.
const (
	Watch            Kind = "watch"   // Port
	Unwatch          Kind = "unwatch" // Port
	SetWatches       Kind = "watches" // all Watches, as they are to be, where the window saw Base
	Set              Kind = "set"     // the setting Key to Value, as the settings file says it; answered
	ReloadSettings   Kind = "look"    // the user looks at the settings: see whether others changed one
	TestNotification Kind = "test"    // show a test notification; answered
	Pause            Kind = "pause"   // notifications for Seconds, 0 until resumed
	Resume           Kind = "resume"
	Refresh          Kind = "refresh" // look now
	Closing          Kind = "leaving" // it ends; State is for the next window
	Focused          Kind = "seen"    // the user looks at the window, at Page
	Unfocused        Kind = "unseen"  // no longer
	Stopping         Kind = "stopped" // the user is about to stop Process

	DismissWelcome Kind = "welcomed" // the user has read Status.Welcome
)

// What the agent says to the window process, beside the kinds of changes.
const (
	SnapshotListener Kind = "listener" // one Listener of the snapshot that is being told
	Ready            Kind = "ready"    // the snapshot is complete: Listeners of them, taken At
	StatusUpdate     Kind = "status"   // Status
	Raise            Kind = "raise"    // come to the front; at Port where it is not 0, at Page where it is not ""
	ShowPort         Kind = "point"    // show Port, or Page
	Restore          Kind = "restore"  // State, as the window before left it
	Result           Kind = "answer"   // Key was done, or was not for a Problem, after a Status that says how it is now
)

// Keys of answers and settings that do not stand in the settings file.
const (
	KeyTestNotification = "test"           // the test notification
	KeyStartAtLogin     = "start_at_login" // true or false
)

// Message is one line.
type Message struct {
	Kind      Kind                `json:"kind"`
	At        time.Time           `json:"at,omitzero"`
	Listener  *monitor.Listener   `json:"listener,omitempty"`
	Before    *monitor.Listener   `json:"before,omitempty"`
	More      bool                `json:"more,omitempty"` // changes of the same update follow
	Count     int                 `json:"listeners,omitempty"`
	Listeners []*monitor.Listener `json:"rows,omitempty"`
	Port      uint16              `json:"port,omitempty"`
	Key       string              `json:"key,omitempty"`
	Value     string              `json:"value,omitempty"`
	Seconds   int                 `json:"seconds,omitempty"`
	Hidden    bool                `json:"hidden,omitempty"`
	Problem   string              `json:"problem,omitempty"`
	Build     string              `json:"build,omitempty"`   // of a start: what its program is
	Program   string              `json:"program,omitempty"` // and where
	Session   map[string]string   `json:"session,omitempty"` // and the environment of its desktop
	Status    *Status             `json:"status,omitempty"`
	Watches   watch.Rules         `json:"watches,omitempty"`
	Base      watch.Rules         `json:"base,omitempty"`
	Page      string              `json:"page,omitempty"` // "ports", "activity" and so on
	Process   *Process            `json:"process,omitempty"`
	State     json.RawMessage     `json:"state,omitempty"`
}

// Process is the identity of a process, as monitor.Owner has it.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// Status is what the window shows beside the listeners.
type Status struct {
	Health      monitor.Health `json:"health"`
	Watches     watch.Rules    `json:"watches"`
	Paused      bool           `json:"paused,omitempty"`
	PausedUntil time.Time      `json:"paused_until,omitzero"` // zero: until resumed
	Problems    []string       `json:"problems,omitempty"`    // what is missing here, a sentence each
	Welcome     bool           `json:"welcome,omitempty"`     // the user is new here

	Settings     settings.Settings `json:"settings"`           // without their watches
	StartAtLogin bool              `json:"at_login,omitempty"` // the session starts Porthole
}

// Limits of a line in bytes. A listener may bring many owners with long
// commands; a client sends all watches, and what they were, at the most.
const (
	maxFromAgent  = 16 << 20
	maxFromClient = 1 << 20
)

// reader reads messages, none longer than limit.
type reader struct{ scan *bufio.Scanner }

func newReader(r io.Reader, limit int) *reader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 4096), limit)
	return &reader{s}
}

// next returns the next message, io.EOF at the end. A line that is no message
// is an error: who sends one is no Porthole.
func (r *reader) next() (Message, error) {
	var m Message
	if !r.scan.Scan() {
		if err := r.scan.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
			return m, fmt.Errorf("read from the link: %w", err)
		} else if err != nil {
			return m, errors.New("read from the link: a line is too long")
		}
		return m, io.EOF
	}
	if err := json.Unmarshal(r.scan.Bytes(), &m); err != nil {
		return m, fmt.Errorf("read from the link: %w", err)
	}
	return m, nil
}

func write(w io.Writer, m Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a %s message: %w", m.Kind, err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write to the link: %w", err)
	}
	return nil
}
