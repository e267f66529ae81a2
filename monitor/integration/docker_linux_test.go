package integration

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"porthole/monitor"
	"porthole/monitor/container"
)

// sleeper is the only program of a container, so that no image must be downloaded.
const sleeper = "package main\n\nimport \"time\"\n\nfunc main() { time.Sleep(time.Hour) }\n"

// docker runs a command of the docker client and returns its output.
func docker(t *testing.T, in []byte, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // not t.Context(), because cleanups use it too
	defer cancel()
	c := exec.CommandContext(ctx, "docker", args...)
	c.Stdin = bytes.NewReader(in)
	var problem bytes.Buffer
	c.Stderr = &problem
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("docker %s: %w: %s", args[0], err, strings.TrimSpace(problem.String()))
	}
	return strings.TrimSpace(string(out)), err
}

// sleeperImage returns a file system with the sleeper in it.
func sleeperImage(t *testing.T) []byte {
	t.Helper()
	folder := t.TempDir()
	source, program := filepath.Join(folder, "main.go"), filepath.Join(folder, "sleeper")
	if err := os.WriteFile(source, []byte(sleeper), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "build", "-o", program, source)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("cannot build the program of the container: %v: %s", err, out)
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var image bytes.Buffer
	w := tar.NewWriter(&image)
	if err := w.WriteHeader(&tar.Header{Name: "sleeper", Mode: 0o755, Size: int64(len(b))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return image.Bytes()
}

func TestDockerProxy(t *testing.T) {
	if _, err := docker(t, nil, "version"); err != nil {
		t.Skipf("no running Docker engine: %v", err)
	}
	name := fmt.Sprintf("porthole-test-%d", os.Getpid())
	if _, err := docker(t, sleeperImage(t), "import", "-", name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := docker(t, nil, "rmi", "--force", name); err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct{ name, publish, want string }{
		{"one address", "127.0.0.1::80", "tcp [127.0.0.1] loopback, 1 sockets"},
		{"every address", "80", "tcp [0.0.0.0 ::] network, 2 sockets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := docker(t, nil, "run", "--detach", "--rm", "--name", name, "--publish", test.publish, name, "/sleeper")
			t.Cleanup(func() { _, _ = docker(t, nil, "rm", "--force", name) }) // it may be gone
			if err != nil {
				t.Skipf("cannot run a container: %v", err)
			}
			ports, err := docker(t, nil, "port", name, "80/tcp")
			if err != nil {
				t.Fatal(err)
			}
			port := 0
			for line := range strings.Lines(ports) { // the port for IPv6 may differ
				if _, err := fmt.Sscan(strings.TrimSpace(line[strings.LastIndexByte(line, ':')+1:]), &port); err != nil {
					t.Fatalf("docker port printed %q: %v", ports, err)
				}
				break
			}
			rows := onPort(snapshot(t, needMonitor(t, false, 0)), port)
			if got := format(rows); len(rows) != 1 || !strings.HasPrefix(got, test.want) {
				t.Fatalf("port %d: got %s, want one listener: %s", port, got, test.want)
			}
			l := rows[0]
			if l.Service != "docker-proxy" || len(l.Owners) != len(l.Sockets) {
				t.Errorf("service %q, %d owners of %d sockets; want docker-proxy, one owner each", l.Service, len(l.Owners), len(l.Sockets))
			}
			container.New().Resolve(t.Context(), l)
			c, id := monitor.Container{}, ""
			if l.Container != nil {
				c, id = *l.Container, l.Container.ID
			}
			if want := "container " + name + " (image " + name + ")"; l.Service != want || l.ServiceBy != monitor.ByProgram || len(id) != 64 {
				t.Errorf("service %q, container %+v; want %q and its ID", l.Service, c, want)
			}
			if !c.Published || !strings.HasSuffix(c.Address, ":80") || strings.HasPrefix(c.Address, "127.") {
				t.Errorf("published %v at %q; want the address of the container, port 80", c.Published, c.Address)
			}
			for _, o := range l.Owners {
				if o.Name != "docker-proxy" {
					t.Errorf("owner = %+v, want docker-proxy", o)
				}
			}
			// The Closed event has the owner, although docker-proxy exits before its sockets close.
			w := watch(t, port, 10*time.Millisecond)
			w.see("docker-proxy", func(s monitor.Snapshot) bool {
				rows := onPort(s, port)
				return len(rows) == 1 && len(rows[0].Owners) == len(l.Owners)
			})
			if _, err := docker(t, nil, "rm", "--force", name); err != nil {
				t.Fatal(err)
			}
			w.until("closed")
			gone := w.notable()[0].Listener
			if o, ok := gone.Principal(); !ok || o.Name != "docker-proxy" || gone.OwnerUnknown != "" {
				t.Errorf("closed with owners %+v, reason %q; want docker-proxy", gone.Owners, gone.OwnerUnknown)
			}
		})
	}
}
