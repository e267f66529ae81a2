package trypage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/internal/freeport"
	"porthole/monitor/process/child"
)

// Variables of the children's environment.
const (
	portVariable     = "TRYPAGE_PORT"
	durationVariable = "TRYPAGE_DURATION"
)

func TestMain(m *testing.M) {
	child.Main(m, map[string]func(){"page": servePage, "parent": startPage})
}

// servePage is the page's process.
func servePage() {
	port, err := strconv.ParseUint(os.Getenv(portVariable), 10, 16)
	if err != nil {
		child.Fail(err)
	}
	d, err := time.ParseDuration(os.Getenv(durationVariable))
	if err != nil {
		child.Fail(err)
	}
	switch err := Serve(context.Background(), os.Stdin, os.Stdout, uint16(port), d); {
	case errors.Is(err, ErrInUse):
		os.Exit(ExitInUse)
	case err != nil:
		child.Fail(err)
	}
}

// startPage starts the page's process, reports its port, and waits for it.
func startPage() {
	c := child.Command("page")
	c.Stderr = nil
	if err := Run(context.Background(), c, func() { child.Report(os.Getenv(portVariable)) }); err != nil {
		child.Fail(err)
	}
}

// start runs the page's process in the background. The result is sent to ended.
func start(t *testing.T, ctx context.Context, port int, d time.Duration) (c *exec.Cmd, open chan struct{}, ended chan error) {
	t.Helper()
	t.Setenv(portVariable, fmt.Sprint(port))
	t.Setenv(durationVariable, d.String())
	c = child.Command("page")
	c.Stderr = nil
	open, ended = make(chan struct{}), make(chan error, 1)
	go func() { ended <- Run(ctx, c, func() { close(open) }) }()
	return c, open, ended
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// wantFree fails the test unless nothing listens on port.
func wantFree(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp4", address(port))
	if err != nil {
		t.Errorf("the port is still in use: %v", err)
		return
	}
	_ = l.Close()
}

func TestThePageIsAPlainText(t *testing.T) {
	port := freeport.Get(t)
	ctx, cancel := context.WithCancel(t.Context())
	c, open, ended := start(t, ctx, port, time.Minute)
	select {
	case <-open:
	case err := <-ended:
		t.Fatalf("Run() = %v before the page was open", err)
	}
	r, err := http.Get("http://" + address(port) + "/<script>")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil || string(body) != text || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("got %q, %v of type %s, want the text", body, err, r.Header.Get("Content-Type"))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v after ctx ended, want nil", err)
	}
	if !c.ProcessState.Success() {
		t.Errorf("the page ended with %v, which would be reported as a crash", c.ProcessState)
	}
	wantFree(t, port)
}

func TestThePageEndsByItself(t *testing.T) {
	port := freeport.Get(t)
	_, open, ended := start(t, t.Context(), port, 50*time.Millisecond)
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
	select {
	case <-open:
	default:
		t.Error("the page was never open")
	}
	wantFree(t, port)
}

func TestThePortIsInUse(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, _, ended := start(t, t.Context(), l.Addr().(*net.TCPAddr).Port, time.Minute)
	if err := <-ended; !errors.Is(err, ErrInUse) {
		t.Errorf("Run() = %v, want ErrInUse", err)
	}
}

func TestAProgramThatCannotBeStarted(t *testing.T) {
	c := child.Command("page")
	c.Path = t.TempDir()
	if err := Run(t.Context(), c, func() { t.Error("the page is open") }); err == nil || errors.Is(err, ErrInUse) {
		t.Errorf("Run() = %v, want another error than ErrInUse", err)
	}
}

// A window that is killed cannot end the page, and takes it away nevertheless.
func TestThePageEndsWithAParentThatIsKilled(t *testing.T) {
	port := freeport.Get(t)
	t.Setenv(portVariable, fmt.Sprint(port))
	t.Setenv(durationVariable, "1h")
	c := child.Command("parent")
	parent, err := child.Launch(c)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := parent.Out.ReadString('\n'); err != nil {
		t.Fatalf("the parent reported %q, %v", line, err)
	}
	await.Listener(t, address(port))
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // killed
	await.Until(t, "the port is free", func() bool {
		l, err := net.Listen("tcp4", address(port))
		if err == nil {
			_ = l.Close()
		}
		return err == nil
	})
}
