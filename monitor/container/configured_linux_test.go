package container

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"porthole/monitor"
)

func TestConfiguredSockets(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(folder, "contexts/meta", name, "meta.json")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What `docker context create` writes.
	write("12b961daba6c", `{"Name":"rootless","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/user/1000/docker.sock","SkipTLSVerify":false}}}`)
	write("3f", `{"Name":"far","Endpoints":{"docker":{"Host":"ssh://build.example.org"}}}`)
	write("4a", `{"Endpoints":[`)
	t.Setenv("DOCKER_CONFIG", folder)
	for _, test := range []struct{ docker, podman, want string }{
		{"", "", "/run/user/1000/docker.sock"},
		{"unix:///srv/docker.sock", "unix:///srv/podman.sock", "/srv/docker.sock /srv/podman.sock /run/user/1000/docker.sock"},
		{"tcp://10.7.0.1:2375", "ssh://core@localhost/run/podman.sock", "/run/user/1000/docker.sock"},
		{"unix://relative", "nonsense", "/run/user/1000/docker.sock"},
	} {
		t.Setenv("DOCKER_HOST", test.docker)
		t.Setenv("CONTAINER_HOST", test.podman)
		if got := strings.Join(configuredSockets(), " "); got != test.want {
			t.Errorf("$DOCKER_HOST %q, $CONTAINER_HOST %q: got %q, want %q", test.docker, test.podman, got, test.want)
		}
	}
	t.Setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
	if all := ownSockets(); !slices.Contains(all, "/var/run/docker.sock") || !slices.Contains(all, "/run/user/1000/docker.sock") || len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Errorf("got %q, want each socket once", all)
	}
}

// An engine at another path is asked if it runs there.
func TestEngineAtDockerHost(t *testing.T) {
	before, _ := engine(t, respondWith(running))
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("DOCKER_HOST", "unix://"+before.engines.sockets[1])
	l := ownerUnknownListener("127.0.0.1", 8080, "root", "")
	New().Resolve(t.Context(), l)
	if l.Container == nil || l.Container.Name != "web" || l.Container.Socket != before.engines.sockets[1] {
		t.Errorf("got %+v, want the container web of the engine at $DOCKER_HOST", l.Container)
	}
}

func TestStateOf(t *testing.T) {
	for answer, want := range map[string]State{
		`{"State":{"Paused":true},"HostConfig":{"RestartPolicy":{"Name":"always"}}}`: {"always", true},
		`{"State":{"Paused":false},"HostConfig":{"RestartPolicy":{"Name":""}}}`:      {"no", false},
		`[]`: {},
	} {
		socket := engineAt(t, "/containers/"+webID+"/json", answer)
		if got := StateOf(t.Context(), monitor.Container{ID: webID, Socket: socket}); got != want {
			t.Errorf("%s: got %+v, want %+v", answer, got, want)
		}
		for _, id := range []string{"", "../images"} {
			if got := StateOf(t.Context(), monitor.Container{ID: id, Socket: socket}); got != (State{}) {
				t.Errorf("ID %q: got %+v, want nothing", id, got)
			}
		}
	}
}

// engineAt serves one answer at one path of a Unix socket and returns the path of the
// socket.
func engineAt(t *testing.T, path, answer string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "engine") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, respondWith(answer))
	server := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return socket
}
