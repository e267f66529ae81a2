package ancestry

import (
	"slices"
	"strings"

	"porthole/monitor"
)

// interpreterFlags are the flags that may precede the script of an interpreter:
// those whose value is the next argument, and those that mean that no file is run.
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

// ScriptFile returns the script file that a command makes its interpreter run; ""
// if there is none.
func ScriptFile(command []string) string {
	if len(command) == 0 {
		return ""
	}
	name := monitor.ProgramFile(command[0])
	if strings.HasPrefix(name, "python") {
		name = "python"
	}
	flags, known := flagsByInterpreter[name]
	for i := 1; known && i < len(command); i++ {
		arg := monitor.Bound(command[i])
		switch {
		case name == "java" && arg == "-jar" && i+1 < len(command):
			return monitor.Bound(command[i+1])
		case slices.Contains(flags.noFile, arg):
			return ""
		case slices.Contains(flags.withValue, arg):
			i++
		case name == "java" && !strings.HasPrefix(arg, "-"):
			return "" // a class name
		case !strings.HasPrefix(arg, "-"):
			return arg
		}
	}
	return ""
}
