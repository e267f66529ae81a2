package cli

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"porthole/internal/await"
	"porthole/internal/dockertest"
	"porthole/monitor/process/child"
)

// Without docker-proxy the engine itself listens on published ports. Porthole stops the
// container and never the engine, because all containers would end with it.
func TestStopOfAPublishedPortStopsTheContainer(t *testing.T) {
	if !dockertest.Isolated(t) {
		return
	}
	for _, proxy := range []bool{false, true} {
		t.Run("userland-proxy="+strconv.FormatBool(proxy), func(t *testing.T) {
			engine := dockertest.Start(t, proxy)
			web := engine.Run("web", "127.0.0.1:8080:80")
			engine.Run("blog", "10.7.0.1:8080:80")
			engine.Run("other", "127.0.0.1:8081:80")
			out, err := stopOutput(t, "8080", stopOptions{Yes: true})
			if running := engine.Running(); err != nil || running != "blog other" || !isRunning(engine.PID) {
				t.Errorf("stop 8080: got %v, containers %q, engine running %t; want blog and other\n%s", err, running, isRunning(engine.PID), out)
			}
			if !strings.Contains(out, "container web") || !strings.Contains(out, "docker stop "+web[:12]) || strings.Contains(out, "blog") {
				t.Errorf("stop 8080 printed\n%s\nwant only the container web and its command", out)
			}
			out, err = stopOutput(t, "10.7.0.1:8080", stopOptions{Yes: true})
			if running := engine.Running(); err != nil || running != "other" {
				t.Errorf("stop 10.7.0.1:8080: got %v, containers %q; want other\n%s", err, running, out)
			}
		})
	}
}

// list names each container at its own address, regardless of the process that forwards
// to it.
func TestContainersOfARealEngine(t *testing.T) {
	if !dockertest.Isolated(t) {
		return
	}
	engine := dockertest.Start(t, false)
	engine.Run("web", "127.0.0.1:8080:80")
	engine.Run("blog", "10.7.0.1:8080:80")
	var out strings.Builder
	if err := runList(t.Context(), []string{"8080"}, Options{All: true, Stdout: &out, Stderr: &out}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		fields := strings.Fields(line)
		if want := map[string]string{"127.0.0.1": "container web", "10.7.0.1": "container blog"}[fields[1]]; want != "" && !strings.Contains(line, want) {
			t.Errorf("got %q, want %s", line, want)
		}
	}
	if strings.Count(out.String(), "\n") != 3 {
		t.Errorf("got\n%s\nwant a header and two listeners", out.String())
	}

	// A user who may query the engine but cannot see its process.
	if err := os.Chmod("/run/docker.sock", 0o666); err != nil {
		t.Fatal(err)
	}
	c := command("stop", "8080")
	child.AsNobody(c)
	output, err := c.Output()
	if running := engine.Running(); err != nil || running != "blog" || !strings.Contains(string(output), "Nothing listens on 8080 on loopback, but the port is not free. A process of root listens on 10.7.0.1:8080") {
		t.Errorf("as another user: got %v, containers %q, want only blog\n%s", err, running, output)
	}

	// A process in a container is signaled like any other, and its engine starts it
	// again. Its manager stops it for good.
	engine.Docker("run", "-d", "--name", "api", "--network", "host", "--restart", "always", "serve", "/serve", "127.0.0.1:8090", "api")
	await.Listener(t, "127.0.0.1:8090")
	text, err := stopOutput(t, "8090", stopOptions{Stdin: strings.NewReader("n\n")})
	if !errors.Is(err, errStopCanceled) || !strings.Contains(text, "runs in the container api, which starts it again (restart policy always); to stop that instead: docker stop ") {
		t.Errorf("before: got %v\n%s\nwant the container and its restart policy", err, text)
	}
	text, err = stopOutput(t, "8090", stopOptions{Yes: true, Force: true, GracePeriod: time.Second})
	if Status(err) != 1 || !strings.Contains(err.Error(), "took 8090 again") || !strings.Contains(err.Error(), "docker stop ") {
		t.Errorf("signaled: got %v, want that it was started again\n%s", err, text)
	}
	text, err = stopOutput(t, "8090", stopOptions{Yes: true, Manager: true})
	if running := engine.Running(); err != nil || running != "blog" || !strings.Contains(text, "Running docker stop ") {
		t.Errorf("--manager: got %v, containers %q, want only blog\n%s", err, running, text)
	}
}
