// Package ipc implements the agent's local control protocol: JSON lines over a
// Unix socket, or a named pipe on Windows. Its clients are the window process, a
// second start of Porthole, and the command line. Events and listeners are
// encoded as in "porthole events --json".
package ipc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/health"
	"porthole/monitor/label"
	"porthole/monitor/watch"
)

// Kind is the type of a message. Receivers ignore unknown kinds. The kind of an
// event is its monitor.Kind.
type Kind string

// First message of a client. The agent answers each one, except Window, with one message.
const (
	Start  Kind = "start"  // second start of Porthole: show the window unless Hidden
	Window Kind = "window" // the window process: subscribe to everything
	Quit   Kind = "quit"   // quit Porthole; sent to the window process: close the window
	Lookup Kind = "lookup" // return the Listeners on Port with their owners as first seen; without a Port the Status
)

// Answers of the agent to a start or a command.
const (
	Done     Kind = "done"
	HandOver Kind = "hand_over" // the agent's session has ended and it exits: the caller becomes the agent
	Refused  Kind = "refused"   // Problem is the reason
)

// Messages of the window process.
const (
	Watch            Kind = "watch"             // watch Port
	Unwatch          Kind = "unwatch"           // unwatch Port
	SetWatches       Kind = "set_watches"       // replace the watches by Watches; the window edited Base
	Set              Kind = "set"               // change the setting Key to Value, both as in the settings file; answered by Result
	ReloadSettings   Kind = "reload_settings"   // the Settings page is open: check for changes by other programs
	TestNotification Kind = "test_notification" // show a test notification; answered by Result
	Pause            Kind = "pause"             // pause notifications for Seconds; 0: until Resume
	Resume           Kind = "resume"            // resume notifications
	Refresh          Kind = "refresh"           // poll now
	Closing          Kind = "closing"           // the window closes; State is for the next one
	KeepState        Kind = "keep_state"        // State has changed; it is for the next window if this one cannot send Closing
	Focused          Kind = "focused"           // the user looks at Page
	Unfocused        Kind = "unfocused"         // the user no longer looks at the window
	Stopping         Kind = "stopping"          // the user is stopping Process
	CountConnections Kind = "count_connections" // count the connections to Ports, which the window shows; answered by ConnectionTotals
	DismissWelcome   Kind = "dismiss_welcome"   // the user closed the welcome text (Status.Welcome)
	AcceptExposed    Kind = "accept_exposed"    // the listener with the ID Key is not newly exposed to the user
	OwnConnection    Kind = "own_connection"    // Porthole connects from Client to Server to ask what it answers; also a command
	DismissProblems  Kind = "dismiss_problems"  // the user has read the problems that are over (Status.CanDismiss)
	ChangeLabels     Kind = "change_labels"     // add the labels and hiding rules in Added and remove those in Removed; answered by Result
)

// Messages of the agent to the window process, in addition to events.
const (
	SnapshotListener Kind = "listener" // one Listener of the initial snapshot
	Ready            Kind = "ready"    // end of the initial snapshot: Count listeners, taken at At
	StatusUpdate     Kind = "status"   // Status has changed
	Raise            Kind = "raise"    // bring the window to the front, at Port unless 0 and Page unless ""
	ShowPort         Kind = "show"     // show Port unless 0 and Page unless "", without raising the window
	Restore          Kind = "restore"  // State of the previous window
	ConnectionTotals Kind = "totals"   // Totals of some listeners
	HistoryAdded     Kind = "history"  // an event about clients was stored, which comes with no update
	Result           Kind = "result"   // outcome for Key; Problem is "" on success. A StatusUpdate precedes it
)

// Keys of Set and Result that are not in the settings file.
const (
	KeyTestNotification = "test"
	KeyStartAtLogin     = "start_at_login" // "true" or "false"
	KeyLabels           = "labels"         // of ChangeLabels
)

// Message is one line of the protocol. Which fields are set depends on Kind.
type Message struct {
	Kind      Kind                `json:"kind"`
	At        time.Time           `json:"at,omitzero"`
	Listener  *monitor.Listener   `json:"listener,omitempty"`
	Before    *monitor.Listener   `json:"before,omitempty"`
	More      bool                `json:"more,omitempty"` // more events of the same update follow
	Count     int                 `json:"count,omitempty"`
	Listeners []*monitor.Listener `json:"listeners,omitempty"`
	Port      uint16              `json:"port,omitempty"`
	Ports     []uint16            `json:"ports,omitempty"`
	Key       string              `json:"key,omitempty"`
	Value     string              `json:"value,omitempty"`
	Seconds   int                 `json:"seconds,omitempty"`
	Hidden    bool                `json:"hidden,omitempty"`
	Problem   string              `json:"problem,omitempty"` // a sentence for the user
	Build     string              `json:"build,omitempty"`   // Start: identity of the caller's build
	Program   string              `json:"-"`                 // Start: the caller's executable, as the agent's system knows it; never sent
	Session   map[string]string   `json:"session,omitempty"` // Start: environment of the caller's desktop session
	Status    *Status             `json:"status,omitempty"`
	Watches   watch.Rules         `json:"watches,omitempty"`
	Base      watch.Rules         `json:"base,omitempty"` // SetWatches: the rules that the user edited
	Added     label.Rules         `json:"added,omitzero"`
	Removed   label.Rules         `json:"removed,omitzero"`
	Page      string              `json:"page,omitempty"`  // a page of package ui
	Token     string              `json:"token,omitempty"` // Start, Raise: permits raising the window (xdg-activation token or X11 startup id)
	Process   *Process            `json:"process,omitempty"`
	Client    netip.AddrPort      `json:"client,omitzero"`
	Server    netip.AddrPort      `json:"server,omitzero"`
	State     json.RawMessage     `json:"state,omitempty"`
	// Totals are the counts of connections by listener ID: of those on the Port of a
	// Lookup, or of those on the Ports of CountConnections.
	Totals map[string]connection.Totals `json:"totals,omitempty"`
}

// Process identifies a process, like the fields of monitor.Owner with these names.
type Process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
	How   string `json:"how,omitempty"` // for Stopping: "SIGTERM", "docker stop web"
}

// Status is the agent's state that the window shows, except for the listeners.
type Status struct {
	Health      monitor.Health `json:"health"`
	Watches     watch.Rules    `json:"watches"`
	Paused      bool           `json:"paused,omitempty"`
	PausedUntil time.Time      `json:"paused_until,omitzero"` // zero: until resumed
	// Attempts are refused attempts to connect to closed watched ports.
	Attempts []connection.Burst `json:"attempts,omitempty"`
	// Checks are what the health checks of watches found.
	Checks     []health.Check `json:"checks,omitempty"`
	Problems   []string       `json:"problems,omitempty"`    // missing or broken features, one sentence each
	CanDismiss bool           `json:"can_dismiss,omitempty"` // some of Problems are over, and were only to be read
	// HookFailedAt is the time of the latest failure of a hook that has not succeeded since.
	HookFailedAt time.Time `json:"hook_failed_at,omitzero"`
	Welcome      bool      `json:"welcome,omitempty"` // show the welcome text for new users
	NoTray       bool      `json:"no_tray,omitempty"` // the tray icon can't be shown, which is one of Problems

	// ShortcutAdvice says how to get a shortcut for the window if the desktop offers none to
	// programs; "" if it does.
	ShortcutAdvice string `json:"shortcut_advice,omitempty"`

	Settings     settings.Settings `json:"settings"`                 // without watches and warnings
	StartAtLogin bool              `json:"start_at_login,omitempty"` // the session starts Porthole
}

// Maximum length of a line in bytes. A listener can have many owners with long
// command lines; the longest message of a client is SetWatches.
const (
	maxFromAgent  = 16 << 20
	maxFromClient = 1 << 20
)

// reader reads messages.
type reader struct{ scan *bufio.Scanner }

// newReader returns a reader that fails on lines longer than limit bytes.
func newReader(r io.Reader, limit int) *reader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 4096), limit)
	return &reader{s}
}

// next returns the next message, or io.EOF at the end. Malformed lines are
// errors, after which the connection must be closed.
func (r *reader) next() (Message, error) {
	var m Message
	if !r.scan.Scan() {
		if err := r.scan.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
			return m, fmt.Errorf("read message: %w", err)
		} else if err != nil {
			return m, errors.New("read message: line too long")
		}
		return m, io.EOF
	}
	if err := json.Unmarshal(r.scan.Bytes(), &m); err != nil {
		return m, fmt.Errorf("decode message: %w", err)
	}
	return m, nil
}

func write(w io.Writer, m Message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s message: %w", m.Kind, err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write %s message: %w", m.Kind, err)
	}
	return nil
}
