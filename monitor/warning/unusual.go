package warning

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/service"
)

// This file decides what is unusual for a service.

// exposureIsUnusual reports whether a service of that kind, which listens on the
// network, should be checked.
func exposureIsUnusual(l *monitor.Listener, kind service.Kind, packaged bool) bool {
	switch kind {
	case service.Server:
		return false
	case service.Database, service.Debugger:
		return true // also if a package or its administrator made it so
	}
	if packaged {
		return false
	}
	if kind == "" && len(l.Owners) == 0 && l.Container == nil { // without its program, little can be done
		return l.Protocol != monitor.UDP && !isUnit(l.Unit) && (l.User != "root" || l.Port < firstEphemeral)
	}
	return l.Protocol != monitor.UDP || l.Port < firstEphemeral && !discoveryPorts[l.Port]
}

// isProtected reports whether the firewall does what a warning about the exposure of a
// service of that kind would advise.
func isProtected(kind service.Kind, f monitor.Firewall) bool {
	switch kind {
	case service.Database, service.Admin:
		return f.State == monitor.FirewallBlocked || f.State == monitor.FirewallLimited
	}
	return f.State == monitor.FirewallBlocked
}

// firstEphemeral is the first port that Linux gives to clients by default
// (net.ipv4.ip_local_port_range). UDP clients are bound like servers, and the
// kernel's own services, such as NFS, listen on such ports.
const firstEphemeral = 32768

// discoveryPorts are UDP ports on which programs look for others in the local
// network, which works only if they are exposed.
var discoveryPorts = map[uint16]bool{67: true, 68: true, 137: true, 138: true, 546: true, 547: true, 1900: true, 3702: true, 5353: true, 5355: true}

// rootIsUnusual reports whether a service of that kind does not need to run as
// root. The proxy for the published port of a container always runs as root.
func rootIsUnusual(l *monitor.Listener, kind service.Kind, packaged bool) bool {
	if packaged || l.Container != nil && l.Container.Published {
		return false
	}
	switch kind {
	case service.Development, service.AppServer, service.Database, "":
		return true
	}
	return false
}

// systemFolders are where packages of the distribution install programs.
var systemFolders = []string{"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"}

// isPackaged reports whether a package of the distribution provides the service:
// the program, or the script that an interpreter runs, is in a folder of the
// system, and systemd started it rather than a person.
func isPackaged(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation) bool {
	if l.Container != nil || l.ContainerID != "" {
		return false
	}
	if o.PID == 0 {
		return isUnit(l.Unit)
	}
	if why.Orphaned || why.Shell != nil || why.Session != nil || why.Script != nil {
		return false
	}
	if !isUnit(why.Unit) && !isUnit(l.Unit) && (why.Manager == nil || why.Manager.Role != ancestry.System) {
		return o.PID == 1 && path.Base(o.Program) == "systemd"
	}
	program := cmp.Or(o.Program, first(o.Command))
	if runsScripts(program) {
		program = ancestry.ScriptFile(o.Command)
	}
	if strings.HasPrefix(program, "/usr/local/") {
		return false
	}
	return slices.ContainsFunc(systemFolders, func(folder string) bool { return strings.HasPrefix(program, folder) })
}

// isUnit reports whether unit is a service or a socket of systemd, as opposed to
// a session or a scope, where people start programs.
func isUnit(unit string) bool {
	return strings.HasSuffix(unit, ".service") && !strings.HasPrefix(unit, "user@") || strings.HasSuffix(unit, ".socket")
}

// runsScripts reports whether a program is an interpreter whose scripts
// ancestry.ScriptFile finds.
func runsScripts(program string) bool {
	name := strings.TrimRight(path.Base(program), "0123456789.")
	return slices.Contains([]string{"python", "perl", "ruby", "node", "nodejs", "php", "java", "bash", "sh", "dash"}, name)
}

func first(command []string) string {
	if len(command) == 0 {
		return ""
	}
	return command[0]
}
