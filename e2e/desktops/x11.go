//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// xvfb is an X server without a monitor.
type xvfb struct{}

// screenSize is the size of all screens in pixels.
var screenSize = image.Pt(1280, 800)

func (xvfb) start(ctx context.Context, s *session) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the X server: %w", err)
	}
	defer r.Close()
	c := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", screenSize.X, screenSize.Y), "-nolisten", "tcp", "-noreset", "-s", "0", "-dpi", "96", "-ac")
	c.Env, c.ExtraFiles = s.env, []*os.File{w}
	log, err := os.Create(filepath.Join(records, "xvfb.log"))
	if err != nil {
		return fmt.Errorf("start the X server: %w", err)
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	err = c.Start()
	_ = w.Close()
	if err != nil {
		return fmt.Errorf("start the X server: %w", err)
	}
	server := &running{c, make(chan struct{})}
	go func() { // ends with the server
		_ = c.Wait()
		close(server.done)
	}()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the X server ended: %w", err)
	}
	name := ":" + strings.TrimSpace(number)
	s.env = append(s.env, "DISPLAY="+name, "XDG_SESSION_TYPE=x11", "GDK_BACKEND=x11")
	x, err := openX(name)
	if err != nil {
		return err
	}
	x.server = server
	s.screen = x
	return nil
}

// x11 is a screen of an X server. It is safe for concurrent use.
type x11 struct {
	conn    *xgb.Conn
	root    xproto.Window
	server  *running
	codes   map[key]xproto.Keycode
	display string

	mu    sync.Mutex
	atoms map[string]xproto.Atom
}

func openX(name string) (*x11, error) {
	xgb.Logger.SetOutput(io.Discard) // it logs that there is no .Xauthority
	conn, err := xgb.NewConnDisplay(name)
	if err != nil {
		return nil, fmt.Errorf("connect to the X server: %w", err)
	}
	if err := xtest.Init(conn); err != nil {
		return nil, fmt.Errorf("connect to the X server: %w", err)
	}
	x := &x11{conn: conn, root: xproto.Setup(conn).DefaultScreen(conn).Root, display: name, codes: map[key]xproto.Keycode{}, atoms: map[string]xproto.Atom{}}
	setup := xproto.Setup(conn)
	count := byte(setup.MaxKeycode - setup.MinKeycode + 1)
	keys, err := xproto.GetKeyboardMapping(conn, setup.MinKeycode, count).Reply()
	if err != nil {
		return nil, fmt.Errorf("read the keyboard mapping: %w", err)
	}
	for i := range int(count) {
		first := key(keys.Keysyms[i*int(keys.KeysymsPerKeycode)])
		if _, ok := x.codes[first]; !ok {
			x.codes[first] = setup.MinKeycode + xproto.Keycode(i)
		}
	}
	return x, nil
}

func (x *x11) picture() (*image.RGBA, error) {
	size := screenSize
	reply, err := xproto.GetImage(x.conn, xproto.ImageFormatZPixmap, xproto.Drawable(x.root), 0, 0, uint16(size.X), uint16(size.Y), ^uint32(0)).Reply()
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	if len(reply.Data) != 4*size.X*size.Y {
		return nil, fmt.Errorf("take a picture: got %d bytes", len(reply.Data))
	}
	img := image.NewRGBA(image.Rectangle{Max: size})
	for i := 0; i < len(reply.Data); i += 4 {
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = reply.Data[i+2], reply.Data[i+1], reply.Data[i], 0xff
	}
	return img, nil
}

func (x *x11) move(to image.Point) error {
	return xtest.FakeInputChecked(x.conn, xproto.MotionNotify, 0, 0, x.root, int16(to.X), int16(to.Y), 0).Check()
}

func (x *x11) button(n int, down bool) error {
	kind := byte(xproto.ButtonRelease)
	if down {
		kind = xproto.ButtonPress
	}
	return xtest.FakeInputChecked(x.conn, kind, byte(n), 0, x.root, 0, 0, 0).Check()
}

func (x *x11) key(k key, down bool) error {
	code, ok := x.codes[k]
	if !ok {
		return fmt.Errorf("the keyboard has no key %#x", uint32(k))
	}
	kind := byte(xproto.KeyRelease)
	if down {
		kind = xproto.KeyPress
	}
	return xtest.FakeInputChecked(x.conn, kind, byte(code), 0, x.root, 0, 0, 0).Check()
}

func (x *x11) atom(name string) xproto.Atom {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a, ok := x.atoms[name]; ok {
		return a
	}
	reply, err := xproto.InternAtom(x.conn, false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0
	}
	x.atoms[name] = reply.Atom
	return reply.Atom
}

// property returns a property; empty if the window has none of that name.
func (x *x11) property(w xproto.Window, name string) []byte {
	reply, err := xproto.GetProperty(x.conn, false, w, x.atom(name), xproto.GetPropertyTypeAny, 0, 1024).Reply()
	if err != nil {
		return nil
	}
	return reply.Value
}

// numbers returns a property of 32-bit numbers.
func (x *x11) numbers(w xproto.Window, name string) []uint32 {
	value := x.property(w, name)
	var n []uint32
	for ; len(value) >= 4; value = value[4:] {
		n = append(n, binary.LittleEndian.Uint32(value))
	}
	return n
}

// first returns the first number of a property, or other if there is none.
func (x *x11) first(w xproto.Window, name string, other uint32) uint32 {
	if n := x.numbers(w, name); len(n) > 0 {
		return n[0]
	}
	return other
}

func (x *x11) windows() ([]window, error) {
	active := x.first(x.root, "_NET_ACTIVE_WINDOW", 0)
	current := x.first(x.root, "_NET_CURRENT_DESKTOP", 0)
	var all []window
	for _, id := range x.numbers(x.root, "_NET_CLIENT_LIST") {
		w, err := x.window(xproto.Window(id))
		if err != nil {
			continue // it has just closed
		}
		on := x.first(xproto.Window(id), "_NET_WM_DESKTOP", current)
		w.active = id == active
		w.shown = w.shown && (on == current || on == 0xffffffff)
		all = append(all, w)
	}
	return all, nil
}

// window describes a window without its state on the desktop.
func (x *x11) window(id xproto.Window) (window, error) {
	title := x.property(id, "_NET_WM_NAME")
	if len(title) == 0 {
		title = x.property(id, "WM_NAME")
	}
	attributes, err := xproto.GetWindowAttributes(x.conn, id).Reply()
	if err != nil {
		return window{}, err
	}
	size, err := xproto.GetGeometry(x.conn, xproto.Drawable(id)).Reply()
	if err != nil {
		return window{}, err
	}
	at, err := xproto.TranslateCoordinates(x.conn, id, x.root, 0, 0).Reply()
	if err != nil {
		return window{}, err
	}
	content := image.Rect(int(at.DstX), int(at.DstY), int(at.DstX)+int(size.Width), int(at.DstY)+int(size.Height))
	frame := content
	if e := x.numbers(id, "_NET_FRAME_EXTENTS"); len(e) == 4 { // left, right, top, bottom
		frame = image.Rect(content.Min.X-int(e[0]), content.Min.Y-int(e[2]), content.Max.X+int(e[1]), content.Max.Y+int(e[3]))
	}
	return window{id: uint32(id), title: string(title), shown: attributes.MapState == xproto.MapStateViewable, content: content, frame: frame}, nil
}

// coverTitle is the title of the window of cover.
const coverTitle = "Cover"

func (x *x11) cover() (*cover, error) {
	id, err := xproto.NewWindowId(x.conn)
	if err != nil {
		return nil, fmt.Errorf("open another window: %w", err)
	}
	const mask = xproto.CwBackPixel | xproto.CwEventMask
	xproto.CreateWindow(x.conn, xproto.WindowClassCopyFromParent, id, x.root, 0, 0, 1100, 640, 0, xproto.WindowClassInputOutput, 0, mask, []uint32{0x806040, xproto.EventMaskKeyPress})
	xproto.ChangeProperty(x.conn, xproto.PropModeReplace, id, x.atom("WM_NAME"), xproto.AtomString, 8, uint32(len(coverTitle)), []byte(coverTitle))
	xproto.ChangeProperty(x.conn, xproto.PropModeReplace, id, x.atom("_NET_WM_NAME"), x.atom("UTF8_STRING"), 8, uint32(len(coverTitle)), []byte(coverTitle))
	xproto.MapWindow(x.conn, id)
	c := &cover{close: func() {
		xproto.DestroyWindow(x.conn, id)
		_ = within(5*time.Second, "the other window closes", func() bool { _, ok := titled(x, coverTitle); return !ok })
	}}
	err = within(20*time.Second, "the other window is in front", func() bool {
		w, ok := titled(x, coverTitle)
		if ok && !w.active {
			x.request("_NET_ACTIVE_WINDOW", id, 2, 0)
		}
		return ok && w.active
	})
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// request sends a request to the window manager (Extended Window Manager Hints 1.5).
func (x *x11) request(name string, w xproto.Window, data ...uint32) {
	data = append(data, make([]uint32, 5-len(data))...)
	event := xproto.ClientMessageEvent{Format: 32, Window: w, Type: x.atom(name), Data: xproto.ClientMessageDataUnionData32New(data)}
	xproto.SendEvent(x.conn, false, x.root, xproto.EventMaskSubstructureRedirect|xproto.EventMaskSubstructureNotify, string(event.Bytes()))
}

func (x *x11) workspace(n int) error {
	count := x.first(x.root, "_NET_NUMBER_OF_DESKTOPS", 1)
	if int(count) <= n {
		x.request("_NET_NUMBER_OF_DESKTOPS", x.root, uint32(n+1))
		if err := within(5*time.Second, "the window manager adds a workspace", func() bool { return int(x.first(x.root, "_NET_NUMBER_OF_DESKTOPS", 1)) > n }); err != nil {
			return err
		}
	}
	x.request("_NET_CURRENT_DESKTOP", x.root, uint32(n), 0)
	return within(5*time.Second, "the window manager shows the workspace", func() bool { return int(x.first(x.root, "_NET_CURRENT_DESKTOP", 0)) == n })
}

func (x *x11) closeWindow(w window) error {
	x.request("_NET_CLOSE_WINDOW", xproto.Window(w.id), 0, 2)
	return nil
}

// scale sets the resolution of fonts, as the settings of X11 desktops do.
func (x *x11) scale(s *session, factor float64) error {
	command := "echo 'Xft.dpi: %.0f' | xrdb -merge"
	if s.desk.dpi != "" {
		command = s.desk.dpi
	}
	_, err := s.run(context.Background(), fmt.Sprintf(command, 96*factor))
	time.Sleep(2 * time.Second)
	return err
}

func (x *x11) end() {
	if x.server == nil {
		return
	}
	_ = x.server.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-x.server.done:
	case <-time.After(5 * time.Second):
		_ = x.server.cmd.Process.Kill()
	}
}
