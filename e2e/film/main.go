//go:build linux

// Command film makes the film for the README on a virtual desktop: a port opens, a
// notification appears, a double click opens the process window, and the process is
// stopped.
//
//	film PROGRAM FILE.gif
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"porthole/e2e/desktop"
)

const (
	address = "127.0.0.1:62893"

	// listenVariable is the environment variable that makes this program the server in
	// the film.
	listenVariable = "PORTHOLE_FILM_LISTEN"

	timeout = 3 * time.Minute // for the whole film
)

// selectedRow is the background of the selected row in the dark theme.
var selectedRow = color.RGBA{0x1d, 0x3b, 0x40, 255}

func main() {
	if os.Getenv(listenVariable) != "" {
		listen()
		return
	}
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: film PROGRAM FILE.gif")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "film:", err)
		os.Exit(1)
	}
}

// listen is the server: it listens until its standard input ends.
func listen() {
	if _, err := net.Listen("tcp", address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func run(program, file string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "film-")
	if err != nil {
		return fmt.Errorf("create a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	opts := desktop.DefaultOptions()
	opts.Size = "1080x760x24"
	d, err := desktop.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer d.Stop()
	if err := skipWelcome(d); err != nil {
		return err
	}
	porthole := d.Command(program)
	porthole.Stderr = os.Stderr
	if err := porthole.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	defer func() {
		_ = porthole.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = porthole.Wait()                          // its exit status has no meaning here
	}()
	f := &film{d: d, dir: dir}
	if err := f.scene(ctx, filepath.Dir(file)); err != nil {
		return err
	}
	return f.write(file)
}

// skipWelcome lets Porthole start without the welcome of a new user.
func skipWelcome(d *desktop.Desktop) error {
	state := filepath.Join(d.Dir(), "home/.local/state/porthole")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return fmt.Errorf("create Porthole's state: %w", err)
	}
	if err := os.WriteFile(filepath.Join(state, "window.json"), []byte(`{"version":1}`), 0o600); err != nil {
		return fmt.Errorf("create Porthole's state: %w", err)
	}
	return nil
}

// film is a list of pictures of a desktop, each with its duration.
type film struct {
	d      *desktop.Desktop
	dir    string
	frames []string // arguments of convert(1)
}

// scene plays the film. The project's folder, which is visible in it, is created in dir.
func (f *film) scene(ctx context.Context, dir string) error {
	notes, err := f.d.Record(ctx)
	if err != nil {
		return err
	}
	defer notes.Close()
	window, err := f.d.WaitWindow(ctx, "Porthole")
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // the first rows
	if err := f.show(1500 * time.Millisecond); err != nil {
		return err
	}
	src := filepath.Join(dir, "src")
	server, stop, err := startServer(src)
	if err != nil {
		return err
	}
	defer stop()
	if err := errors.Join(f.run(3*time.Second), window.Key("Down"), f.wait()); err != nil {
		return err
	}
	row, err := f.row(window)
	if err != nil {
		return err
	}
	if err := errors.Join(f.show(time.Second), window.DoubleClick(row.X, row.Y)); err != nil {
		return err
	}
	process, err := f.d.WaitWindow(ctx, fmt.Sprintf("node %d – Porthole", server.Process.Pid))
	if err != nil {
		return err
	}
	if err := errors.Join(f.wait(), f.show(4*time.Second),
		process.Key("shift+Tab"), process.Key("Return"), f.wait(), f.show(2*time.Second), // the question
		process.Key("Tab"), process.Key("Return"), f.run(1500*time.Millisecond)); err != nil { // Stop
		return err
	}
	if _, err := notes.WaitNote(ctx, func(n desktop.Note) bool { return strings.HasPrefix(n.Summary, "62893 closed") }); err != nil {
		return err
	}
	return f.show(4 * time.Second)
}

// startServer starts this program as "node", the server of the project acme-web in src.
func startServer(src string) (server *exec.Cmd, stop func(), err error) {
	project := filepath.Join(src, "acme-web")
	if err := os.MkdirAll(project, 0o755); err != nil {
		return nil, nil, fmt.Errorf("create a project: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find this program: %w", err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		return nil, nil, fmt.Errorf("read this program: %w", err)
	}
	node := filepath.Join(project, "node")
	if err := errors.Join(os.WriteFile(filepath.Join(project, "package.json"), []byte(`{"name": "acme-web"}`), 0o644), os.WriteFile(node, b, 0o755)); err != nil {
		return nil, nil, fmt.Errorf("create a project: %w", err)
	}
	server = exec.Command(node)
	server.Args = []string{"node", "--serve"}
	server.Env = append(os.Environ(), listenVariable+"=1")
	server.Dir, server.Stderr = project, os.Stderr
	in, err := server.StdinPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start a server: %w", err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start a server: %w", err)
	}
	if err := server.Start(); err != nil {
		return nil, nil, fmt.Errorf("start a server: %w", err)
	}
	stop = func() {
		_ = in.Close()
		_ = server.Wait() // the film stops it with a signal
		_ = os.RemoveAll(src)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		stop()
		return nil, nil, fmt.Errorf("wait for the server: %w", err)
	}
	return server, stop, nil
}

// row returns a point on the process name of the selected row.
func (f *film) row(w desktop.Window) (image.Point, error) {
	frame, err := w.Geometry()
	if err != nil {
		return image.Point{}, err
	}
	picture, err := f.d.Picture()
	if err != nil {
		return image.Point{}, err
	}
	x := frame.Min.X + frame.Dx()/2
	for y := frame.Min.Y; y < frame.Max.Y; y++ {
		if picture.RGBAAt(x, y) == selectedRow {
			return image.Pt(frame.Dx()/4, y-frame.Min.Y+8), nil
		}
	}
	return image.Point{}, errors.New("no row is selected")
}

// wait gives the window time to draw.
func (f *film) wait() error {
	time.Sleep(1200 * time.Millisecond)
	return nil
}

// show takes a picture that the film shows for a duration.
func (f *film) show(d time.Duration) error {
	file := filepath.Join(f.dir, fmt.Sprintf("%04d.png", len(f.frames)))
	f.frames = append(f.frames, "-delay", fmt.Sprint(d.Milliseconds()/10), file)
	return f.d.Screenshot(file)
}

// run takes pictures for a duration, as fast as the film shows them.
func (f *film) run(d time.Duration) error {
	const frame = 200 * time.Millisecond
	for end := time.Now().Add(d); time.Now().Before(end); {
		next := time.Now().Add(frame)
		if err := f.show(frame); err != nil {
			return err
		}
		time.Sleep(time.Until(next))
	}
	return nil
}

// write makes an endless GIF of the pictures.
func (f *film) write(file string) error {
	args := append([]string{"-loop", "0"}, f.frames...)
	args = append(args, "+dither", "-layers", "optimize", "-colors", "96", file)
	if out, err := exec.Command("convert", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("convert: %w: %s", err, out)
	}
	return nil
}
