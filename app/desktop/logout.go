package desktop

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/godbus/dbus/v5"
)

// WaitEnd waits until the session ends: its bus disappears, or logind removes the
// login session. It returns true when the session has ended, and false if ctx
// ends first.
func (s Session) WaitEnd(ctx context.Context, log *slog.Logger) bool {
	ended := make(chan string, 2)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	if address := s.BusAddress(); address != "" {
		if c, err := connect(watching, address); err == nil {
			context.AfterFunc(c.Context(), func() { ended <- "the session bus was closed" })
		} else {
			log.Info("can't watch the session bus", "error", err)
		}
	}
	if id := s["XDG_SESSION_ID"]; id != "" {
		if err := watchLogind(watching, id, ended); err != nil {
			log.Info("can't watch logind", "error", err)
		}
	}
	select {
	case <-ctx.Done():
		return false
	case reason := <-ended:
		if ctx.Err() != nil {
			return false // the end of ctx closes the connection too
		}
		log.Info("the desktop session has ended", "reason", reason)
		return true
	}
}

const logindName = "org.freedesktop.login1"

// watchLogind sends a reason to ended when logind removes the session with that id.
func watchLogind(ctx context.Context, id string, ended chan<- string) error {
	c, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("connect to the system bus: %w", err)
	}
	if err := c.AddMatchSignal(dbus.WithMatchInterface(logindName+".Manager"), dbus.WithMatchMember("SessionRemoved")); err != nil {
		_ = c.Close()
		return fmt.Errorf("subscribe to logind's signals: %w", err)
	}
	signals := make(chan *dbus.Signal, 8)
	c.Signal(signals)
	go func() { // ends with the connection, which ends with ctx
		for sig := range signals {
			if len(sig.Body) > 0 && sig.Name == logindName+".Manager.SessionRemoved" && sig.Body[0] == id {
				ended <- "logind removed the login session"
				return
			}
		}
	}()
	return nil
}
