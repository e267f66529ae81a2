package monitor

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// masked replaces a secret. Its length is constant.
const masked = "•••"

// The name of a flag or variable indicates a secret if one of these words is at its
// end or a word of its own: --password=, --db-passwd, API_KEY=, -Dtoken=. "keyboard",
// "monkey" and "--pass-through" do not.
var (
	secretName = `(?:(?i:(?:[a-z0-9]+[-_.])*(?:(?:auth|db|ftp|key|login|mail|master|my|pg|proxy|redis|require|root|smtp|sql|store|user)?pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|auth|credentials?|bearer|[a-z]*password|[a-z]*token|[a-z]*secret)(?:[-_](?:id|key|value))?)|[A-Z][A-Z0-9_]*_(?:KEY|PASS|PWD|DSN|SALT)(?:_BASE)?)`
	// name=value and name:value, alone or after a dash, a space, "?" or "&"
	secretPair = regexp.MustCompile(`(^|[\s?&;,"'({-])(` + secretName + `["']?)(=|: ?)('[^']*'|"[^"]*"|[^\s&;,]+)`)
	// --password value within one argument, as in sh -c, or if a server rewrote its command line
	secretWords = regexp.MustCompile(`((?:^|\s)--?` + secretName + `\s+)([^\s-]\S*)`)
	// an argument that consists of name=value, where the value may contain spaces
	secretArgument = regexp.MustCompile(`^(?:--?)?` + secretName + `=`)
	// a flag whose value is the next argument
	secretFlag = regexp.MustCompile(`^--?` + secretName + `$`)
	// any flag, as opposed to a value that begins with a dash
	anyFlag = regexp.MustCompile(`^--?[A-Za-z][A-Za-z0-9-]*(=.*)?$`)
	// scheme://user:password@host
	urlPassword = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):([^\s/]+)@`)
	// the same with a slash in the password, and with only a token
	urlSlash = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):([^\s/@]*)(/[^\s@]*)@`)
	urlToken = regexp.MustCompile(`(https?://)[A-Za-z0-9_-]{16,}@`)
	// Cookie: sid=xyz
	cookie = regexp.MustCompile(`(?i)\b(cookie:\s*)[^\s"'][^"']*`)
	// Authorization: Bearer xyz, as in curl -H
	authHeader = regexp.MustCompile(`(?i)\b(bearer|basic|authorization:\s*\w+)\s+[A-Za-z0-9+/._~=-]{6,}`)
	// what maskProgram masks, within one argument: sh -c "mysql -psecret"
	programSecret = regexp.MustCompile(`\b((?:mysql|mariadb)[a-z-]*\s(?:[^|;&\n]*\s)?-p|sshpass\s(?:[^|;&\n]*\s)?-p\s*|redis-cli\s(?:[^|;&\n]*\s)?-a\s+|curl\s(?:[^|;&\n]*\s)?-[uU]\s*[^\s:]+:)([^\s|;&]+)`)
	// in the name of a variable, any part counts: MYSQL_PASS, SENTRY_KEY, TOKENS
	secretVariable = regexp.MustCompile(`(?i)pass(word|wd|phrase)|secret|token|key|credential|cookie|(^|_)(pass|pwd|auth|dsn|salt)(_|$)|[a-z](pass|pwd)$`)
	// tokens with a recognizable format (GitHub, GitLab, Slack, AWS, JWT)
	knownToken = regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)`)
)

// MaskCommand returns a copy of command with secrets replaced: values of flags and
// variables whose names indicate a secret, passwords in URLs, Authorization and Cookie
// headers, tokens with a recognizable format, and values of certain flags of some
// programs. Masking is best effort: secrets in any other form stay readable.
func MaskCommand(command []string) []string {
	if command == nil {
		return nil
	}
	out := make([]string, len(command))
	next := false
	for i, arg := range command {
		if next && !anyFlag.MatchString(arg) {
			out[i], next = masked, false
			continue
		}
		out[i] = MaskText(arg)
		if strings.Contains(arg, "=") {
			if name := secretArgument.FindString(arg); name != "" && len(name) < len(arg) {
				out[i] = name + masked
			}
		}
		next = i > 0 && strings.HasPrefix(arg, "-") && secretFlag.MatchString(arg)
	}
	maskProgram(command, out)
	return out
}

// maskProgram masks the values of single-letter flags that are passwords for one
// program only, according to its manual: mysql(1), sshpass(1), redis-cli --help and
// curl(1). The program may follow others: sudo mysql -psecret.
func maskProgram(command, out []string) {
	first := slices.IndexFunc(command, func(arg string) bool {
		name := path.Base(arg)
		return strings.HasPrefix(name, "mysql") || strings.HasPrefix(name, "mariadb") || name == "sshpass" || name == "redis-cli" || name == "curl"
	})
	if first < 0 {
		return
	}
	program := path.Base(command[first])
	for i := first + 1; i < len(command); i++ {
		arg, before := command[i], ""
		if i > first+1 {
			before = command[i-1]
		}
		switch {
		case strings.HasPrefix(program, "mysql"), strings.HasPrefix(program, "mariadb"), program == "sshpass":
			if strings.HasPrefix(arg, "-p") && len(arg) > 2 {
				out[i] = "-p" + masked
			} else if before == "-p" && program == "sshpass" {
				out[i] = masked
			}
		case program == "redis-cli" && before == "-a":
			out[i] = masked
		case program == "curl" && slices.Contains([]string{"-u", "--user", "-U", "--proxy-user"}, before),
			program == "curl" && (strings.HasPrefix(arg, "-u") || strings.HasPrefix(arg, "-U") || strings.HasPrefix(arg, "--user=")):
			if user, password, ok := strings.Cut(arg, ":"); ok && password != "" {
				out[i] = user + ":" + masked
			}
		}
	}
}

// Characters that a text needs for some of the patterns above to match. Checking for
// them first reduces the time for most texts to an eighth.
const (
	space         = " \t\n\f\r" // RE2's \s
	shortestToken = len("xoxb-") + 10
)

// MaskText returns s, one argument or line of text, with secrets replaced.
func MaskText(s string) string {
	if strings.Contains(s, "://") {
		s = urlPassword.ReplaceAllString(s, "${1}:"+masked+"@")
		s = urlSlash.ReplaceAllStringFunc(s, func(url string) string {
			part := urlSlash.FindStringSubmatch(url)
			if strings.Trim(part[2], "0123456789") == "" {
				return url // a port, and an "@" in the path
			}
			return part[1] + ":" + masked + "@"
		})
		s = urlToken.ReplaceAllString(s, "${1}"+masked+"@")
	}
	if strings.Contains(s, ":") {
		s = cookie.ReplaceAllString(s, "${1}"+masked)
	}
	if strings.ContainsAny(s, space) {
		s = authHeader.ReplaceAllString(s, "${1} "+masked)
		s = secretWords.ReplaceAllString(s, "${1}"+masked)
		s = programSecret.ReplaceAllString(s, "${1}"+masked)
	}
	if strings.ContainsAny(s, "=:") {
		s = secretPair.ReplaceAllString(s, "${1}${2}${3}"+masked)
	}
	if len(s) >= shortestToken {
		s = knownToken.ReplaceAllString(s, masked)
	}
	return s
}

// plainVariables are no secrets, although their names match.
var plainVariables = map[string]bool{"PWD": true, "OLDPWD": true, "SSH_AUTH_SOCK": true}

// MaskVariable returns one variable of an environment, NAME=value, with secrets
// replaced. If the name indicates a secret, the whole value is replaced. MaskVariable
// masks more than MaskCommand does, because environments often contain secrets.
func MaskVariable(entry string) string {
	name, value, ok := strings.Cut(entry, "=")
	switch {
	case !ok:
		return MaskText(entry)
	case plainVariables[name]:
		return name + "=" + MaskText(value)
	case secretVariable.MatchString(name) && value != "":
		return name + "=" + masked
	}
	return MaskText(name) + "=" + MaskText(value)
}
