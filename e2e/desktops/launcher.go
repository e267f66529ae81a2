//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// launcher is a window on Wayland that starts programs, such as a desktop's menu: it
// gets activation tokens for them (wayland-protocols, staging/xdg-activation). It covers other
// windows as well. It is safe for concurrent use.
type launcher struct {
	client                                            *wayland
	compositor, pool, base, surface, xdgSurface, seat uint32
	activation                                        uint32 // 0 if the compositor has no such protocol

	mu     sync.Mutex
	inputs uint32 // the capabilities of the seat: pointer, keyboard
	size   image.Point
	serial uint32 // of the last press of a button or key; 0: there was none
	failed error
}

// Opcodes of requests, in the order of the protocols' XML files.
const (
	createSurface     = 0 // wl_compositor
	attach            = 1 // wl_surface
	damage            = 2
	commit            = 6
	createPool        = 0 // wl_shm
	createBuffer      = 0 // wl_shm_pool
	getXdgSurface     = 2 // xdg_wm_base
	pong              = 3
	getToplevel       = 1 // xdg_surface
	ackConfigure      = 4
	setTitle          = 2 // xdg_toplevel
	setAppID          = 3
	getPointer        = 0 // wl_seat
	getKeyboard       = 1
	getToken          = 1 // xdg_activation_v1
	setSerial         = 0 // xdg_activation_token_v1
	setTokenSurface   = 2
	commitToken       = 3
	xrgb8888          = 1                  // a format of wl_shm
	inputPressed      = 3                  // the event button of wl_pointer and key of wl_keyboard
	launcherPixel     = "\x40\x60\x80\xff" // blue, green, red, unused
	launcherAppID     = "launcher"
	launcherWaitLimit = 20 * time.Second
)

// openLauncher opens a launcher on the display of this name, with the title of the covering window.
func openLauncher(display string) (*launcher, error) {
	client, err := dialWayland(display)
	if err != nil {
		return nil, err
	}
	l := &launcher{client: client, size: image.Pt(1100, 640)}
	if err := l.open(); err != nil {
		l.close()
		return nil, fmt.Errorf("open the launcher: %w", err)
	}
	return l, nil
}

func (l *launcher) close() { _ = l.client.conn.Close() }

// open creates the window. The compositor shows it after its first configuration.
func (l *launcher) open() error {
	var errs []error
	bind := func(face string, handle func(uint16, []byte)) uint32 {
		id, err := l.client.bind(face, 1, handle)
		errs = append(errs, err)
		return id
	}
	l.compositor = bind("wl_compositor", nil)
	l.base = bind("xdg_wm_base", func(_ uint16, body []byte) { l.request(l.base, pong, body) })
	l.seat = bind("wl_seat", l.handleSeat)
	memory := bind("wl_shm", nil)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	l.activation, _ = l.client.bind("xdg_activation_v1", 1, nil) // not every compositor has it
	if err := errors.Join(l.makePool(memory), l.openInputs()); err != nil {
		return err
	}
	l.surface = l.create(l.compositor, createSurface, nil)
	l.xdgSurface = l.create(l.base, getXdgSurface, func(opcode uint16, body []byte) {
		if opcode == 0 {
			l.request(l.xdgSurface, ackConfigure, body)
			l.draw()
		}
	}, l.surface)
	toplevel := l.create(l.xdgSurface, getToplevel, func(opcode uint16, body []byte) {
		if opcode == 0 && len(body) >= 8 {
			l.resize(image.Pt(int(binary.NativeEndian.Uint32(body)), int(binary.NativeEndian.Uint32(body[4:]))))
		}
	})
	l.request(toplevel, setTitle, stringArgument(coverTitle))
	l.request(toplevel, setAppID, stringArgument(launcherAppID))
	l.request(l.surface, commit, nil)
	return l.failure()
}

// request sends a request. Errors are kept for failure.
func (l *launcher) request(object uint32, opcode uint16, body []byte) {
	l.keep(l.client.send(object, opcode, body))
}

// create creates an object with a request whose first argument is the new id.
func (l *launcher) create(object uint32, opcode uint16, handle func(uint16, []byte), more ...uint32) uint32 {
	id, err := l.client.create(handle, func(id uint32) error {
		return l.client.send(object, opcode, numbers(append([]uint32{id}, more...)...))
	})
	l.keep(err)
	return id
}

func (l *launcher) keep(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = errors.Join(l.failed, err)
}

// failure waits until the compositor has answered all requests, and returns what failed.
func (l *launcher) failure() error {
	err := l.client.sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.failed, err)
}

// makePool shares memory for a picture as large as the screen, which the window is at most.
func (l *launcher) makePool(shm uint32) error {
	fd, err := unix.MemfdCreate("launcher", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("make the picture: %w", err)
	}
	file := os.NewFile(uintptr(fd), "launcher")
	defer file.Close()
	size := len(launcherPixel) * screenSize.X * screenSize.Y
	pixels := make([]byte, 0, size)
	for len(pixels) < size {
		pixels = append(pixels, launcherPixel...)
	}
	if _, err := file.Write(pixels); err != nil {
		return fmt.Errorf("make the picture: %w", err)
	}
	l.pool, err = l.client.create(nil, func(id uint32) error {
		return l.client.send(shm, createPool, numbers(id, uint32(size)), fd)
	})
	return err
}

// resize sets the size of the next picture. A compositor that leaves the size to the window sends 0.
func (l *launcher) resize(size image.Point) {
	if size.X > 0 && size.Y > 0 {
		l.mu.Lock()
		l.size = image.Pt(min(size.X, screenSize.X), min(size.Y, screenSize.Y))
		l.mu.Unlock()
	}
}

func (l *launcher) draw() {
	l.mu.Lock()
	width, height := uint32(l.size.X), uint32(l.size.Y)
	l.mu.Unlock()
	buffer := l.create(l.pool, createBuffer, nil, 0, width, height, width*uint32(len(launcherPixel)), xrgb8888) // ends with the connection
	l.request(l.surface, attach, numbers(buffer, 0, 0))
	l.request(l.surface, damage, numbers(0, 0, width, height))
	l.request(l.surface, commit, nil)
}

// handleSeat records the input devices of the seat.
func (l *launcher) handleSeat(opcode uint16, body []byte) {
	if opcode == 0 && len(body) >= 4 {
		l.mu.Lock()
		l.inputs = binary.NativeEndian.Uint32(body)
		l.mu.Unlock()
	}
}

// openInputs listens to the input devices that the seat has now.
func (l *launcher) openInputs() error {
	if err := l.failure(); err != nil { // the seat has reported them afterwards
		return err
	}
	l.mu.Lock()
	inputs := l.inputs
	l.mu.Unlock()
	const pointer, keyboard = 1, 2
	if inputs&pointer != 0 {
		l.create(l.seat, getPointer, l.handleInput)
	}
	if inputs&keyboard != 0 {
		l.create(l.seat, getKeyboard, l.handleInput)
	}
	return nil
}

// handleInput handles events of the pointer and of the keyboard.
func (l *launcher) handleInput(opcode uint16, body []byte) {
	if opcode == inputPressed && len(body) >= 4 {
		l.mu.Lock()
		l.serial = binary.NativeEndian.Uint32(body)
		l.mu.Unlock()
	}
}

// token returns an activation token for a program that the last click starts; notTried if the
// compositor has none.
func (l *launcher) token() (string, error) {
	if l.activation == 0 {
		return "", notTried("the compositor has no activation tokens")
	}
	l.mu.Lock()
	serial := l.serial
	l.mu.Unlock()
	if serial == 0 {
		return "", errors.New("nobody has clicked in the launcher")
	}
	done := make(chan string, 1)
	id := l.create(l.activation, getToken, func(_ uint16, body []byte) {
		text, _ := readString(body)
		done <- text
	})
	l.request(id, setSerial, numbers(serial, l.seat))
	l.request(id, setTokenSurface, numbers(l.surface))
	l.request(id, commitToken, nil)
	select {
	case token := <-done:
		return token, nil
	case <-time.After(launcherWaitLimit):
		return "", errors.Join(errors.New("the compositor gave no activation token"), l.failure())
	}
}
