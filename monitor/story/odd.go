package story

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
)

// Live is what only a look at the machine tells of a process, at the time of
// the look. What is not known is empty.
type Live struct {
	Gone  bool         // it has ended itself
	Ended map[int]bool // those of the parents of its chain that no longer run, by PID
	// LeaderEnded says that it still has a terminal's descriptors while the
	// leader of its session, its shell that is, has ended.
	LeaderEnded bool
	Root        bool   // it acts as root, whoever started it
	Deleted     bool   // its program file is gone, or another one has its name
	FolderGone  bool   // the folder that it works in is
	Preload     string // its LD_PRELOAD; "" where it has none, or is not to be seen
	Stuck       bool   // an accept queue of its is full
	Queue       uint32 // that one's length
	Limit       uint32 // and its limit
	Used        Use
}

// Use is what a process uses of the machine; zero where that is not known.
type Use struct {
	Threads int
	Memory  uint64        // bytes that are in memory now, shared ones too (RSS)
	CPU     time.Duration // of all cores, since it started
}

// OddKind is what is odd about a process.
type OddKind string

// The kinds of oddities. Readers must ignore kinds that they do not know.
const (
	OddLeftBehind OddKind = "left_behind" // its shell or terminal has ended
	OddStuck      OddKind = "queue_full"  // its accept queue is full
	OddReplaced   OddKind = "replaced"    // its program file is gone, or another one has its name
	OddFolder     OddKind = "folder_gone" // the folder that it works in was deleted
	OddPlace      OddKind = "place"       // its program is where downloads and other people's files are
	OddPreload    OddKind = "preload"     // LD_PRELOAD
	OddRoot       OddKind = "root"        // it runs as root
	OddExposed    OddKind = "exposed"     // the network can reach it
)

// Oddity is one thing that is odd about a process.
type Oddity struct {
	Kind   OddKind `json:"kind"`
	Detail string  `json:"detail,omitempty"` // the place, the library, the queue: clean, masked
}

// Odd lists what is odd about o, which has l, what asks for a deed first. o is
// zero where the owner cannot be seen; then only what the listener tells is.
func Odd(l *monitor.Listener, o monitor.Owner, why Why, live Live) []Oddity {
	var odd []Oddity
	add := func(is bool, kind OddKind, detail string) {
		if is {
			odd = append(odd, Oddity{kind, detail})
		}
	}
	user := o.User
	if o.PID == 0 {
		user = l.User
	}
	add(why.LeftBehind, OddLeftBehind, "")
	add(live.Stuck, OddStuck, fmt.Sprintf("%d of %d", live.Queue, live.Limit))
	add(o.Deleted || live.Deleted, OddReplaced, "")
	add(live.FolderGone, OddFolder, "")
	place := oddPlace(o, why)
	add(place != "", OddPlace, place)
	add(live.Preload != "", OddPreload, shown(live.Preload, 80))
	published := l.Behind != nil && l.Behind.Published // the engine's proxy, whose user nobody chose
	add((user == "root" || live.Root) && !published, OddRoot, "")
	add(l.Reach == monitor.TheNetwork, OddExposed, "")
	return odd
}

// Sentence says it in English, with what to do. why is the one of its process.
func (o Oddity) Sentence(why Why) string {
	switch o.Kind {
	case OddLeftBehind:
		return why.Sentence() + ". Stop it if it is not needed any more."
	case OddStuck:
		return "Its accept queue is full (" + o.Detail + "), so nobody gets in. Start it again if that lasts."
	case OddReplaced:
		return "Its program file was deleted or replaced since it started. Start it again to run what is there now."
	case OddFolder:
		return "Its folder was deleted since it started. Start it again in one that is there."
	case OddPlace:
		return "Its program is in " + o.Detail + ", where files come from elsewhere. Make sure that you know it."
	case OddPreload:
		return "LD_PRELOAD puts other code into it (" + o.Detail + "). Make sure that you know that library."
	case OddRoot:
		return "It runs as root. Run it as a user of its own where that is possible."
	case OddExposed:
		return "The network can reach it. Bind it to 127.0.0.1 unless others are to use it."
	}
	return string(o.Kind)
}

// oddPlace returns the folder that o's program, or the script that its
// interpreter runs, should not be in; "" where it is not in one.
func oddPlace(o monitor.Owner, why Why) string {
	if why.Script != nil && strings.HasPrefix(why.Script.Name, "go ") && strings.Contains(o.Program, "/go-build") {
		return "" // go run builds there
	}
	if place := oddFolder(o.Program); place != "" {
		return place
	}
	script := scriptOf(o.Command)
	if script == "" {
		return ""
	}
	if !filepath.IsAbs(script) {
		script = filepath.Join(o.Folder, script)
	}
	return oddFolder(script)
}

// interpreterFlags are those before the file that an interpreter runs: which have
// the next argument for their value, and which mean that it runs no file.
type interpreterFlags struct{ value, noFile []string }

var (
	shellFlags  = interpreterFlags{[]string{"-o", "+o", "--rcfile", "--init-file"}, []string{"-c", "-s"}}
	flagsOfName = map[string]interpreterFlags{
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
	name := programWord(command[0])
	if strings.HasPrefix(name, "python") {
		name = "python"
	}
	flags, known := flagsOfName[name]
	for i := 1; known && i < len(command); i++ {
		arg := clip(command[i])
		switch {
		case name == "java" && arg == "-jar" && i+1 < len(command):
			return clip(command[i+1])
		case slices.Contains(flags.noFile, arg):
			return ""
		case slices.Contains(flags.value, arg):
			i++
		case name == "java" && !strings.HasPrefix(arg, "-"):
			return "" // a class
		case !strings.HasPrefix(arg, "-"):
			return arg
		}
	}
	return ""
}

// oddFolder returns which of the folders for passing things path is in.
func oddFolder(path string) string {
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
