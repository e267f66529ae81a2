//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// wayland is a connection to a Wayland compositor with the few requests that input and lists of windows need. The
// wire format is that of the Wayland documentation ("Wire Format"). It is safe for concurrent use.
type wayland struct {
	conn *net.UnixConn

	creating sync.Mutex // held by create

	mu      sync.Mutex
	last    uint32
	globals map[string]uint32 // names by interface
	handle  map[uint32]func(opcode uint16, body []byte)
	failed  error
}

const (
	displayID = 1
	registry  = 2
)

// dialWayland connects to the display of this name in the runtime folder and waits for the list of its globals.
func dialWayland(name string) (*wayland, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(runtimeDir, name), Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("connect to the compositor: %w", err)
	}
	w := &wayland{conn: conn, last: registry, globals: map[string]uint32{}, handle: map[uint32]func(uint16, []byte){}}
	w.handle[displayID] = w.handleDisplay
	w.handle[registry] = w.handleRegistry
	go w.read() // ends with the connection
	if err := w.send(displayID, 1, numbers(registry)); err != nil {
		return nil, err
	}
	return w, w.sync()
}

// numbers encodes 32-bit arguments.
func numbers(all ...uint32) []byte {
	var b []byte
	for _, n := range all {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	return b
}

// stringArgument encodes a string: its length with the final zero, padded to 32 bits.
func stringArgument(s string) []byte {
	b := append(numbers(uint32(len(s)+1)), s...)
	return append(b, make([]byte, 4-len(s)%4)...)
}

// readString decodes a string and returns the rest.
func readString(b []byte) (string, []byte) {
	if len(b) < 4 {
		return "", nil
	}
	n := int(binary.NativeEndian.Uint32(b))
	end := 4 + (n+3)/4*4
	if n < 1 || len(b) < end {
		return "", nil
	}
	return string(b[4 : 4+n-1]), b[end:]
}

// send sends a request, with a file descriptor if fd is given.
func (w *wayland) send(object uint32, opcode uint16, body []byte, fd ...int) error {
	message := numbers(object, uint32(len(body)+8)<<16|uint32(opcode))
	var rights []byte
	if len(fd) > 0 {
		rights = unix.UnixRights(fd...)
	}
	if _, _, err := w.conn.WriteMsgUnix(append(message, body...), rights, nil); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		return fmt.Errorf("send a request to the compositor: %w", errors.Join(err, w.failed))
	}
	return nil
}

func (w *wayland) read() {
	head := make([]byte, 8)
	for {
		if _, err := io.ReadFull(w.conn, head); err != nil {
			return
		}
		word := binary.NativeEndian.Uint32(head[4:])
		if word>>16 < 8 {
			return
		}
		body := make([]byte, word>>16-8)
		if _, err := io.ReadFull(w.conn, body); err != nil {
			return
		}
		w.mu.Lock()
		handle := w.handle[binary.NativeEndian.Uint32(head)]
		w.mu.Unlock()
		if handle != nil {
			handle(uint16(word), body)
		}
	}
}

func (w *wayland) handleDisplay(opcode uint16, body []byte) {
	if opcode != 0 || len(body) < 8 { // 0: a fatal error: object, code, text
		return
	}
	text, _ := readString(body[8:])
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = errors.New(text)
}

func (w *wayland) handleRegistry(opcode uint16, body []byte) {
	if opcode != 0 || len(body) < 4 {
		return
	}
	name := binary.NativeEndian.Uint32(body)
	face, _ := readString(body[4:])
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.globals[face]; !known {
		w.globals[face] = name
	}
}

// newID returns the id of a new object, whose events handle gets on the goroutine of the connection.
func (w *wayland) newID(handle func(opcode uint16, body []byte)) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	w.handle[w.last] = handle
	return w.last
}

// create makes an object with the request that send sends. Compositors accept new ids in
// their order only, so other goroutines create none meanwhile.
func (w *wayland) create(handle func(opcode uint16, body []byte), send func(id uint32) error) (uint32, error) {
	w.creating.Lock()
	defer w.creating.Unlock()
	id := w.newID(handle)
	return id, send(id)
}

// adopt sets the handler of an object that the compositor has made.
func (w *wayland) adopt(id uint32, handle func(opcode uint16, body []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handle[id] = handle
}

// sync waits until the compositor has answered all requests.
func (w *wayland) sync() error {
	done := make(chan struct{})
	var once sync.Once
	_, err := w.create(func(uint16, []byte) { once.Do(func() { close(done) }) }, func(id uint32) error { return w.send(displayID, 0, numbers(id)) })
	if err != nil {
		return err
	}
	select {
	case <-done:
	case <-afterTool():
		return errors.New("the compositor does not answer")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// bind returns the object of a global interface.
func (w *wayland) bind(face string, version uint32, handle func(opcode uint16, body []byte)) (uint32, error) {
	w.mu.Lock()
	name, ok := w.globals[face]
	w.mu.Unlock()
	if !ok {
		return 0, fmt.Errorf("the compositor has no %s", face)
	}
	body := append(numbers(name), stringArgument(face)...)
	return w.create(handle, func(id uint32) error { return w.send(registry, 0, append(body, numbers(version, id)...)) })
}
