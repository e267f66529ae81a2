package monitor

import (
	"net/netip"
	"slices"
	"strings"
)

// Programs that listen on behalf of containers. One process of them can serve
// several containers, and two of them can serve one.
var (
	// engineListeners listen on published ports themselves: dockerd without
	// docker-proxy ("userland-proxy": false), rootlesskit for rootless Docker.
	engineListeners = []string{"dockerd", "rootlesskit"}
	// containerListeners serve one container each; two of them are not workers of
	// one server.
	containerListeners = []string{"rootlessport", "conmon", "slirp4netns", "pasta", "pasta.avx2", "passt", "passt.avx2"}
	// engineUnits run the proxies of all containers.
	engineUnits = []string{"docker.service", "podman.service", "snap.docker.dockerd.service"}
)

// publishedAt stands for the addresses of one publication. Engines publish a port
// on 0.0.0.0 and [::] together, on other addresses separately.
func publishedAt(address netip.Addr) netip.Addr {
	if address.IsUnspecified() {
		return netip.IPv4Unspecified()
	}
	return address
}

// listensForContainers reports whether o is an engine that listens on the published
// ports of several containers, so that holding two sockets does not make them one
// listener.
func (o Owner) listensForContainers() bool {
	return slices.Contains(engineListeners, o.ProgramName())
}

// proxyTarget returns what docker-proxy forwards to, "" for other programs. The two
// proxies of one publication, for IPv4 and IPv6, differ only in -host-ip; those of
// two containers on one port differ in it, too.
func (o Owner) proxyTarget() string {
	if o.ProgramName() != "docker-proxy" {
		return ""
	}
	var target []string
	for i, arg := range o.Command {
		if name := strings.TrimLeft(arg, "-"); (name == "container-ip" || name == "container-port") && i+1 < len(o.Command) {
			target = append(target, o.Command[i+1])
		}
	}
	return strings.Join(target, " ")
}

// servesOneContainer reports whether o listens for a single container.
func (o Owner) servesOneContainer() bool {
	return slices.Contains(containerListeners, o.ProgramName())
}
