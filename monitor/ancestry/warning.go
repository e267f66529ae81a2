package ancestry

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
)

// ProcessState is what only a look at the machine tells of a process, at the time of
// the look. What is not known is empty.
type ProcessState struct {
	Ended        bool         // it has ended itself
	EndedParents map[int]bool // those of the parents of its chain that no longer run, by PID
	// SessionLeaderEnded says that it still has a terminal's descriptors while the
	// leader of its session, its shell that is, has ended.
	SessionLeaderEnded bool
	RunsAsRoot         bool   // it acts as root, whoever started it
	ProgramDeleted     bool   // its program file is gone, or another one has its name
	FolderDeleted      bool   // the folder that it works in is
	Preload            string // its LD_PRELOAD; "" where it has none, or is not to be seen
	QueueFull          bool   // an accept queue of its is full
	QueueLength        uint32 // that one's length
	QueueLimit         uint32 // and its limit
	Resources          Resources
}

// Resources is what a process uses of the machine; zero where that is not known.
type Resources struct {
	Threads int
	Memory  uint64        // bytes that are in memory now, shared ones too (RSS)
	CPU     time.Duration // of all cores, since it started
}

// Kind is what is odd about a process.
type Kind string

// The kinds of oddities. Readers must ignore kinds that they do not know.
const (
	Orphaned        Kind = "left_behind" // its shell or terminal has ended
	QueueFull       Kind = "queue_full"  // its accept queue is full
	ProgramReplaced Kind = "replaced"    // its program file is gone, or another one has its name
	FolderDeleted   Kind = "folder_gone" // the folder that it works in was deleted
	UntrustedFolder Kind = "place"       // its program is where downloads and other people's files are
	Preload         Kind = "preload"     // LD_PRELOAD
	RunsAsRoot      Kind = "root"        // it runs as root
	Exposed         Kind = "exposed"     // the network can reach it
)

// Warning is one thing that is odd about a process.
type Warning struct {
	Kind   Kind   `json:"kind"`
	Detail string `json:"detail,omitempty"` // the place, the library, the queue: clean, masked
}

// Check lists what is odd about o, which has l, what asks for a deed first. o is
// zero where the owner cannot be seen; then only what the listener tells is.
func Check(l *monitor.Listener, o monitor.Owner, why Explanation, live ProcessState) []Warning {
	var odd []Warning
	add := func(is bool, kind Kind, detail string) {
		if is {
			odd = append(odd, Warning{kind, detail})
		}
	}
	user := o.User
	if o.PID == 0 {
		user = l.User
	}
	add(why.Orphaned, Orphaned, "")
	add(live.QueueFull, QueueFull, fmt.Sprintf("%d of %d", live.QueueLength, live.QueueLimit))
	add(o.Deleted || live.ProgramDeleted, ProgramReplaced, "")
	add(live.FolderDeleted, FolderDeleted, "")
	place := untrustedFolder(o, why)
	add(place != "", UntrustedFolder, place)
	add(live.Preload != "", Preload, displayText(live.Preload, 80))
	published := l.Container != nil && l.Container.Published // the engine's proxy, whose user nobody chose
	add((user == "root" || live.RunsAsRoot) && !published, RunsAsRoot, "")
	add(l.Exposure == monitor.ExposureNetwork, Exposed, "")
	return odd
}

// Sentence says it in English, with what to do. why is the one of its process.
func (o Warning) Sentence(why Explanation) string {
	switch o.Kind {
	case Orphaned:
		return why.Sentence() + ". Stop it if it is not needed any more."
	case QueueFull:
		return "Its accept queue is full (" + o.Detail + "), so nobody gets in. Start it again if that lasts."
	case ProgramReplaced:
		return "Its program file was deleted or replaced since it started. Start it again to run what is there now."
	case FolderDeleted:
		return "Its folder was deleted since it started. Start it again in one that is there."
	case UntrustedFolder:
		return "Its program is in " + o.Detail + ", where files come from elsewhere. Make sure that you know it."
	case Preload:
		return "LD_PRELOAD puts other code into it (" + o.Detail + "). Make sure that you know that library."
	case RunsAsRoot:
		return "It runs as root. Run it as a user of its own where that is possible."
	case Exposed:
		return "The network can reach it. Bind it to 127.0.0.1 unless others are to use it."
	}
	return string(o.Kind)
}

// untrustedFolder returns the folder that o's program, or the script that its
// interpreter runs, should not be in; "" where it is not in one.
func untrustedFolder(o monitor.Owner, why Explanation) string {
	if why.Script != nil && strings.HasPrefix(why.Script.Name, "go ") && strings.Contains(o.Program, "/go-build") {
		return "" // go run builds there
	}
	if place := untrustedParent(o.Program); place != "" {
		return place
	}
	script := scriptOf(o.Command)
	if script == "" {
		return ""
	}
	if !filepath.IsAbs(script) {
		script = filepath.Join(o.Folder, script)
	}
	return untrustedParent(script)
}

// interpreterFlags are those before the file that an interpreter runs: which have
// the next argument for their value, and which mean that it runs no file.
type interpreterFlags struct{ withValue, noFile []string }

var (
	shellFlags         = interpreterFlags{[]string{"-o", "+o", "--rcfile", "--init-file"}, []string{"-c", "-s"}}
	flagsByInterpreter = map[string]interpreterFlags{
		"python": {[]string{"-W", "-X"}, []string{"-m", "-c", "-"}},
		"node":   {[]string{"-r", "--require", "--import", "--loader"}, []string{"-e", "-p", "--eval", "--print", "-"}},
		"nodejs": {[]string{"-r", "--require", "--import", "--loader"}, []string{"-e", "-p", "--eval", "--print", "-"}},
		"ruby":   {[]string{"-I", "-r"}, []string{"-e"}},
		"perl":   {[]string{"-I"}, []string{"-e", "-E"}},
		"php":    {[]string{"-S", "-t", "-d", "-c"}, []string{"-r"}},
		"java":   {[]string{"-cp", "-classpath", "--class-path"}, nil},
		"sh":     shellFlags, "bash": shellFlags, "dash": shellFlags, "zsh": shellFlags, "ksh": shellFlags,
	}
)

// scriptOf returns the file that a command has its interpreter run; "" where there
// is none.
func scriptOf(command []string) string {
	if len(command) == 0 {
		return ""
	}
	name := programName(command[0])
	if strings.HasPrefix(name, "python") {
		name = "python"
	}
	flags, known := flagsByInterpreter[name]
	for i := 1; known && i < len(command); i++ {
		arg := truncate(command[i])
		switch {
		case name == "java" && arg == "-jar" && i+1 < len(command):
			return truncate(command[i+1])
		case slices.Contains(flags.noFile, arg):
			return ""
		case slices.Contains(flags.withValue, arg):
			i++
		case name == "java" && !strings.HasPrefix(arg, "-"):
			return "" // a class
		case !strings.HasPrefix(arg, "-"):
			return arg
		}
	}
	return ""
}

// untrustedParent returns which of the folders for passing things path is in.
func untrustedParent(path string) string {
	for _, folder := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		if strings.HasPrefix(path, folder+"/") {
			return folder
		}
	}
	if strings.Contains(path, "/Downloads/") {
		return "Downloads"
	}
	return ""
}
