//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// toolTimeout limits one run of a tool of the desktop.
const toolTimeout = 20 * time.Second

func afterTool() <-chan time.Time { return time.After(toolTimeout) }

// wlroots is a compositor of the library wlroots on a screen without a monitor.
type wlroots struct {
	command  string
	renderer string // an environment variable
}

// Renderers of wlroots: sway works without OpenGL, wayfire does not.
const (
	withoutGL  = "WLR_RENDERER=pixman"
	softwareGL = "WLR_RENDERER_ALLOW_SOFTWARE=1"
)

// waylandName is the name of the compositor's socket: wlroots counts from 1 if it is free.
const waylandName = "wayland-1"

func (c wlroots) start(ctx context.Context, s *session) error {
	s.env = append(s.env, "XDG_SESSION_TYPE=wayland", "WLR_BACKENDS=headless", "WLR_LIBINPUT_NO_DEVICES=1", c.renderer, "SWAYSOCK="+runtimeDir+"/sway.sock")
	if err := s.startPart(part{"compositor", c.command}); err != nil {
		return err
	}
	client, err := s.waitWayland(ctx, waylandName)
	if err != nil {
		return err
	}
	s.env = append(s.env, "WAYLAND_DISPLAY="+waylandName, "DISPLAY=:0")
	input, err := newVirtualInput(client)
	if err != nil {
		return err
	}
	s.screen = &sway{virtualInput: input, s: s}
	return nil
}

// waitWayland connects to the compositor, which has just been started.
func (s *session) waitWayland(ctx context.Context, name string) (client *wayland, err error) {
	ended := false
	failed := wait(ctx, "the compositor starts", func() bool {
		select {
		case <-s.parts["compositor"].done:
			ended = true
		default:
		}
		client, err = dialWayland(name)
		return err == nil || ended
	})
	if ended {
		text, _ := os.ReadFile(filepath.Join(records, "compositor.log")) // empty if it cannot be read
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		return nil, fmt.Errorf("the compositor ended: %s", lines[len(lines)-1])
	}
	return client, errors.Join(failed, err)
}

// virtualInput is a pointer and a keyboard of the protocols wlr-virtual-pointer-unstable-v1 and
// virtual-keyboard-unstable-v1.
type virtualInput struct {
	client            *wayland
	pointer, keyboard uint32

	mu   sync.Mutex
	ctrl bool
}

// keymap is compiled by the compositor.
const keymap = `xkb_keymap { xkb_keycodes { include "evdev+aliases(qwerty)" }; xkb_types { include "complete" }; xkb_compat { include "complete" }; xkb_symbols { include "pc+us+inet(evdev)" }; };`

func newVirtualInput(client *wayland) (*virtualInput, error) {
	v := &virtualInput{client: client}
	seat, err := client.bind("wl_seat", 1, nil)
	if err != nil {
		return nil, err
	}
	pointers, err := client.bind("zwlr_virtual_pointer_manager_v1", 1, nil)
	if err != nil {
		return nil, err
	}
	v.pointer = client.newID(nil)
	if err := client.send(pointers, 0, numbers(seat, v.pointer)); err != nil {
		return nil, err
	}
	keyboards, err := client.bind("zwp_virtual_keyboard_manager_v1", 1, nil)
	if err != nil {
		return nil, err
	}
	v.keyboard = client.newID(nil)
	if err := client.send(keyboards, 0, numbers(seat, v.keyboard)); err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("keymap", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make the keymap: %w", err)
	}
	file := os.NewFile(uintptr(fd), "keymap")
	defer file.Close()
	if _, err := file.WriteString(keymap + "\x00"); err != nil {
		return nil, fmt.Errorf("make the keymap: %w", err)
	}
	const textV1 = 1
	if err := client.send(v.keyboard, 0, numbers(textV1, uint32(len(keymap)+1)), fd); err != nil {
		return nil, err
	}
	return v, client.sync()
}

// now is a time stamp in milliseconds.
func now() uint32 { return uint32(time.Now().UnixMilli()) }

func (v *virtualInput) move(to image.Point) error {
	if err := v.client.send(v.pointer, 1, numbers(now(), uint32(to.X), uint32(to.Y), uint32(screenSize.X), uint32(screenSize.Y))); err != nil {
		return err
	}
	return v.frame()
}

func (v *virtualInput) frame() error {
	if err := v.client.send(v.pointer, 4, nil); err != nil {
		return err
	}
	return v.client.sync()
}

// evdevButtons are the codes of mouse buttons in linux/input-event-codes.h.
var evdevButtons = map[int]uint32{1: 0x110, 2: 0x112, 3: 0x111}

func (v *virtualInput) button(n int, down bool) error {
	if err := v.client.send(v.pointer, 2, numbers(now(), evdevButtons[n], state(down))); err != nil {
		return err
	}
	return v.frame()
}

// state encodes whether a key or button is pressed.
func state(down bool) uint32 {
	if down {
		return 1
	}
	return 0
}

// evdevKeys are the codes of keys in linux/input-event-codes.h on a keyboard of the USA.
var evdevKeys = func() map[key]uint32 {
	codes := map[key]uint32{keyReturn: 28, keyEscape: 1, keyUp: 103, keyDown: 108, keyCtrl: 29, ' ': 57}
	for first, row := range map[uint32]string{2: "1234567890", 16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm"} {
		for i, r := range row {
			codes[key(r)] = first + uint32(i)
		}
	}
	return codes
}()

func (v *virtualInput) key(k key, down bool) error {
	code, ok := evdevKeys[k]
	if !ok {
		return fmt.Errorf("the keyboard has no key %#x", uint32(k))
	}
	if err := v.client.send(v.keyboard, 1, numbers(now(), code, state(down))); err != nil {
		return err
	}
	v.mu.Lock()
	if k == keyCtrl {
		v.ctrl = down
	}
	const control = 4 // the bit of the modifier in XKB
	held := state(v.ctrl) * control
	v.mu.Unlock()
	if err := v.client.send(v.keyboard, 2, numbers(held, 0, 0, 0)); err != nil {
		return err
	}
	return v.client.sync()
}

// sway is the screen of sway.
type sway struct {
	*virtualInput
	s *session
}

func (w *sway) picture() (*image.RGBA, error) { return grim(w.s) }

// grim takes a picture with the protocol wlr-screencopy.
func grim(s *session) (*image.RGBA, error) {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, "grim", "-t", "ppm", "-")
	c.Env = s.env
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("take a picture with grim: %w", err)
	}
	return parsePPM(out)
}

// parsePPM reads a binary picture of netpbm with 8 bits per channel (ppm(5)).
func parsePPM(b []byte) (*image.RGBA, error) {
	var width, height, most int
	if _, err := fmt.Sscanf(string(b[:min(len(b), 40)]), "P6\n%d %d\n%d\n", &width, &height, &most); err != nil {
		return nil, fmt.Errorf("read a picture: %w", err)
	}
	if most != 255 || width < 1 || height < 1 || len(b) < 3*width*height {
		return nil, fmt.Errorf("read a picture: %d×%d with %d bytes", width, height, len(b))
	}
	pixels := b[len(b)-3*width*height:]
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = pixels[3*i], pixels[3*i+1], pixels[3*i+2], 0xff
	}
	return img, nil
}

// node is a container of sway (sway-ipc(7)).
type node struct {
	ID       uint32
	Name     string
	Type     string
	PID      int
	Focused  bool
	Visible  bool
	Rect     struct{ X, Y, Width, Height int }
	Window   struct{ X, Y, Width, Height int } `json:"window_rect"`
	Nodes    []node
	Floating []node `json:"floating_nodes"`
}

func (w *sway) windows() ([]window, error) {
	out, err := w.s.run(context.Background(), "swaymsg -t get_tree")
	if err != nil {
		return nil, err
	}
	var root node
	if err := json.Unmarshal([]byte(out), &root); err != nil {
		return nil, fmt.Errorf("read sway's windows: %w", err)
	}
	var all []window
	collect(root, &all)
	return all, nil
}

// collect adds the windows below n.
func collect(n node, all *[]window) {
	if n.PID != 0 {
		frame := image.Rect(n.Rect.X, n.Rect.Y, n.Rect.X+n.Rect.Width, n.Rect.Y+n.Rect.Height)
		content := image.Rect(n.Window.X, n.Window.Y, n.Window.X+n.Window.Width, n.Window.Y+n.Window.Height).Add(frame.Min)
		*all = append(*all, window{id: n.ID, title: n.Name, active: n.Focused, shown: n.Visible, content: content, frame: frame})
	}
	for _, child := range append(n.Nodes, n.Floating...) {
		collect(child, all)
	}
}

// cover opens a launcher in a tab in front.
func (w *sway) cover() (*cover, error) {
	if _, err := w.s.run(context.Background(), "swaymsg layout tabbed"); err != nil {
		return nil, err
	}
	return coverWithLauncher(w, waylandName)
}

// coverWithLauncher opens a launcher as the other window.
func coverWithLauncher(on screen, display string) (*cover, error) {
	l, err := openLauncher(display)
	if err != nil {
		return nil, err
	}
	c := &cover{token: l.token, close: func() {
		l.close()
		_ = within(5*time.Second, "the other window closes", func() bool { _, ok := titled(on, coverTitle); return !ok })
	}}
	if err := within(20*time.Second, "the other window is in front", func() bool { w, ok := titled(on, coverTitle); return ok && w.active }); err != nil {
		c.close()
		return nil, errors.Join(err, l.failure())
	}
	return c, nil
}

func (w *sway) workspace(n int) error {
	_, err := w.s.run(context.Background(), fmt.Sprintf("swaymsg workspace number %d", n+1))
	return err
}

func (w *sway) closeWindow(win window) error {
	_, err := w.s.run(context.Background(), fmt.Sprintf("swaymsg '[con_id=%d] kill'", win.id))
	return err
}

func (w *sway) scale(_ *session, factor float64) error {
	_, err := w.s.run(context.Background(), fmt.Sprintf("swaymsg output '*' scale %g", factor))
	return err
}

func (w *sway) end() {
	_, _ = w.s.run(context.Background(), "swaymsg exit") // it ends while it answers
	time.Sleep(time.Second)
	w.s.stop("compositor")
}
