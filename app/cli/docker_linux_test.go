package cli

import (
	"strconv"
	"strings"
	"testing"

	"porthole/internal/dockertest"
)

// Without docker-proxy the engine itself listens on published ports. It is never
// stopped: all containers would end with it. The container is.
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
				t.Errorf("stop 8080 printed\n%s\nwant the container web and its command alone", out)
			}
			out, err = stopOutput(t, "10.7.0.1:8080", stopOptions{Yes: true})
			if running := engine.Running(); err != nil || running != "other" {
				t.Errorf("stop 10.7.0.1:8080: got %v, containers %q; want other\n%s", err, running, out)
			}
		})
	}
}
