package container

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ownSockets returns the paths of the sockets where engines of root and of this user may
// listen: the usual ones, and those that this user has configured.
func ownSockets() (paths []string) {
	runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
	if runtimeDir == "" && os.Geteuid() > 0 {
		runtimeDir = "/run/user/" + strconv.Itoa(os.Geteuid())
	}
	for _, path := range slices.Concat(engineSockets(), userSockets(runtimeDir), configuredSockets()) {
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
