//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// kwin is Plasma's Wayland compositor on a screen without a monitor.
type kwin struct{}

const kwinSocket = "wayland-0"

func (kwin) start(ctx context.Context, s *session) error {
	s.env = append(s.env, "XDG_SESSION_TYPE=wayland", "KWIN_WAYLAND_NO_PERMISSION_CHECKS=1", "KWIN_SCREENSHOT_NO_PERMISSION_CHECKS=1", "QT_QPA_PLATFORM=wayland;xcb")
	// A copy has no file capabilities, which not every container may give.
	command := fmt.Sprintf("sh -c 'cp /usr/bin/kwin_wayland . && exec ./kwin_wayland --virtual --xwayland --socket %s --width %d --height %d'", kwinSocket, screenSize.X, screenSize.Y)
	if err := s.startPart(part{"compositor", command}); err != nil {
		return err
	}
	client, err := s.waitWayland(ctx, kwinSocket)
	if err != nil {
		return err
	}
	s.env = append(s.env, "WAYLAND_DISPLAY="+kwinSocket, "DISPLAY=:0")
	k := &kwinScreen{s: s, client: client, known: map[uint32]*kwinWindow{}}
	if err := k.openInput(); err != nil {
		return err
	}
	s.screen = k
	return k.listenWindows()
}

// kwinPermission is the desktop entry with which KWin lets this program use protocols that are not for all.
const kwinPermission = "[Desktop Entry]\nType=Application\nName=Desktops\nNoDisplay=true\nExec=" + installed + "\nX-KDE-Wayland-Interfaces=org_kde_kwin_fake_input,org_kde_plasma_window_management\nX-KDE-DBUS-Restricted-Interfaces=org.kde.KWin.ScreenShot2\n"

// kwinScreen is the screen of KWin. It uses the protocols org_kde_kwin_fake_input and
// org_kde_plasma_window_management of plasma-wayland-protocols. It is safe for concurrent use.
type kwinScreen struct {
	s              *session
	client         *wayland
	input, manager uint32

	mu    sync.Mutex
	known map[uint32]*kwinWindow // by object
}

type kwinWindow struct {
	title string
	state uint32
	frame image.Rectangle
}

func (k *kwinScreen) openInput() (err error) {
	if k.input, err = k.client.bind("org_kde_kwin_fake_input", 4, nil); err != nil {
		return err
	}
	if err := k.client.send(k.input, 0, append(stringArgument("desktops"), stringArgument("test")...)); err != nil {
		return err
	}
	return k.client.sync()
}

// fixed encodes a number with 8 bits after the point.
func fixed(n int) uint32 { return uint32(n << 8) }

func (k *kwinScreen) request(opcode uint16, arguments ...uint32) error {
	if err := k.client.send(k.input, opcode, numbers(arguments...)); err != nil {
		return err
	}
	return k.client.sync()
}

func (k *kwinScreen) move(to image.Point) error { return k.request(9, fixed(to.X), fixed(to.Y)) }

func (k *kwinScreen) button(n int, down bool) error {
	return k.request(2, evdevButtons[n], state(down))
}

func (k *kwinScreen) key(pressed key, down bool) error {
	code, ok := evdevKeys[pressed]
	if !ok {
		return fmt.Errorf("the keyboard has no key %#x", uint32(pressed))
	}
	return k.request(10, code, state(down))
}

// listenWindows follows the windows.
func (k *kwinScreen) listenWindows() (err error) {
	const version = 6 // the first with geometries
	k.manager, err = k.client.bind("org_kde_plasma_window_management", version, func(opcode uint16, body []byte) {
		if opcode != 1 || len(body) < 4 { // 1: a window, by its internal number
			return
		}
		w := &kwinWindow{}
		_, _ = k.client.create(nil, func(id uint32) error { // the next request reports errors
			k.client.adopt(id, func(opcode uint16, body []byte) { k.handle(id, w, opcode, body) })
			k.mu.Lock()
			k.known[id] = w
			k.mu.Unlock()
			return k.client.send(k.manager, 1, numbers(id, binary.NativeEndian.Uint32(body)))
		})
	})
	if err != nil {
		return err
	}
	return k.client.sync()
}

// handle handles an event of a window.
func (k *kwinScreen) handle(id uint32, w *kwinWindow, opcode uint16, body []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case opcode == 0:
		w.title, _ = readString(body)
	case opcode == 2 && len(body) >= 4:
		w.state = binary.NativeEndian.Uint32(body)
	case opcode == 5: // unmapped
		delete(k.known, id)
	case opcode == 8 && len(body) >= 16:
		var n [4]int
		for i := range n {
			n[i] = int(int32(binary.NativeEndian.Uint32(body[4*i:])))
		}
		w.frame = image.Rect(n[0], n[1], n[0]+n[2], n[1]+n[3])
	}
}

// breezeBar is the height of a title bar in pixels, which KWin does not report.
const breezeBar = 28

func (k *kwinScreen) windows() ([]window, error) {
	if err := k.client.sync(); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	const active, minimized = 1, 2
	var all []window
	for id, w := range k.known {
		content := w.frame
		content.Min.Y += breezeBar
		all = append(all, window{id: id, title: w.title, active: w.state&active != 0, shown: w.state&minimized == 0, frame: w.frame, content: content})
	}
	slices.SortFunc(all, func(a, b window) int { return int(a.id) - int(b.id) })
	return all, nil
}

// picture takes a picture with org.kde.KWin.ScreenShot2, which writes 32 bits per pixel into a pipe.
func (k *kwinScreen) picture() (*image.RGBA, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	const name = "org.kde.KWin.ScreenShot2"
	call := k.s.bus.Object("org.kde.KWin.ScreenShot2", "/org/kde/KWin/ScreenShot2").GoWithContext(ctx, name+".CaptureWorkspace", 0, nil,
		map[string]dbus.Variant{"native-resolution": dbus.MakeVariant(true)}, dbus.UnixFD(w.Fd()))
	var result map[string]dbus.Variant
	if err := (<-call.Done).Store(&result); err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	_ = w.Close()
	_ = r.SetReadDeadline(time.Now().Add(toolTimeout))
	pixels, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("take a picture: %w", err)
	}
	number := func(key string) int { n, _ := result[key].Value().(uint32); return int(n) }
	width, height, stride := number("width"), number("height"), number("stride")
	if width < 1 || height < 1 || stride < 4*width || len(pixels) < stride*height {
		return nil, fmt.Errorf("take a picture: %d×%d with %d bytes", width, height, len(pixels))
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			from, to := pixels[y*stride+4*x:], img.Pix[img.PixOffset(x, y):]
			to[0], to[1], to[2], to[3] = from[2], from[1], from[0], 0xff // QImage::Format_ARGB32 and RGB32 in memory
		}
	}
	return img, nil
}

func (k *kwinScreen) cover() (*cover, error) { return coverWithLauncher(k, kwinSocket) }

// closeWindow asks the window to close.
func (k *kwinScreen) closeWindow(w window) error {
	if err := k.client.send(w.id, 4, nil); err != nil {
		return err
	}
	return k.client.sync()
}

func (k *kwinScreen) workspace(n int) error {
	ctx := context.Background()
	for range n { // there is one at first, and more than enough do no harm
		if _, err := k.s.run(ctx, "qdbus org.kde.KWin /VirtualDesktopManager org.kde.KWin.VirtualDesktopManager.createDesktop 1 More"); err != nil {
			return err
		}
	}
	_, err := k.s.run(ctx, fmt.Sprintf("qdbus org.kde.KWin /KWin org.kde.KWin.setCurrentDesktop %d", n+1))
	return err
}

func (k *kwinScreen) scale(s *session, factor float64) error {
	_, err := s.run(context.Background(), fmt.Sprintf("kscreen-doctor output.1.scale.%g", factor))
	time.Sleep(2 * time.Second)
	return err
}

func (k *kwinScreen) end() { k.s.stop("compositor") }
