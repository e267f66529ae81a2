package e2e

import (
	"fmt"
	"strings"

	"porthole/monitor"
)

// The texts of Porthole that the tests look for. Every text of the interface, of the
// log and of the command line is here.

const mainTitle = "Porthole"

// processTitle returns the title of a process window.
func processTitle(name string, pid int) string {
	return fmt.Sprintf("%s %d%s", name, pid, processTitleEnd)
}

// trafficTitle returns the title of a traffic window.
func trafficTitle(owner string, port int) string {
	return fmt.Sprintf("Traffic of %s on %d%s", owner, port, processTitleEnd)
}

// downsToTraffic is how often Down must be pressed in the menu of a row with a web server
// until "Show traffic…" is selected.
const downsToTraffic = 11

const processTitleEnd = " – Porthole"

// Entries of the tray menu.
const (
	menuOpenWindow   = "Open Porthole"
	menuQuit         = "Quit Porthole"
	menuPauseHour    = "Pause notifications for 1 hour"
	menuPauseForever = "Pause notifications until resumed"
	menuResume       = "Resume notifications"
)

func menuFree(ports string) string { return "○ " + ports + " free" }
func menuFreeAfter(port, owner string) string {
	return menuFree(port) + ", last: " + owner
}
func menuClosed(ports string) string     { return "○ " + ports + " closed" }
func menuOpen(port, owner string) string { return "● " + port + " " + owner }
func menuUnhealthy(port, owner string) string {
	return "✖ " + port + " " + owner + ", unhealthy: " + whyUnhealthy
}
func menuNotRunning(match string) string { return "○ " + match + " not running" }
func menuMore(watched int) string        { return fmt.Sprintf("…and %d more watched ports", watched) }
func tooltipOpen(open, watched int) string {
	return fmt.Sprintf("%d of %d watched open", open, watched)
}

func tooltipUnhealthy(n int) string { return fmt.Sprintf("%d unhealthy", n) }

const (
	tooltipNone   = "none watched"
	tooltipPaused = "paused"
)

// Summaries of notifications, without an owner only their beginning.

func noteOpen(port string, owner ...string) string   { return withOwner(port+" is open", owner) }
func noteClosed(port string, owner ...string) string { return withOwner(port+" closed", owner) }
func noteCrashed(port, owner, how string) string {
	return fmt.Sprintf("%s crashed: %s %s", port, owner, how)
}
func noteRestarted(port string, owner ...string) string {
	return withOwner(port+" restarted", owner)
}
func noteExposed(port string) string { return port + " is now exposed to the network" }
func notePublic(port string) string  { return port + " is now reachable from the internet" }
func noteUnhealthy(port, owner string) string {
	return fmt.Sprintf("%s is unhealthy: %s", port, owner)
}
func noteHealthyAgain(port string) string { return port + " is healthy again after" }
func noteMoved(service, to, from string) string {
	return fmt.Sprintf("%s moved from %s to %s", service, from, to)
}
func noteUnwatched(port string) string { return "Stopped watching " + port }
func noteManyOpened(n int, ports ...string) string {
	return fmt.Sprintf("%d ports opened: %s", n, strings.Join(ports, ", "))
}
func noteManyClosed(n int, ports ...string) string {
	return fmt.Sprintf("%d ports closed: %s", n, strings.Join(ports, ", "))
}
func noteManyChanges(n int, ports ...string) string {
	return fmt.Sprintf("%d events on watched ports: %s", n, strings.Join(ports, ", "))
}

// noteOwnerChanged returns the summary for a socket whose owner changed, with the last
// owner and the new owner, or without owners.
func noteOwnerChanged(port string, owners ...string) string {
	if len(owners) == 0 {
		return port + " changed owner"
	}
	return port + " changed owner: " + strings.Join(owners, " → ")
}

// noteMissed returns the summary for what happened while notifications were paused.
func noteMissed(what ...string) string { return withOwner("While notifications were paused", what) }

func withOwner(summary string, owner []string) string {
	return strings.Join(append([]string{summary}, owner...), ": ")
}

const (
	noteWindowEnded = "Porthole's window crashed"
	noteNoOpenGL    = "Can't show Porthole's window: OpenGL"
	noteGoesOn      = "Monitoring continues" // in noteNoOpenGL: notifications still work
	bodyStopped     = "stopped by you"
	whyUnhealthy    = "HTTP 503"
)

// Texts in the log.
const (
	logStarted         = "started"
	logNoWindow        = "can't show the window"
	logNoTray          = "no tray icon"
	logNoNotifications = "a notification failed"
	logDaemonHangs     = "the notification daemon does not respond"
	logSettingsMistake = "settings.yaml: line 4: a watch needs ports"
	logUnexpectedEnd   = "window crashed"
	logOtherUser       = "it runs as user 0, the agent as user"
	logFyneThread      = "Error in Fyne call thread"
	logFirstGoroutine  = "goroutine 1 "
	logSettingsLineTwo = "line 2"
	logDataRace        = "DATA RACE"
)

// Texts of the command line.
const (
	cliNotRunning   = "not running"
	cliNotAnswering = "not answer"
	cliNotYourDir   = "not a folder that belongs to you"
	cliNoLog        = "the log file cannot be written"
	cliGnomeTray    = "AppIndicator and KStatusNotifierItem Support"
	cliTrayFound    = "a panel shows tray icons"
)

// Names of files and of what is in them.
const (
	logFile            = "porthole.log"
	historyFile        = "history.db"
	windowFile         = "window.json"
	stateWelcome       = `"welcome":true`
	stateOnWatches     = `"tab":"watches"`
	stateOnPorts       = `"tab":"ports"`
	wiresharkArguments = "-k -i lo -f tcp port 62893\n"
)

// Kinds of events in porthole history --json.
const (
	eventOpened     = string(monitor.Opened)
	eventClosed     = string(monitor.Closed)
	eventDiscovered = string(monitor.Discovered)
)
