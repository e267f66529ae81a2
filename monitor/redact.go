package monitor

import (
	"net/netip"
	"path"
	"regexp"
	"strings"
	"unicode"
)

// RedactCommand returns a copy of command for text that is stored, put into
// notifications or exported. It keeps only what it knows to be harmless: the
// program, names of flags, ports, addresses, hosts after flags such as --listen,
// paths of files, common subcommands and scripts, and the scheme and host of URLs.
// Everything else is replaced. The result has one element per element of command.
// RedactCommand is safe for concurrent use.
func RedactCommand(command []string) []string {
	if command == nil {
		return nil
	}
	r := redactor{program: programOf(command)}
	out := make([]string, len(command))
	for i, arg := range command {
		if strings.ContainsFunc(arg, unicode.IsSpace) || !r.line && i == 0 {
			out[i] = r.text(arg, i == 0)
		} else {
			out[i] = r.word(arg)
		}
	}
	return out
}

// redactor redacts the words of a command line in their order.
type redactor struct {
	program string // the first program's name, without its folder
	line    bool   // the program has been seen
	before  string // the flag or word before this one, "" if it was redacted
}

func programOf(command []string) string {
	if len(command) == 0 {
		return ""
	}
	return path.Base(firstField(Bound(command[0])))
}

func firstField(s string) string {
	if fields := strings.Fields(s); len(fields) > 0 {
		return fields[0]
	}
	return ""
}

// text redacts an argument that has spaces: a line for a shell, a process title, or a
// secret. Successive replaced words become one replacement.
func (r *redactor) text(arg string, title bool) string {
	var out []string
	// A secret of several words: the words are no command.
	if secretFlag.MatchString(r.before) || weakFlag.MatchString(r.before) {
		r.before = ""
		return masked
	}
	for i, word := range strings.Fields(arg) {
		if title && i == 0 {
			word = r.programWord(word)
		} else {
			word = r.word(word)
		}
		if word != masked || len(out) == 0 || out[len(out)-1] != masked {
			out = append(out, word)
		}
	}
	return strings.Join(out, " ")
}

// programWord redacts the first word, which is the program: a path or a name.
func (r *redactor) programWord(word string) string {
	r.line, r.before = true, ""
	if programText.MatchString(word) && !strings.Contains(word, "://") && MaskText(word) == word {
		return redactPath(word)
	}
	return masked
}

var (
	programText  = regexp.MustCompile(`^[A-Za-z0-9_./+~@()\\:•-]{1,400}$`)
	longFlag     = regexp.MustCompile(`^--[A-Za-z][A-Za-z0-9_.-]{0,40}$`)
	shortFlag    = regexp.MustCompile(`^-[A-Za-z0-9]$`)
	assignedName = regexp.MustCompile(`^(?:--?)?[A-Za-z_][A-Za-z0-9_.-]{0,40}$`)
	number       = regexp.MustCompile(`^[0-9]{1,5}$`)
	portMap      = regexp.MustCompile(`^[0-9]{1,5}(?::[0-9]{1,5})?(?:/(?:tcp|udp))?$`)
	hostPort     = regexp.MustCompile(`^(?:\[[0-9a-fA-F:]+\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|localhost|\*)?(?::[0-9]{1,5}){1,2}(?:/(?:tcp|udp))?$`)
	hostName     = regexp.MustCompile(`^(?:[a-z][a-z0-9-]{0,30}\.)*[a-z][a-z0-9-]{0,30}(?::[0-9]{1,5})?$`)
	urlHost      = regexp.MustCompile(`^([a-z][a-z0-9+.-]{1,12}://)(?:[^\s/@]*@)?(\[[0-9a-f:]+\]|[a-z0-9.-]{1,80})(:[0-9]{1,5})?(/.*|\?.*|#.*)?$`)
	pathText     = regexp.MustCompile(`^[A-Za-z0-9_./+~@•-]{1,400}$`)
	scriptFile   = regexp.MustCompile(`^[A-Za-z0-9_./@+-]{1,200}\.(?:js|mjs|cjs|ts|mts|tsx|jsx|py|pyc|rb|php|pl|lua|sh|bash|jar|war|go|rs|ex|exs|dll|exe|conf|cnf|cfg|ini|toml|ya?ml|json|xml|hcl|service|socket)$`)
	module       = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,30}(?:\.[a-z_][a-z0-9_]{0,30}){0,5}$`)
	appObject    = regexp.MustCompile(`^[a-z_][a-z_.]{0,40}:(?:app|application|create_app|server)$`)
	scriptName   = regexp.MustCompile(`^[a-z][a-z:_-]{0,30}$`)
	smallWord    = regexp.MustCompile(`^[a-z]{1,16}$`)
	shellMark    = regexp.MustCompile(`^(?:&&|\|\||[|;&(){}]|[12]?>>?|2>&1|<)$`)
)

// plainWords are words that name no secret: subcommands, and words in the titles that
// servers give themselves.
var plainWords = set(`run start serve server dev develop preview watch exec build test up daemon agent standalone worker workers master process child parent
 manager pool main cache loader idle waiting listener writer walwriter checkpointer launcher logger background autovacuum logical replication cluster sentinel
 runserver celery beat web api app proxy node python python3 ruby php perl java go npm npx yarn pnpm bun deno vite next nuxt astro webpack webpack-dev-server
 ng rails puma unicorn sidekiq bundle flask django gunicorn uvicorn hypercorn jupyter notebook lab postgres redis mysqld mariadbd mongod nginx docker compose
 podman kubectl port-forward sudo env nohup exec cd sh bash true false on off yes no development production staging localhost`)

// plainOneDash are flags with one dash and a long name: Go's, Java's and others'.
var plainOneDash = set(`jar cp classpath server client port addr address host listen bind config conf dir root http https web.listen-address config.file
 container-ip container-port host-ip host-port proto use-listen-fd listener-fd mode log level name data-dir dev v vv vvv version help daemon foreground nolisten tcp`)

// What the value of a flag is, by the flag's name.
var (
	hostFlags = set(`host hostname bind listen addr address ip listen-address bind-address http-host http-addr interface web.listen-address server-address
 container-ip host-ip advertise-address listen-host bind-ip bind_ip bindaddr`)
	wordFlags = set(`mode env environment log-level loglevel level proto protocol log format worker-class loop http transport type role reload`)
)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, word := range strings.Fields(words) {
		out[word] = true
	}
	return out
}

// word redacts one word.
func (r *redactor) word(word string) string {
	before := r.before
	r.before = ""
	if word == "" {
		return ""
	}
	if !r.line {
		return r.programWord(word)
	}
	isSecret := secretFlag.MatchString(before) || weakFlag.MatchString(before) || secretKeyword.MatchString(before)
	switch {
	case isSecret && !longFlag.MatchString(word):
		return masked
	case longFlag.MatchString(word) && !random(word), shortFlag.MatchString(word):
		r.before = word
		return word
	case strings.HasPrefix(word, "-") && plainOneDash[strings.TrimLeft(word, "-")]:
		r.before = word
		return word
	case shellMark.MatchString(word), word == "--", word == "…":
		return word
	}
	if name, value, ok := strings.Cut(word, "="); ok && assignedName.MatchString(name) && !random(name) {
		oneDash := strings.HasPrefix(name, "-") && !strings.HasPrefix(name, "--")
		if oneDash && len(name) > 2 && !plainOneDash[name[1:]] && !strings.HasPrefix(name, "-D") {
			return masked
		}
		if value == "" {
			return word
		}
		flag := "--" + strings.TrimLeft(name, "-")
		if secretFlag.MatchString(flag) || weakFlag.MatchString(flag) || secretArgument.MatchString(name+"=") || secretVariable.MatchString(name) {
			return name + "=" + masked
		}
		return name + "=" + r.value(flag, value)
	}
	if secretKeyword.MatchString(word) {
		r.before = word
		return word
	}
	out := r.value(before, word)
	if out == word {
		r.before = word
	}
	return out
}

// value redacts what follows the flag or word before.
func (r *redactor) value(before, word string) string {
	name := strings.TrimLeft(before, "-")
	switch {
	case word == masked, plainWords[word]:
		return word
	case number.MatchString(word), portMap.MatchString(word), hostPort.MatchString(word), isAddress(word):
		return word
	case hostFlags[name] && strings.HasPrefix(before, "-") && hostName.MatchString(word) && !random(word):
		return word
	case wordFlags[name] && strings.HasPrefix(before, "-") && smallWord.MatchString(word):
		return word
	case strings.Contains(word, "://"):
		part := urlHost.FindStringSubmatch(word)
		if part == nil || random(part[2]) || MaskText(part[2]) != part[2] {
			return masked
		}
		url := part[1] + part[2] + part[3]
		if part[4] == "" || part[4] == "/" {
			return url + part[4]
		}
		return url + "/" + masked
	case isPath(word) && MaskText(word) == word:
		return redactPath(word)
	case before == "-m" && module.MatchString(word), appObject.MatchString(word):
		if random(word) {
			return masked
		}
		return word
	case before == "run" && isInterpreterOf(r.program) && scriptName.MatchString(word):
		return word
	}
	return masked
}

// isInterpreterOf reports whether program runs the scripts of package.json.
func isInterpreterOf(program string) bool {
	switch program {
	case "node", "nodejs", "npm", "pnpm", "yarn", "bun", "deno":
		return true
	}
	return false
}

// isAddress reports whether word is an IP address, with or without a port.
func isAddress(word string) bool {
	if _, err := netip.ParseAddr(word); err == nil {
		return !strings.Contains(word, "%")
	}
	_, err := netip.ParseAddrPort(word)
	return err == nil && !strings.Contains(word, "%")
}

func isPath(word string) bool {
	if !pathText.MatchString(word) {
		return false
	}
	for _, start := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(word, start) {
			return true
		}
	}
	return strings.Contains(word, "node_modules/") || scriptFile.MatchString(word)
}

// redactPath returns word with the parts replaced that look like secrets.
func redactPath(word string) string {
	parts := strings.Split(word, "/")
	for i, part := range parts {
		if random(part) {
			parts[i] = masked
		}
	}
	return strings.Join(parts, "/")
}

// random reports whether s contains a run of letters and digits that looks generated:
// a long one with digits, or a shorter one with both cases and digits.
func random(s string) bool {
	length, digits, lower, upper := 0, 0, 0, 0
	for _, c := range s + "-" {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
		default:
			length, digits, lower, upper = 0, 0, 0, 0
			continue
		}
		length++
		if length >= 24 && digits >= 4 || length >= 12 && digits >= 2 && lower >= 2 && upper >= 2 {
			return true
		}
	}
	return false
}
