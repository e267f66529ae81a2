package service

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
)

// This file names what a runtime runs: an interpreter's script or module, Java's
// class, Erlang's application, and the debuggers of these.

// maxArguments limits how much of a command line is parsed: Java and Erlang name
// what they run after many options.
const maxArguments = 256

const (
	nodeInspector = "Node inspector"
	javaDebugger  = "Java debugger"
	phpServer     = "PHP development server"
)

// interpreters are the runtimes that run a script, without versions, and their
// flags whose value is the next argument.
var interpreters = map[string][]string{
	"python": {"-W", "-X"}, "pypy": {"-W", "-X"}, "node": {"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions"},
	"nodejs": {"-r", "--require", "--import", "--loader", "-C"}, "bun": {"--preload", "-r", "--cwd"}, "deno": {"--config", "-c", "--import-map"},
	"ruby": {"-I", "-r", "-C", "-E"}, "jruby": {"-I", "-r"}, "perl": {"-I"}, "php": {"-t", "-d", "-c", "-z"}, "php-cgi": {"-d", "-c"},
	"lua": {"-l"}, "luajit": {"-l"}, "tclsh": nil, "guile": nil, "sh": {"-o"}, "bash": {"-o"}, "dash": {"-o"}, "mix": nil,
}

// isInterpreter reports whether a program, such as "python3.11", runs scripts.
func isInterpreter(program string) bool {
	_, ok := interpreters[trimVersion(program)]
	return ok
}

// script returns the module or the script file that s runs; both are "" if it is
// not an interpreter or runs neither.
func (s subject) script() (module, file string) {
	interpreter := trimVersion(s.title)
	withValue, ok := interpreters[interpreter]
	if !ok {
		return "", ""
	}
	javascript := interpreter == "bun" || interpreter == "deno"
	for i := 1; i < min(len(s.Command), maxArguments); i++ {
		arg := monitor.Bound(s.Command[i])
		switch {
		case isPython(interpreter) && len(arg) > 1 && arg[0] == '-' && arg[1] != '-' && strings.HasSuffix(arg, "m"): // -m, -um
			if i+1 < len(s.Command) {
				return monitor.Bound(s.Command[i+1]), ""
			}
			return "", ""
		case arg == "-c" && interpreter != "php" && interpreter != "deno", arg == "-e", arg == "-E" && interpreter == "perl", arg == "--eval", arg == "-p", arg == "-":
			return "", ""
		case slices.Contains(withValue, arg):
			i++
		case javascript && slices.Contains([]string{"run", "x", "serve", "task"}, arg):
		case interpreter == "ruby" && programName(arg) == "bundle" && i+1 < len(s.Command) && s.Command[i+1] == "exec":
			i++ // bundle exec runs the script in the same process
		case arg != "" && arg[0] != '-':
			return "", strings.TrimPrefix(arg, "npm:")
		}
	}
	return "", ""
}

func isPython(interpreter string) bool { return interpreter == "python" || interpreter == "pypy" }

// runtime identifies what a runtime runs. The finding is empty if s is not a
// runtime, or if it runs something unknown.
func (s subject) runtime() finding {
	by := func(service string) finding { return finding{service: service, by: monitor.ByCommand} }
	program := s.program()
	if isInterpreter(s.title) && !isInterpreter(program) && lookUp(program) == "" {
		program = s.title // an interpreter under another name
	}
	switch {
	case program == "java":
		return by(s.java())
	case program == "beam.smp", program == "beam":
		if name := s.erlang(); name != "Erlang" {
			return by(name)
		}
		return finding{} // as in the table of programs
	case !isInterpreter(program):
		return finding{}
	}
	interpreter := trimVersion(program)
	switch {
	case interpreter == "php" && contains(s.Command, "-S"):
		return s.phpServer()
	case interpreter == "ruby" && contains(s.Command, "-run") && contains(s.Command, "httpd"):
		return by("WEBrick") // ruby -run -e httpd: un.rb
	case s.isSpawned() && len(s.Parents) > 0: // a worker of multiprocessing
		parent := monitor.Owner{Name: s.Parents[0].Name, Command: s.Parents[0].Command, Framework: s.Framework}
		return identifyOwner(parent, s.listener)
	}
	module, file := s.script()
	if name := lookUpModule(module); name != "" {
		return by(name)
	}
	if name := lookUpScript(file); name != "" {
		return s.refine(by(name))
	}
	if interpreter == "perl" && s.isMojolicious(file) {
		return by("Mojolicious")
	}
	if interpreter == "ruby" { // sinatra and others: app.rb -s puma
		if i := slices.Index(s.Command, "-s"); i >= 0 && i+1 < len(s.Command) {
			return by(commands[programName(s.Command[i+1])])
		}
	}
	return finding{}
}

// refine finds the framework behind an application server.
func (s subject) refine(f finding) finding {
	if s.Framework != "" && kindOf[f.service] == AppServer {
		f.service, f.framework = s.Framework, s.Framework
	}
	return f
}

// isSpawned reports whether s is a worker that Python's multiprocessing started,
// whose command line names no script.
func (s subject) isSpawned() bool {
	return len(s.Command) > 2 && s.Command[1] == "-c" && strings.HasPrefix(s.Command[2], "from multiprocessing.")
}

// lookUpModule names the service of a Python module: "http.server",
// "gunicorn.app.wsgiapp".
func lookUpModule(module string) string {
	if module == "" {
		return ""
	}
	module = strings.ToLower(module)
	if s, ok := commands[module]; ok {
		return s
	}
	root, _, _ := strings.Cut(module, ".")
	if s, ok := commands[root]; ok {
		return s
	}
	return lookUp(root)
}

// lookUpScript names the service of a script: by the npm package that contains it,
// or by its name. ".js" is part of the name of a user's own script.
func lookUpScript(file string) string {
	if file == "" {
		return ""
	}
	name := programName(file)
	if at := strings.LastIndex(file, "node_modules/"); at >= 0 {
		rest := strings.ToLower(file[at+len("node_modules/"):])
		name = trimScript(name)
		parts := strings.SplitN(rest, "/", 3)
		pkg := parts[0]
		if strings.HasPrefix(pkg, "@") && len(parts) > 1 {
			pkg += "/" + parts[1]
		}
		if s, ok := commands[pkg]; ok {
			return s
		}
	}
	if strings.Contains(file, "/debugpy/") {
		return "debugpy"
	}
	if s, ok := commands[name]; ok {
		return s
	}
	if s, ok := commands[trimVersion(name)]; ok {
		return s
	}
	return lookUp(name)
}

func trimScript(name string) string {
	for _, suffix := range []string{".js", ".mjs", ".cjs"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

// isMojolicious reports whether s is a Perl application with the server of
// Mojolicious: "app.pl daemon -l http://*:3000", or below morbo, which replaces
// the title by the script's name.
func (s subject) isMojolicious(script string) bool {
	if len(s.Parents) > 0 {
		parent := subject{Owner: monitor.Owner{Command: s.Parents[0].Command}, title: firstWord(first(s.Parents[0].Command))}
		if _, file := parent.script(); programName(file) == "morbo" {
			return true
		}
	}
	i := slices.Index(s.Command, script)
	if script == "" || i < 0 || i+1 >= len(s.Command) || (s.Command[i+1] != "daemon" && s.Command[i+1] != "prefork") {
		return false
	}
	return i+2 == len(s.Command) || s.Command[i+2] == "-l" || s.Command[i+2] == "--listen" || s.Command[i+2] == "-m"
}

// phpServer identifies the server of "php -S", which "artisan serve" starts too.
func (s subject) phpServer() finding {
	f := finding{service: phpServer, by: monitor.ByCommand, framework: "PHP"}
	for _, arg := range s.Command {
		if arg = monitor.Bound(arg); strings.Contains(arg, "laravel/framework/") || strings.Contains(arg, "/Illuminate/Foundation/") {
			return finding{service: "Laravel", by: monitor.ByCommand}
		}
	}
	return f
}

// xServer names an X server, which listens on 6000 and its display's number.
func (s subject) xServer() string {
	if port := s.listener.Port; port >= 6000 && port < 6064 {
		return "X server :" + strconv.Itoa(int(port)-6000)
	}
	return programs[s.program()]
}

// java names the service of a Java virtual machine: by the system properties that
// its start script sets, by its main class or archive, or "Java (app.jar)".
func (s subject) java() string {
	property, class := "", ""
	command := s.Command[:min(len(s.Command), maxArguments)]
	for i := 1; i < len(command); i++ {
		arg := monitor.Bound(command[i])
		switch {
		case strings.HasPrefix(arg, "-D"):
			key, _, _ := strings.Cut(strings.ToLower(arg[2:]), "=")
			if name := javaProperties[key]; name != "" && (property == "" || javaHosts[property]) {
				property = name
			}
		case arg == "-cp", arg == "-classpath", arg == "--class-path", arg == "-p", arg == "--module-path", arg == "--add-modules", arg == "--add-opens", arg == "--add-exports":
			i++
		case arg == "-jar" || arg == "-m" || arg == "--module":
			if i++; i < len(command) {
				class = monitor.Bound(command[i])
			}
		case !strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "@"):
			class = arg
		}
		if class != "" {
			break
		}
	}
	lower := strings.ToLower(class)
	if at := strings.LastIndexAny(lower, `/\`); strings.HasSuffix(lower, ".jar") {
		lower = lower[at+1:] // its folder may have any name
	}
	service := ""
	for _, known := range javaClasses {
		if strings.Contains(lower, known.pattern) {
			service = known.service
			break
		}
	}
	if service == "" || (javaHosts[service] && property != "") {
		service = property
	}
	if service != "" || class == "" {
		return service
	}
	main := path.Base(strings.ReplaceAll(class, `\`, "/")) // also of module/class
	if !strings.HasSuffix(main, ".jar") && !strings.HasSuffix(main, ".java") {
		main = main[strings.LastIndexByte(main, '.')+1:]
	}
	if main = monitor.CleanMasked(main, maxTarget); main == "" {
		return ""
	}
	return "Java (" + main + ")"
}

// erlang names the application that Erlang's virtual machine runs.
func (s subject) erlang() string {
	command := s.Command[:min(len(s.Command), maxArguments)]
	for i, arg := range command {
		next := ""
		if i+1 < len(command) {
			next = strings.ToLower(monitor.Bound(command[i+1]))
		}
		switch arg {
		case "-s", "-run":
			if name := erlangBoot[next]; name != "" {
				return name
			}
		case "-sname", "-name":
			node, _, _ := strings.Cut(next, "@")
			if name := erlangBoot[node]; name != "" {
				return name
			}
		case "-couch_ini":
			return "CouchDB"
		case "phx.server":
			return "Phoenix"
		}
	}
	return "Erlang"
}

// debugger names the debugger that waits on the port, if the command line
// contains its port.
func (s subject) debugger() string {
	port := s.listener.Port
	for i, arg := range s.Command[:min(len(s.Command), maxArguments)] {
		arg = monitor.Bound(arg)
		flag, value, _ := strings.Cut(arg, "=")
		at := value[strings.LastIndexByte(value, ':')+1:]
		switch {
		case flag == "--inspect" || flag == "--inspect-brk" || flag == "--inspect-wait" || flag == "--inspect-port":
			if isPort(at, port) || (value == "" && port == 9229) {
				return nodeInspector
			}
		case strings.HasPrefix(arg, "-agentlib:jdwp=") || strings.HasPrefix(arg, "-Xrunjdwp:"):
			if _, address, ok := strings.Cut(arg, "address="); ok {
				address, _, _ = strings.Cut(address, ",")
				if isPort(address[strings.LastIndexByte(address, ':')+1:], port) {
					return javaDebugger
				}
			}
		case flag == "-Dcom.sun.management.jmxremote.port" || flag == "-Dcom.sun.management.jmxremote.rmi.port":
			if isPort(value, port) {
				return "JMX"
			}
		case arg == "--remote-debugging-port="+strconv.Itoa(int(port)):
			return "Chrome DevTools"
		case arg == "--listen" && i+1 < len(s.Command) && contains(s.Command[:i+1], "debugpy"):
			next := monitor.Bound(s.Command[i+1])
			if isPort(next[strings.LastIndexByte(next, ':')+1:], port) {
				return "debugpy"
			}
		}
	}
	return ""
}
