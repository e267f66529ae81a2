//go:build linux

package desktop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Request codes of the X protocol, version 11 ("X Window System Protocol",
// appendix B).
const (
	xGetWindowAttributes  = 3
	xGetGeometry          = 14
	xQueryTree            = 15
	xInternAtom           = 16
	xGetProperty          = 20
	xTranslateCoordinates = 40
	xGetImage             = 73
)

// xTimeout is how long the X server may take to answer a request.
const xTimeout = 10 * time.Second

// errWindowGone is the error of a request about a window that does not exist.
var errWindowGone = errors.New("the window does not exist")

// xConn is a connection to the X server that reads what is on the screen. It
// replaces xwininfo, xdotool and import where a test polls: a request takes
// about 50 µs, the start of a tool several milliseconds, a picture by import
// 100 ms of CPU time. It is safe for concurrent use.
type xConn struct {
	mu    sync.Mutex
	conn  net.Conn
	root  uint32
	atoms map[string]uint32
}

// dialX connects to the X server of a display such as ":7".
func dialX(display string, cookie []byte) (*xConn, error) {
	socket := filepath.Join("/tmp/.X11-unix", "X"+strings.TrimPrefix(display, ":"))
	conn, err := net.DialTimeout("unix", socket, xTimeout)
	if err != nil {
		return nil, fmt.Errorf("connect to the X server: %w", err)
	}
	x := &xConn{conn: conn, atoms: map[string]uint32{}}
	if err := x.setup(cookie); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to the X server: %w", err)
	}
	return x, nil
}

func (x *xConn) setup(cookie []byte) error {
	const protocol = "MIT-MAGIC-COOKIE-1"
	hello := []byte{'l', 0} // little-endian
	for _, n := range []int{11, 0, len(protocol), len(cookie), 0} {
		hello = binary.LittleEndian.AppendUint16(hello, uint16(n))
	}
	hello = append(hello, pad([]byte(protocol))...)
	hello = append(hello, pad(cookie)...)
	x.conn.SetDeadline(time.Now().Add(xTimeout))
	if _, err := x.conn.Write(hello); err != nil {
		return err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(x.conn, head); err != nil {
		return err
	}
	body := make([]byte, 4*int(binary.LittleEndian.Uint16(head[6:])))
	if _, err := io.ReadFull(x.conn, body); err != nil {
		return err
	}
	if head[0] != 1 {
		return fmt.Errorf("refused: %s", bytes.TrimRight(body, "\x00\n"))
	}
	if len(body) < 32 {
		return fmt.Errorf("the answer has only %d bytes", len(body))
	}
	// After the fixed part come the vendor's name, the pixmap formats of 8
	// bytes each, and the screens, which begin with their root window.
	vendor, formats := int(binary.LittleEndian.Uint16(body[16:])), int(body[21])
	screen := 32 + (vendor+3)/4*4 + 8*formats
	if body[22] != 0 || len(body) < screen+4 {
		return errors.New("the X server does not use little-endian pictures")
	}
	x.root = binary.LittleEndian.Uint32(body[screen:])
	return nil
}

// pad returns b with zeros up to a multiple of four bytes.
func pad(b []byte) []byte {
	return append(b[:len(b):len(b)], make([]byte, (4-len(b)%4)%4)...)
}

func (x *xConn) close() { x.conn.Close() }

// request sends a request, whose body is a multiple of four bytes long, and
// returns the reply.
func (x *xConn) request(code, data byte, body []byte) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	message := []byte{code, data}
	message = binary.LittleEndian.AppendUint16(message, uint16(1+len(body)/4))
	message = append(message, body...)
	x.conn.SetDeadline(time.Now().Add(xTimeout))
	if _, err := x.conn.Write(message); err != nil {
		return nil, fmt.Errorf("request %d to the X server: %w", code, err)
	}
	for {
		reply := make([]byte, 32)
		if _, err := io.ReadFull(x.conn, reply); err != nil {
			return nil, fmt.Errorf("request %d to the X server: %w", code, err)
		}
		switch reply[0] {
		case 0: // an error
			const badWindow, badDrawable = 3, 9
			if reply[1] == badWindow || reply[1] == badDrawable {
				return nil, errWindowGone
			}
			return nil, fmt.Errorf("request %d to the X server: error %d", code, reply[1])
		case 1:
			rest := make([]byte, 4*int(binary.LittleEndian.Uint32(reply[4:])))
			if _, err := io.ReadFull(x.conn, rest); err != nil {
				return nil, fmt.Errorf("request %d to the X server: %w", code, err)
			}
			return append(reply, rest...), nil
		}
		// Everything else is an event, such as a new keyboard mapping.
	}
}

// words returns numbers of 32 bits as they are sent.
func words(numbers ...uint32) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func (x *xConn) atom(name string) (uint32, error) {
	x.mu.Lock()
	atom, ok := x.atoms[name]
	x.mu.Unlock()
	if ok {
		return atom, nil
	}
	reply, err := x.request(xInternAtom, 0, append(words(uint32(len(name))), pad([]byte(name))...))
	if err != nil {
		return 0, err
	}
	atom = binary.LittleEndian.Uint32(reply[8:])
	x.mu.Lock()
	x.atoms[name] = atom
	x.mu.Unlock()
	return atom, nil
}

// property returns a window's property, which is empty if the window has none
// of that name.
func (x *xConn) property(window uint32, name string) ([]byte, error) {
	atom, err := x.atom(name)
	if err != nil {
		return nil, err
	}
	const anyType, most = 0, 1024 // most: in units of four bytes
	reply, err := x.request(xGetProperty, 0, words(window, atom, anyType, 0, most))
	if err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint32(reply[16:])) * int(reply[1]) / 8
	return reply[32:min(32+size, len(reply))], nil
}

// managed reports whether a window manager runs.
func (x *xConn) managed() bool {
	value, err := x.property(x.root, "_NET_SUPPORTING_WM_CHECK")
	return err == nil && len(value) == 4
}

// titled calls found for each visible window that has a title.
func (x *xConn) titled(found func(window uint32, title string)) error {
	return x.walk(x.root, found)
}

func (x *xConn) walk(window uint32, found func(window uint32, title string)) error {
	reply, err := x.request(xQueryTree, 0, words(window))
	if err != nil {
		return err
	}
	for children := reply[32:]; len(children) >= 4; children = children[4:] {
		child := binary.LittleEndian.Uint32(children)
		visible, err := x.visible(child)
		if err == nil && visible {
			var title []byte
			if title, err = x.title(child); err == nil {
				if len(title) > 0 {
					found(child, string(title))
				}
				err = x.walk(child, found)
			}
		}
		if err != nil && !errors.Is(err, errWindowGone) {
			return err
		}
	}
	return nil
}

// visible reports whether a window and all that it is in are mapped. Parts of
// windows that show nothing by themselves are not visible.
func (x *xConn) visible(window uint32) (bool, error) {
	reply, err := x.request(xGetWindowAttributes, 0, words(window))
	const inputOnly, viewable = 2, 2
	return err == nil && binary.LittleEndian.Uint16(reply[12:]) != inputOnly && reply[26] == viewable, err
}

func (x *xConn) title(window uint32) ([]byte, error) {
	title, err := x.property(window, "_NET_WM_NAME") // in UTF-8
	if err == nil && len(title) == 0 {
		title, err = x.property(window, "WM_NAME")
	}
	return title, err
}

// geometry returns where a window's content is on the screen.
func (x *xConn) geometry(window uint32) (image.Rectangle, error) {
	size, err := x.request(xGetGeometry, 0, words(window))
	if err != nil {
		return image.Rectangle{}, err
	}
	place, err := x.request(xTranslateCoordinates, 0, words(window, x.root, 0))
	if err != nil {
		return image.Rectangle{}, err
	}
	at := image.Pt(int(int16(binary.LittleEndian.Uint16(place[12:]))), int(int16(binary.LittleEndian.Uint16(place[14:]))))
	return image.Rectangle{at, at.Add(image.Pt(int(binary.LittleEndian.Uint16(size[16:])), int(binary.LittleEndian.Uint16(size[18:]))))}, nil
}

// picture returns what a part of the screen shows, without the pointer.
func (x *xConn) picture(r image.Rectangle) (*image.RGBA, error) {
	const zPixmap = 2
	body := words(x.root)
	for _, n := range []int{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} {
		body = binary.LittleEndian.AppendUint16(body, uint16(n))
	}
	reply, err := x.request(xGetImage, zPixmap, append(body, words(0xffffffff)...))
	if err != nil {
		return nil, err
	}
	pixels := reply[32:]
	if reply[1] != 24 || len(pixels) != 4*r.Dx()*r.Dy() {
		return nil, fmt.Errorf("picture of %v with %d bits per pixel has %d bytes; want 24 bits in four bytes each", r, reply[1], len(pixels))
	}
	img := image.NewRGBA(r)
	for i := 0; i < len(pixels); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = pixels[i+2], pixels[i+1], pixels[i], 0xff
	}
	return img, nil
}
