package desktop

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/godbus/dbus/v5"
)

// WaitEnd returns when s has ended: its bus has gone, or logind says that its
// login session was removed. It returns ctx's end as well, and false for that.
func (s Session) WaitEnd(ctx context.Context, log *slog.Logger) bool {
	ended := make(chan string, 2)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	if address := s.BusAddress(); address != "" {
		if c, err := connect(watching, address); err == nil {
			context.AfterFunc(c.Context(), func() { ended <- "the session bus has gone" })
		} else {
			log.Info("the session bus cannot be watched", "problem", err)
		}
	}
	if id := s["XDG_SESSION_ID"]; id != "" {
		if err := watchLogind(watching, id, ended); err != nil {
			log.Info("logind cannot be watched", "problem", err)
		}
	}
	select {
	case <-ctx.Done():
		return false
	case why := <-ended:
		if ctx.Err() != nil {
			return false // our own end closes the connection too
		}
		log.Info("the desktop session has ended", "reason", why)
		return true
	}
}

// connect opens a private connection that closes with ctx.
func connect(ctx context.Context, address string) (*dbus.Conn, error) {
	c, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to the bus at %s: %w", address, err)
	}
	return c, nil
}

const logindName = "org.freedesktop.login1"

// watchLogind sends to ended when logind removes the session called id.
func watchLogind(ctx context.Context, id string, ended chan<- string) error {
	c, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("connect to the system bus: %w", err)
	}
	if err := c.AddMatchSignal(dbus.WithMatchInterface(logindName+".Manager"), dbus.WithMatchMember("SessionRemoved")); err != nil {
		_ = c.Close()
		return fmt.Errorf("ask logind for its signals: %w", err)
	}
	signals := make(chan *dbus.Signal, 8)
	c.Signal(signals)
	go func() { // ends with the connection, which ends with ctx
		for sig := range signals {
			if len(sig.Body) > 0 && sig.Name == logindName+".Manager.SessionRemoved" && sig.Body[0] == id {
				ended <- "the login session was closed"
				return
			}
		}
	}()
	return nil
}
