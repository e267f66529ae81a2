package tunnel

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
)

// program is one program that makes tunnels. To add one, add a row to programs.
type program struct {
	title string
	// names are the file names of the program, or of the script that an interpreter runs.
	names []string
	// parse returns what the arguments after the program's name say.
	parse func(args []string) []forward
	// file returns the path of the configuration file that the arguments name, and read what
	// it says; nil for a program whose file is not read.
	file func(args []string) string
	read func(args []string, text []byte) []forward
	// ask asks the local API of the process. ok is false if it did not answer as that API
	// does; complete means that its answer replaces what parse and read returned. nil for a
	// program without an API.
	ask func(a api, args []string) (found []forward, complete, ok bool)
}

// programs are the known programs. The sources are their own help texts and documentation,
// and their code where it is public.
var programs = []program{
	{title: "cloudflared", names: []string{"cloudflared"}, parse: parseCloudflared, file: cloudflaredFile, read: readCloudflared, ask: askCloudflared},
	{title: "ngrok", names: []string{"ngrok"}, parse: parseNgrok, file: ngrokFile, read: readNgrok, ask: askNgrok},
	{title: "tailscale serve", names: []string{"tailscale"}, parse: parseTailscale},
	{title: "tailscale serve", names: []string{"tailscaled"}, parse: none, ask: askTailscale},
	{title: "ssh -R", names: []string{"ssh"}, parse: parseSSH},
	{title: "localtunnel", names: []string{"lt", "localtunnel", "lt.js"}, parse: parseLocaltunnel},
	{title: "bore", names: []string{"bore"}, parse: parseBore},
	{title: "zrok", names: []string{"zrok"}, parse: parseZrok},
}

func none([]string) []forward { return nil }

// interpreters are the names of processes that may run one of the programs as a script. Node
// calls its process MainThread since version 23.
var interpreters = []string{"node", "nodejs", "bun", "mainthread"}

// mayBe reports whether the process with that name may be one of the programs.
func mayBe(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(interpreters, name) || slices.ContainsFunc(programs, func(p program) bool { return slices.Contains(p.names, name) })
}

// maxFlags limits how many flags of an interpreter are skipped.
const maxFlags = 8

// recognise returns the program that a command line runs and its arguments, and false if it
// is none.
func recognise(command []string) (p program, args []string, ok bool) {
	if len(command) == 0 {
		return p, nil, false
	}
	name, args := monitor.ProgramFile(command[0]), command[1:]
	if slices.Contains(interpreters, name) {
		i := slices.IndexFunc(args[:min(len(args), maxFlags)], func(a string) bool { return !strings.HasPrefix(a, "-") })
		if i < 0 {
			return p, nil, false
		}
		name, args = scriptName(args[i]), args[i+1:]
	}
	for _, p := range programs {
		if slices.Contains(p.names, name) {
			return p, args, true
		}
	}
	return p, nil, false
}

// scriptName returns the name by which programs knows a script: its file name, or the name of
// its package if the file name says nothing.
func scriptName(path string) string {
	if path = monitor.Bound(path); strings.Contains(path, "/localtunnel/bin/") {
		return "localtunnel"
	}
	return monitor.ProgramFile(path)
}

// flags are the parsed arguments of a program.
type flags struct {
	values map[string]string // by the name without dashes, of the last one
	words  []string          // the other arguments
}

// value returns the value of the first of names that is set; "" if none is.
func (f flags) value(names ...string) string {
	for _, name := range names {
		if v := f.values[name]; v != "" {
			return v
		}
	}
	return ""
}

// word returns the i-th argument that is no flag; "" if there are fewer.
func (f flags) word(i int) string {
	if i >= len(f.words) {
		return ""
	}
	return f.words[i]
}

// parseFlags parses arguments as Go's flag packages, yargs and clap do: --name=value,
// --name value, -n value and -nvalue. switches are the flags that have no value.
func parseFlags(args, switches []string) flags {
	f := flags{values: map[string]string{}}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		name := strings.TrimLeft(arg, "-")
		switch {
		case arg == "--":
			f.words = append(f.words, args[i+1:]...)
			return f
		case name == arg || name == "":
			f.words = append(f.words, arg)
			continue
		}
		value, hasValue := "", false
		if name, value, hasValue = strings.Cut(name, "="); !hasValue && !strings.HasPrefix(arg, "--") && len(name) > 1 && isNumber(name[1:]) { // -p8080
			name, value, hasValue = name[:1], name[1:], true
		}
		if !hasValue && !slices.Contains(switches, name) && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			value = args[i]
		}
		f.values[name] = value
	}
	return f
}

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// parseLocaltunnel parses the arguments of lt (github.com/localtunnel/localtunnel, bin/lt.js).
// Its flag --host is the server, --local-host the target.
func parseLocaltunnel(args []string) []forward {
	f := parseFlags(args, []string{"open", "o", "local-https", "allow-invalid-cert", "print-requests"})
	t, ok := parseTarget(net.JoinHostPort(f.value("local-host", "l"), f.value("port", "p")))
	if !ok {
		return nil
	}
	return []forward{{target: t, reach: monitor.ReachInternet}}
}

// parseBore parses the arguments of bore (github.com/ekzhang/bore): "bore local 8000 --to
// bore.pub". Everybody can connect to bore.pub; another server may be in a private network.
func parseBore(args []string) []forward {
	f := parseFlags(args, nil)
	t, ok := parseTarget(net.JoinHostPort(f.value("local-host", "l"), f.word(1)))
	if f.word(0) != "local" || !ok {
		return nil
	}
	server, port := cleanHost(f.value("to", "t")), f.value("port", "p")
	at := server
	if isNumber(port) && port != "0" && server != "" {
		at = server + ":" + port
	}
	if server == "bore.pub" {
		out := forward{target: t, reach: monitor.ReachInternet}
		if at != server {
			out.url = at
		}
		return []forward{out}
	}
	return []forward{{target: t, reach: monitor.ReachHost, host: at}}
}

// parseZrok parses the arguments of zrok (docs.zrok.io): "zrok share public
// http://localhost:8080". A private share is for those who have the same operator's account and
// know its token.
func parseZrok(args []string) []forward {
	f := parseFlags(args, []string{"headless", "insecure", "verbose", "v", "closed", "force-agent", "force-local"})
	t, ok := parseTarget(f.word(2))
	if f.word(0) != "share" || !ok || !slices.Contains([]string{"", "proxy", "tcpTunnel"}, f.value("backend-mode", "b")) {
		return nil
	}
	switch f.word(1) {
	case "public":
		return []forward{{target: t, reach: monitor.ReachInternet}}
	case "private":
		return []forward{{target: t, reach: monitor.ReachAccount}}
	}
	return nil
}
