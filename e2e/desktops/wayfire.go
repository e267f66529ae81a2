//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"slices"
	"sync"
	"time"
)

// wayfireDisplay is the compositor wayfire on a screen without a monitor.
type wayfireDisplay struct{}

func (wayfireDisplay) start(ctx context.Context, s *session) error {
	if err := (wlroots{"wayfire", softwareGL}).start(ctx, s); err != nil {
		return err
	}
	w := &wayfire{virtualInput: s.screen.(*sway).virtualInput, s: s, known: map[uint32]*toplevel{}}
	s.screen = w
	return w.listenWindows()
}

// wayfire is the screen of wayfire. It knows the windows from the protocol wlr-foreign-toplevel-management-unstable-v1, which
// reports no places. It is safe for concurrent use.
type wayfire struct {
	*virtualInput
	s *session

	mu    sync.Mutex
	known map[uint32]*toplevel // by object
}

// toplevel is a window of the protocol.
type toplevel struct {
	title  string
	active bool
	hidden bool // minimised
}

func (w *wayfire) listenWindows() error {
	const version = 1
	_, err := w.client.bind("zwlr_foreign_toplevel_manager_v1", version, func(opcode uint16, body []byte) {
		if opcode != 0 || len(body) < 4 { // 0: a window
			return
		}
		id, t := binary.NativeEndian.Uint32(body), &toplevel{}
		w.client.adopt(id, func(opcode uint16, body []byte) { w.handle(id, t, opcode, body) })
		w.mu.Lock()
		w.known[id] = t
		w.mu.Unlock()
	})
	if err != nil {
		return err
	}
	return w.client.sync()
}

// handle handles an event of a window.
func (w *wayfire) handle(id uint32, t *toplevel, opcode uint16, body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case opcode == 0:
		t.title, _ = readString(body)
	case opcode == 4 && len(body) >= 4: // an array of states, after its length
		const minimized, activated = 1, 2
		t.active, t.hidden = false, false
		for states := body[4:]; len(states) >= 4; states = states[4:] {
			switch binary.NativeEndian.Uint32(states) {
			case activated:
				t.active = true
			case minimized:
				t.hidden = true
			}
		}
	case opcode == 6:
		delete(w.known, id)
	}
}

func (w *wayfire) windows() ([]window, error) {
	if err := w.client.sync(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []window
	for id, t := range w.known {
		all = append(all, window{id: id, title: t.title, active: t.active, shown: !t.hidden})
	}
	slices.SortFunc(all, func(a, b window) int { return int(int64(a.id) - int64(b.id)) })
	return all, nil
}

func (w *wayfire) picture() (*image.RGBA, error) { return grim(w.s) }

func (w *wayfire) cover() (*cover, error) { return coverWithLauncher(w, waylandName) }

func (w *wayfire) closeWindow(win window) error {
	if err := w.client.send(win.id, 5, nil); err != nil {
		return err
	}
	return w.client.sync()
}

// workspace does nothing for the first one, which is shown.
func (w *wayfire) workspace(n int) error {
	if n == 0 {
		return nil
	}
	return notTried("wayfire 0.7 has no interface for programs to change the workspace")
}

func (w *wayfire) scale(s *session, factor float64) error {
	_, err := s.run(context.Background(), fmt.Sprintf("wlr-randr --output HEADLESS-1 --scale %g", factor))
	time.Sleep(2 * time.Second)
	return err
}

func (w *wayfire) end() { w.s.stop("compositor") }
