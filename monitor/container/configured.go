package container

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"porthole/monitor/lookup"
)

// socketsInTime is ownSockets, without those that are configured on a disk that does not
// answer.
func socketsInTime() []string {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	all := lookup.New(func(struct{}) []string { return ownSockets() }, nil, func([]string) time.Duration { return 0 })
	if a := all.Await(ctx, struct{}{}); a.Known {
		return a.Value
	}
	return slices.Concat(engineSockets(), userSockets(runtimeDir()))
}

// runtimeDir returns the folder of this user's sockets, "" if there is none.
func runtimeDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" || os.Geteuid() <= 0 {
		return dir
	}
	return "/run/user/" + strconv.Itoa(os.Geteuid())
}

// ownSockets returns the paths of the sockets where engines of root and of this user may
// listen: the usual ones, and those that this user has configured.
func ownSockets() (paths []string) {
	for _, path := range slices.Concat(engineSockets(), userSockets(runtimeDir()), configuredSockets()) {
		if !slices.ContainsFunc(paths, func(known string) bool { return resolve(known) == resolve(path) }) {
			paths = append(paths, path)
		}
	}
	return paths
}

// configuredSockets returns the paths of the Unix sockets that the commands docker and
// podman would use: $DOCKER_HOST, $CONTAINER_HOST and Docker's contexts
// (docs.docker.com/engine/manage-resources/contexts).
func configuredSockets() (paths []string) {
	add := func(host string) {
		if path, ok := strings.CutPrefix(host, "unix://"); ok && filepath.IsAbs(path) {
			paths = append(paths, path)
		}
	}
	add(os.Getenv("DOCKER_HOST"))
	add(os.Getenv("CONTAINER_HOST"))
	folder := os.Getenv("DOCKER_CONFIG")
	if home, err := os.UserHomeDir(); folder == "" && err == nil {
		folder = filepath.Join(home, ".docker")
	}
	if folder == "" {
		return paths
	}
	files, _ := filepath.Glob(filepath.Join(folder, "contexts/meta/*/meta.json")) // nil: no contexts
	for _, file := range files[:min(len(files), maxContexts)] {
		var context struct {
			Endpoints struct {
				Docker struct{ Host string } `json:"docker"`
			}
		}
		if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &context) == nil {
			add(context.Endpoints.Docker.Host)
		}
	}
	return paths
}

// maxContexts limits how many of Docker's contexts are read.
const maxContexts = 32
