package process

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"porthole/monitor"
)

// maxName is the length to which Linux truncates the name of a process
// (TASK_COMM_LEN, less the zero byte).
const maxName = 15

// threadNames are names that do not identify a program: the name that Node.js
// gives its main thread since version 22, which becomes the name of the process,
// and the name of a program that was started as /proc/self/exe.
var threadNames = []string{"MainThread", "node-MainThread", "exe"}

// genericNames are programs whose names are only meaningful together with their
// folder.
var genericNames = map[string][]struct{ folder, title string }{
	"master": {{"/postfix/", "Postfix master"}, {"/cyrus/", "Cyrus master"}},
}

// systemFolders are where scripts are commands like any program.
var systemFolders = []string{"/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec"}

// DisplayName returns the name of a process for people. name is what the kernel
// calls it; program is the path of its program and command its command line, as
// far as they are readable. DisplayName completes names that the kernel truncated
// to 15 bytes, replaces names of threads, paths and titles by that of the program,
// and names an interpreter after the command that it runs from a folder for
// commands.
func DisplayName(name, program string, command []string) string {
	base := baseName(program)
	started := ""
	if len(command) > 0 {
		started = baseName(monitor.Bound(command[0]))
	}
	switch {
	case name == "", slices.Contains(threadNames, name), strings.Trim(name, "0123456789") == "": // fexecve(3) leaves a number
		name = cmp.Or(base, titleProgram(started), name)
	case strings.Contains(name, "/"): // Perl scripts may put a whole path into $0
		name = completePath(name, command)
	case len(name) >= maxName:
		name = complete(name, base, command)
	}
	if file, isBuild := strings.CutSuffix(name, ".avx2"); isBuild { // pasta runs the build of passt for this processor
		name = file
		if started == "pasta" || started == "passt" {
			name = started
		}
	}
	if title, _, ok := strings.Cut(name, ": "); ok && title != "" && (title == base || title == started) {
		name = title // "nsd: xfrd"
	}
	for _, generic := range genericNames[name] {
		if path := cmp.Or(program, first(command)); strings.Contains(path, generic.folder) {
			return generic.title
		}
	}
	if script := systemScript(name, base, started, command); script != "" {
		return script
	}
	return name
}

// complete completes a truncated name from the program or the first words of the
// command, if one of them begins with it.
func complete(name, base string, command []string) string {
	candidates := []string{base}
	for _, arg := range command[:min(len(command), 4)] {
		candidates = append(candidates, filepath.Base(monitor.Bound(arg)), monitor.Bound(arg))
	}
	for _, c := range candidates {
		if strings.HasPrefix(c, name) {
			return c
		}
	}
	return name
}

// completePath returns the base name of a path that the kernel truncated.
func completePath(name string, command []string) string {
	for _, arg := range command[:min(len(command), 4)] {
		word, _, _ := strings.Cut(monitor.Bound(arg), " ")
		if strings.HasPrefix(word, name) {
			return filepath.Base(word)
		}
	}
	return filepath.Base(name)
}

// systemScript returns the command that an interpreter runs, if the interpreter's
// own name is all that is known: "wsdd" for "python3 /usr/sbin/wsdd".
func systemScript(name, base, started string, command []string) string {
	if name != base && name != started {
		return ""
	}
	interpreter := strings.TrimRight(name, "0123456789.")
	if !slices.Contains([]string{"python", "perl", "ruby", "node", "nodejs", "lua", "php"}, interpreter) {
		return ""
	}
	for i := 1; i < min(len(command), 4); i++ {
		arg := monitor.Bound(command[i])
		switch {
		case arg == "-m" || arg == "-c" || arg == "-e":
			return ""
		case strings.HasPrefix(arg, "-"):
		case slices.Contains(systemFolders, filepath.Dir(arg)):
			return filepath.Base(arg)
		default:
			return ""
		}
	}
	return ""
}

// titleProgram returns the program in a title: "puma" for "puma 5.6.5 (…)".
func titleProgram(title string) string {
	title, _, _ = strings.Cut(title, " ")
	return strings.TrimSuffix(title, ":")
}

func baseName(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}

func first(command []string) string {
	if len(command) == 0 {
		return ""
	}
	return monitor.Bound(command[0])
}
