package stop

import (
	"path"
	"slices"
	"strings"

	"porthole/monitor"
)

// Reasons for programs that are never stopped, because other things would end or
// break with them.
const (
	ContainerEngine    Reason = "is a container engine; all its containers would exit with it"
	ContainerMonitor   Reason = "runs a container; stop the container instead"
	ContainerForwarder Reason = "only forwards to a container, which would keep running"
	ServiceManager     Reason = "is systemd; everything it started would exit with it"
	SessionProcess     Reason = "belongs to your login session, which would end with it"
)

// protectedPrograms maps file names of programs to the reason why they are not
// stopped.
var protectedPrograms = map[string]Reason{
	"dockerd": ContainerEngine, "containerd": ContainerEngine, "podman": ContainerEngine, "rootlesskit": ContainerEngine, "crio": ContainerEngine,
	"com.docker.backend": ContainerEngine,

	"conmon": ContainerMonitor, "conmonrs": ContainerMonitor,

	"docker-proxy": ContainerForwarder, "rootlesskit-docker-proxy": ContainerForwarder, "rootlessport": ContainerForwarder,
	"rootlessport-child": ContainerForwarder, "slirp4netns": ContainerForwarder, "vpnkit": ContainerForwarder, "gvproxy": ContainerForwarder,

	"systemd": ServiceManager,

	"login": SessionProcess, "agetty": SessionProcess, "getty": SessionProcess, "systemd-logind": SessionProcess, "elogind-daemon": SessionProcess, "(sd-pam)": SessionProcess,
	"gdm": SessionProcess, "gdm3": SessionProcess, "gdm-session-worker": SessionProcess, "gdm-x-session": SessionProcess, "gdm-wayland-session": SessionProcess,
	"sddm": SessionProcess, "sddm-helper": SessionProcess, "lightdm": SessionProcess, "xdm": SessionProcess, "lxdm": SessionProcess, "slim": SessionProcess, "greetd": SessionProcess,
	"Xorg": SessionProcess, "X": SessionProcess, "Xwayland": SessionProcess,
	"gnome-shell": SessionProcess, "gnome-session-binary": SessionProcess, "gnome-session": SessionProcess, "mutter": SessionProcess,
	"kwin_x11": SessionProcess, "kwin_wayland": SessionProcess, "plasmashell": SessionProcess, "ksmserver": SessionProcess, "startplasma-x11": SessionProcess, "startplasma-wayland": SessionProcess,
	"plasma_session": SessionProcess, "xfce4-session": SessionProcess, "xfwm4": SessionProcess, "cinnamon": SessionProcess, "cinnamon-session": SessionProcess,
	"mate-session": SessionProcess, "marco": SessionProcess, "lxsession": SessionProcess, "lxqt-session": SessionProcess, "openbox": SessionProcess, "i3": SessionProcess,
	"sway": SessionProcess, "Hyprland": SessionProcess, "weston": SessionProcess, "labwc": SessionProcess, "wayfire": SessionProcess, "river": SessionProcess, "niri": SessionProcess,
	"cosmic-session": SessionProcess, "cosmic-comp": SessionProcess, "budgie-wm": SessionProcess,
}

// protection returns why o is never stopped, regardless of who asks; "" if it may be.
func protection(o monitor.Owner) Reason {
	name := o.ProgramName()
	if reason, ok := protectedPrograms[name]; ok {
		return reason
	}
	switch {
	case strings.HasPrefix(name, "containerd-shim"):
		return ContainerMonitor
	case strings.HasPrefix(name, "pasta") || strings.HasPrefix(name, "passt"): // .avx2
		if slices.ContainsFunc(o.Command, func(arg string) bool { return arg == "--netns" || strings.HasPrefix(arg, "--netns=") }) {
			return ContainerForwarder // otherwise a person started it for a command
		}
	case isSessionLeader(o):
		return SessionProcess
	}
	return ""
}

// ForContainers reports whether o is protected because containers depend on it.
func ForContainers(o monitor.Owner) bool {
	reason := protection(o)
	return reason == ContainerEngine || reason == ContainerMonitor || reason == ContainerForwarder
}

// Consequences of a stop that the list of closing ports does not show, in words that
// follow "it ".
const (
	EndsNamespace  Reason = "connects a network namespace: the programs in it lose their network"
	EndsMachine    Reason = "connects a virtual machine, which loses its network"
	EndsConnection Reason = "is an SSH connection: its session and its other forwards end with it"
	EndsLogin      Reason = "is an SSH login: the session ends with it"
)

// Consequence returns what else a stop of o ends; "" if nothing is known.
func Consequence(o monitor.Owner) Reason {
	title := o.Name
	if len(o.Command) > 0 {
		title = monitor.Bound(o.Command[0])
	}
	switch name := o.ProgramName(); {
	case protection(o) != "":
		return ""
	case strings.HasPrefix(name, "passt") && path.Base(title) == "passt": // one program with two names
		return EndsMachine
	case strings.HasPrefix(name, "pasta"), strings.HasPrefix(name, "passt"):
		return EndsNamespace
	case name == "ssh", name == "autossh":
		return EndsConnection
	case strings.HasPrefix(name, "sshd") && monitor.IsSSHSession(title):
		return EndsLogin
	}
	return ""
}

// Protection returns why o must not be stopped; "" if it may be.
func Protection(o monitor.Owner) Reason { return refusal(o) }
