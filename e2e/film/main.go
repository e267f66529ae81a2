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
	"strconv"
	"strings"
	"syscall"
	"time"

	"porthole/e2e/desktop"
)

const (
	// Environment variables that make this program a server in the film.
	listenVariable  = "PORTHOLE_FILM_LISTEN"  // the addresses, separated by commas
	chainVariable   = "PORTHOLE_FILM_CHAIN"   // the paths of the programs that start the server and of the server itself
	commandVariable = "PORTHOLE_FILM_COMMAND" // the command line of the server

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

// listen is a server: it prints its PID and listens until its standard input ends. While
// chainVariable names programs, it runs the first of them to do so instead, as a
// terminal runs a shell and a shell runs a server.
func listen() {
	if next, rest, _ := strings.Cut(os.Getenv(chainVariable), ","); next != "" {
		c := exec.Command(next)
		if c.Args[0] = filepath.Base(next); rest == "" {
			c.Args = strings.Fields(os.Getenv(commandVariable))
		}
		c.Env = append(os.Environ(), chainVariable+"="+rest)
		c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
		_ = c.Run() // a signal ends the server in the film
		return
	}
	for address := range strings.SplitSeq(os.Getenv(listenVariable), ",") {
		if _, err := net.Listen("tcp", address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fmt.Println(os.Getpid())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// server is a server in the film.
type server struct{ project, command, addresses string }

// others are the servers that run before the film begins; watched opens in it.
var (
	others = []server{
		{"shop-api", "node src/server.js", "127.0.0.1:3000,127.0.0.1:9229"},
		{"shop-web", "node node_modules/.bin/vite", "127.0.0.1:5173,[::1]:5173"},
		{"timesheet", "python3 manage.py runserver 0.0.0.0:8000", "0.0.0.0:8000"},
		{"forecast", "python3 -m jupyter lab", "127.0.0.1:8888"},
	}
	watched = server{"payments", "python3 -m uvicorn payments.app:app --port 62893", "127.0.0.1:62893,[::1]:62893"}
)

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

// scene plays the film. The folders of the projects, which are visible in it, are
// created in dir.
func (f *film) scene(ctx context.Context, dir string) error {
	notes, err := f.d.Record(ctx)
	if err != nil {
		return err
	}
	defer notes.Close()
	for _, s := range others {
		_, stop, err := s.start(dir)
		if err != nil {
			return err
		}
		defer stop()
	}
	window, err := f.d.WaitWindow(ctx, "Porthole")
	if err != nil {
		return err
	}
	time.Sleep(5 * time.Second) // the first rows, which are marked as new for three seconds
	if err := f.show(1500 * time.Millisecond); err != nil {
		return err
	}
	pid, stop, err := watched.start(dir)
	if err != nil {
		return err
	}
	defer stop()
	if err := errors.Join(f.run(3*time.Second), window.Key("End"), f.wait()); err != nil {
		return err
	}
	row, err := f.row(window)
	if err != nil {
		return err
	}
	if err := errors.Join(f.show(time.Second), window.DoubleClick(row.X, row.Y)); err != nil {
		return err
	}
	process, err := f.d.WaitWindow(ctx, fmt.Sprintf("python3 %d – Porthole", pid))
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
	return errors.Join(f.wait(), f.show(4*time.Second)) // the notification fades in
}

// start starts the server in a shell in a terminal, in the folder src/PROJECT of home,
// and returns its PID. The programs are copies of this one in the folder bin of home.
func (s server) start(home string) (pid int, stop func(), err error) {
	folder, bin := filepath.Join(home, "src", s.project), filepath.Join(home, "bin")
	name, _, _ := strings.Cut(s.command, " ")
	var chain []string
	for _, program := range []string{"gnome-terminal-server", "zsh", name} {
		path := filepath.Join(bin, program)
		if err := copyProgram(path); err != nil {
			return 0, nil, err
		}
		chain = append(chain, path)
	}
	if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, "package.json"), fmt.Appendf(nil, `{"name": %q}`, s.project), 0o644)); err != nil {
		return 0, nil, fmt.Errorf("create a project: %w", err)
	}
	c := exec.Command(chain[0])
	c.Args[0] = filepath.Base(chain[0])
	c.Env = append(os.Environ(), listenVariable+"="+s.addresses, chainVariable+"="+strings.Join(chain[1:], ","), commandVariable+"="+s.command)
	c.Dir, c.Stderr = folder, os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return 0, nil, fmt.Errorf("start a server: %w", err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return 0, nil, fmt.Errorf("start a server: %w", err)
	}
	if err := c.Start(); err != nil {
		return 0, nil, fmt.Errorf("start a server: %w", err)
	}
	stop = func() {
		_ = in.Close()
		_ = c.Wait() // the film stops the watched one with a signal
		_ = os.RemoveAll(folder)
		for _, path := range chain {
			_ = os.Remove(path) // another server may have removed it
		}
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		stop()
		return 0, nil, fmt.Errorf("wait for the server of %s: %w", s.project, err)
	}
	return pid, stop, nil
}

// copyProgram copies this program to path, unless it is there.
func copyProgram(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o755)); err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	return nil
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
