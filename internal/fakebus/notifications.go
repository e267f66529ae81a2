package fakebus

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// NotificationsName is the bus name and the interface of a notification server
// (Desktop Notifications Specification 1.2).
const NotificationsName = "org.freedesktop.Notifications"

const notificationsPath = "/org/freedesktop/Notifications"

// Reasons of the signal NotificationClosed (Desktop Notifications Specification 1.2).
const (
	expired      = 1
	closedByUser = 2
	closedByCall = 3
)

// Notification is the content of a Notify call.
type Notification struct {
	ID       uint32 // the id that the server returned
	Replaces uint32
	Summary  string
	Body     string
	Actions  []string // alternating keys and labels
	Hints    map[string]dbus.Variant
	Expires  int32 // milliseconds; -1 if the server decides, 0 for never
}

// Notifications is a notification server that shows nothing and can be made to
// hang or to misbehave. It is safe for concurrent use.
type Notifications struct {
	conn *dbus.Conn

	mu      sync.Mutex
	issued  uint32         // the highest id
	last    Notification   // the most recent call
	lastAt  time.Time      // when it was made
	open    []Notification // not closed yet, the oldest first
	closed  []uint32       // ids of CloseNotification calls
	popups  []string       // summaries that popped up
	name    string         // of GetServerInformation; "": "fake"
	release chan struct{}  // closed when the server stops hanging; nil if it answers
}

// ServeNotifications exports a notification server on conn and requests its
// name. It fails if another server owns the name. Close closes conn.
func ServeNotifications(conn *dbus.Conn) (*Notifications, error) {
	s := &Notifications{conn: conn}
	if err := s.Export(s.Notify); err != nil {
		return nil, err
	}
	reply, err := conn.RequestName(NotificationsName, dbus.NameFlagDoNotQueue)
	if err == nil && reply != dbus.RequestNameReplyPrimaryOwner {
		err = errors.New("another notification server is running")
	}
	if err != nil {
		return nil, fmt.Errorf("request the name %s: %w", NotificationsName, err)
	}
	return s, nil
}

// StartNotifications starts a notification server on the bus at address until the test
// ends.
func StartNotifications(t testing.TB, address string) *Notifications {
	t.Helper()
	s, err := ServeNotifications(Dial(t, address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the test may have closed it
	return s
}

// Export replaces the implementation of the method Notify by notify, a function
// of any signature that godbus can export.
func (s *Notifications) Export(notify any) error {
	err := s.conn.ExportMethodTable(map[string]any{
		"Notify":            notify,
		"CloseNotification": s.closeNotification,
		"GetCapabilities": func() ([]string, *dbus.Error) {
			s.wait()
			return []string{"actions", "body", "body-markup"}, nil
		},
		"GetServerInformation": func() (name, vendor, version, spec string, _ *dbus.Error) {
			s.wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			return cmp.Or(s.name, "fake"), "porthole", "1.5", "1.2", nil
		},
	}, notificationsPath, NotificationsName)
	if err != nil {
		return fmt.Errorf("export the notification server: %w", err)
	}
	return nil
}

// Notify implements the D-Bus method Notify.
func (s *Notifications) Notify(_ string, replaces uint32, _, summary, body string, actions []string, hints map[string]dbus.Variant, expires int32) (uint32, *dbus.Error) {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	id := replaces
	if id == 0 {
		s.issued++
		id = s.issued
	}
	s.last = Notification{ID: id, Replaces: replaces, Summary: summary, Body: body, Actions: actions, Hints: hints, Expires: expires}
	s.lastAt = time.Now()
	if replaces == 0 || slices.ContainsFunc(s.open, func(n Notification) bool { return n.ID == replaces }) {
		s.popups = append(s.popups, summary)
		s.popups = s.popups[max(0, len(s.popups)-maxPopups):]
	}
	s.remove(id)
	s.open = append(s.open, s.last)
	return id, nil
}

// closeNotification refuses ids that were never issued or that Forget has taken back.
func (s *Notifications) closeNotification(id uint32) *dbus.Error {
	s.wait()
	s.mu.Lock()
	s.closed = append(s.closed, id)
	known := id <= s.issued
	s.remove(id)
	s.mu.Unlock()
	if !known {
		return dbus.MakeFailedError(fmt.Errorf("there is no notification %d", id))
	}
	s.emitClosed(id, closedByCall)
	return nil
}

// remove requires mu.
func (s *Notifications) remove(id uint32) {
	s.open = slices.DeleteFunc(s.open, func(n Notification) bool { return n.ID == id })
}

func (s *Notifications) emitClosed(id, reason uint32) {
	_ = s.Emit("NotificationClosed", id, reason) // fails only if the connection is closed
}

// wait blocks while the server hangs.
func (s *Notifications) wait() {
	s.mu.Lock()
	release := s.release
	s.mu.Unlock()
	if release != nil {
		<-release
	}
}

// Hang makes the server answer no calls, like a process stopped with SIGSTOP; or,
// with false, answer all that wait.
func (s *Notifications) Hang(hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case hang && s.release == nil:
		s.release = make(chan struct{})
	case !hang && s.release != nil:
		close(s.release)
		s.release = nil
	}
}

// Forget takes back all ids: later CloseNotification calls for them are refused.
func (s *Notifications) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued, s.open = 0, nil
}

// Last returns the most recent notification; zero if there was none.
func (s *Notifications) Last() Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Shown returns the summaries of the notifications that neither the user nor a client
// has closed, the newest last. They expire only through Expire.
func (s *Notifications) Shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var summaries []string
	for _, n := range s.open {
		summaries = append(summaries, n.Summary)
	}
	return summaries
}

// maxPopups is how many summaries Popups returns.
const maxPopups = 64

// Popups returns the last summaries that popped up, in order. As on Plasma 5.27, a notification
// that replaces an expired or closed one does not pop up.
func (s *Notifications) Popups() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.popups)
}

// SetName sets the name that GetServerInformation returns.
func (s *Notifications) SetName(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name = name
}

// Closed returns the ids of all CloseNotification calls, in order.
func (s *Notifications) Closed() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.closed)
}

// Emit emits a signal of the server with values of any type.
func (s *Notifications) Emit(signal string, values ...any) error {
	if err := s.conn.Emit(notificationsPath, NotificationsName+"."+signal, values...); err != nil {
		return fmt.Errorf("emit %s%v: %w", signal, values, err)
	}
	return nil
}

// reactionTime is the minimum time between a notification and a click on it. An
// earlier signal could arrive before the answer with the notification's id.
const reactionTime = 150 * time.Millisecond

// Invoke acts like a click on the action key of the newest notification; the key
// of a click on the notification itself is "default". The notification closes.
func (s *Notifications) Invoke(key string) error {
	s.mu.Lock()
	n, at := s.last, s.lastAt
	s.mu.Unlock()
	time.Sleep(reactionTime - time.Since(at))
	for i := 0; i < len(n.Actions); i += 2 {
		if n.Actions[i] != key {
			continue
		}
		if err := s.Emit("ActionInvoked", n.ID, key); err != nil {
			return err
		}
		s.mu.Lock()
		s.remove(n.ID)
		s.mu.Unlock()
		s.emitClosed(n.ID, closedByUser)
		return nil
	}
	return fmt.Errorf("the newest notification has no action %q; it has %q", key, n.Actions)
}

// Close ends the server. Calls that wait return an error.
func (s *Notifications) Close() error {
	err := s.conn.Close()
	s.Hang(false)
	return err
}

// Expire closes the newest notification as if its time had passed.
func (s *Notifications) Expire() {
	s.mu.Lock()
	id := s.last.ID
	s.remove(id)
	s.mu.Unlock()
	s.emitClosed(id, expired)
}
