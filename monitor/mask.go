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
// end or is a separate word: --password=, --db-passwd, API_KEY=, -Dtoken=.
// "keyboard", "monkey" and "--pass-through" do not.
var (
	secretName = `(?:(?i:(?:[a-z0-9]+[-_.])*(?:(?:auth|db|ftp|key|login|mail|master|my|pg|proxy|redis|require|root|smtp|sql|store|user)?pass(?:word|wd|phrase|code)?|pwd?|secret|token|api[-_]?key|access[-_]?key|secret[-_]?key|private[-_]?key|(?:master|proxy|basic|http)?auth|auth[-_]?key|cred|credential|bearer|jwt|[a-z]*password|[a-z]*token|[a-z]*secret)s?(?:[-_](?:id|key|value))?)|[A-Z][A-Z0-9_]*_(?:KEY|PASS|PWD|DSN|SALT)(?:_BASE)?)`
	// A string of JSON within a string of JSON, as in "{\"password\":\"a b\"}": a quote within it has
	// three backslashes, other escaped characters have two. Of deeper levels more than the value is masked.
	escapedString = `\\+"(?:\\\\\\"|\\\\\\\\|\\\\[^\\"]|[^"\\])*(?:\\+")?`
	// Names that indicate a secret unless their value is a file, a number format or a
	// switch: see harmlessValue.
	weakName     = `(?i:(?:[a-z0-9]+[-_.])*(?:key|pin|otp|totp|pat|seed|salt|sig|signature|hash|cookie|license|session|dsn)s?)`
	weakPair     = regexp.MustCompile(`(^|[\s?&;,"'({:-])(` + weakName + `)=("[^"]*"|'[^']*'|[^\s&;,]+)`)
	weakWords    = regexp.MustCompile(`((?:^|\s)--?` + weakName + `\s+)([^\s-]\S*)`)
	weakArgument = regexp.MustCompile(`^(?:--?)?` + weakName + `=`)
	weakFlag     = regexp.MustCompile(`^--?` + weakName + `$`)
	// what a name such as --key or --session is often followed by that is no secret
	harmlessValue = regexp.MustCompile(`^(?:[~.]{0,2}/.*|.*\.(?:pem|key|crt|cer|jks|p12|pfx|json|ya?ml|toml|conf|txt|db|sqlite)|(?i:true|false|yes|no|on|off|none|auto|md5|sha\d+|bcrypt|argon2\w*|xxhash\w*|murmur\w*|crc32\w*))$`)
	// --password=a,b in a line: a comma ends no argument
	secretOption = regexp.MustCompile(`((?:^|[\s"'])--?` + secretName + `=)('[^']*'|"[^"]*"|[^\s"']+)`)
	// PASSWORD hunter2, as a keyword
	secretKeyword = regexp.MustCompile(`^(?:PASSWORD|PASSWD|SECRET|TOKEN)$`)
	keywordWords  = regexp.MustCompile(`((?:^|\s)(?:PASSWORD|PASSWD)\s+)(\S+)`)
	// user:password@tcp(host)/, the form of Go's MySQL driver
	driverDSN = regexp.MustCompile(`([A-Za-z0-9_.+-]*):([^\s]+)@((?:tcp|tcp6|udp|unix|cloudsql)?\()`)
	// user:password@host without a scheme
	userHost = regexp.MustCompile(`(^|[\s=,'"])([A-Za-z_][A-Za-z0-9_.+-]*):([^\s/@:]+)@([A-Za-z0-9_.\[:*-][A-Za-z0-9]*)`)
	// jdbc:oracle:thin:user/password@host
	oracle = regexp.MustCompile(`(?i)(jdbc:oracle:[a-z0-9]+:[^/\s]*)/([^@\s]+)@`)
	// a URL that is itself the secret
	webhook = regexp.MustCompile(`((?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks|[a-z0-9.-]*webhook\.office\.com/webhookb2|api\.telegram\.org)/)[^\s"']+`)
	// Authorization: xyz, without a scheme
	rawAuth = regexp.MustCompile(`(?i)\b(authorization:\s*)[^\s"']+(["']|$)`)
	// name=value and name:value, alone or after a dash, a space, "?" or "&", also in JSON and in JSON within a string of JSON
	secretPair = regexp.MustCompile(`(^|[\s?&;,"'({:-])(` + secretName + `(?:\\*["'])?)(=|: ?)('[^']*'|"(?:\\.|[^"\\])*"|` + escapedString + `|[^\s&;,]+)`)
	// --password value within one argument, as in sh -c, or if a server rewrote its command line
	secretWords = regexp.MustCompile(`((?:^|\s)--?` + secretName + `\s+)([^\s-]\S*|-[^\s-]\S+)`)
	// an argument that consists of name=value, where the value may contain spaces
	secretArgument = regexp.MustCompile(`^(?:--?)?` + secretName + `=`)
	// a flag whose value is the next argument
	secretFlag = regexp.MustCompile(`^--?` + secretName + `$`)
	// any flag, as opposed to a value that begins with a dash
	anyFlag = regexp.MustCompile(`^(?:-[A-Za-z]|--[A-Za-z][A-Za-z0-9-]*(?:=.*)?)$`)
	// scheme://user:password@host
	urlPassword = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):([^\s/]+)@`)
	// the same with a slash in the password, and with only a token
	urlSlash = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*):([^\s/@]*)(/[^\s@]*)@`)
	urlToken = regexp.MustCompile(`(https?://)(?:[A-Za-z0-9_-]{16,}|[A-Za-z_-]+[0-9][A-Za-z0-9_-]*)@`)
	// Cookie: sid=xyz
	cookie = regexp.MustCompile(`(?i)\b(cookie:\s*)[^\s"'][^"']*`)
	// Authorization: Bearer xyz, as in curl -H
	authHeader = regexp.MustCompile(`(?i)\b(bearer|basic|authorization:\s*\w+)\s+[A-Za-z0-9+/._~=-]{6,}`)
	// what maskProgram masks, within one argument: sh -c "mysql -psecret"
	programSecret = regexp.MustCompile(`\b((?:mysql|mariadb)[a-z-]*\s(?:[^|;&\n]*\s)?-p|sshpass\s(?:[^|;&\n]*\s)?-p\s*|redis-cli\s(?:[^|;&\n]*\s)?-a\s+|curl\s(?:[^|;&\n]*\s)?-[a-zA-Z]*[uU]\s*[^\s:]+:)([^\s|;&]+)`)
	// in the name of a variable, any part counts: MYSQL_PASS, SENTRY_KEY, TOKENS
	secretVariable = regexp.MustCompile(`(?i)pass(word|wd|phrase)|secret|token|key|credential|cookie|webhook|(^|_)(pass|pwd?|auth|dsn|salt|pat|jwt|sk|pin|otp|seed|sig|hash|basic|licen[cs]e|creds?)s?(_|$)|(^|_)sessions?(_id)?$|[a-z](pass|pwd)$`)
	// tokens with a recognizable format (GitHub, GitLab, Slack, Stripe, Tailscale, npm,
	// PyPI, Hugging Face, DigitalOcean, Shopify, Google, SendGrid, AWS, JWT)
	knownToken = regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk-[A-Za-z0-9_-]{16,}|[rsp]k_(?:live|test)_[A-Za-z0-9]{6,}|whsec_[A-Za-z0-9+/=]{10,}|tskey-[A-Za-z0-9-]{6,}|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{30,}|dop_v1_[a-f0-9]{40,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{30,}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|(?:AKIA|ASIA)[0-9A-Z]{16}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)`)
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
	next, weak := false, false
	for i, arg := range command {
		if next && !anyFlag.MatchString(arg) || weak && !strings.HasPrefix(arg, "-") && !harmlessValue.MatchString(arg) {
			out[i], next, weak = masked, false, false
			continue
		}
		out[i] = MaskText(arg)
		if strings.Contains(arg, "=") {
			if name := secretArgument.FindString(arg); name != "" && len(name) < len(arg) {
				out[i] = name + masked
			} else if name := weakArgument.FindString(arg); name != "" && len(name) < len(arg) && !harmlessValue.MatchString(arg[len(name):]) {
				out[i] = name + masked
			}
		}
		flag := i > 0 && strings.HasPrefix(arg, "-")
		next = flag && secretFlag.MatchString(arg) || i > 0 && secretKeyword.MatchString(arg)
		weak = flag && !next && weakFlag.MatchString(arg)
	}
	maskProgram(command, out)
	return out
}

// passwordFlags maps programs to their flags whose next argument is a password,
// according to their manuals.
var passwordFlags = map[string][]string{
	"sshpass": {"-p"}, "redis-cli": {"-a"}, "redis-benchmark": {"-a"},
	"ss-local": {"-k"}, "ss-server": {"-k"}, "ss-redir": {"-k"}, "ss-tunnel": {"-k"}, "ss-manager": {"-k"}, "sslocal": {"-k"}, "ssserver": {"-k"},
	"microsocks": {"-P"}, "plink": {"-pw"}, "pscp": {"-pw"}, "psftp": {"-pw"}, "putty": {"-pw"},
	"mosquitto_pub": {"-P"}, "mosquitto_sub": {"-P"}, "sqlcmd": {"-P"}, "ldapsearch": {"-w"}, "mongo": {"-p"}, "mongosh": {"-p"},
}

// loginFlags maps programs to their flags whose next argument is user:password.
var loginFlags = map[string][]string{
	"curl": {"-u", "--user", "-U", "--proxy-user"}, "ttyd": {"-c", "--credential"},
}

// userAndGroup lists programs whose -u and --user take user:group.
var userAndGroup = []string{"docker", "podman", "nerdctl", "chroot", "setpriv", "systemd-run", "uwsgi", "start-stop-daemon", "bwrap"}

var (
	curlLogin = regexp.MustCompile(`^(?:-[a-zA-Z#]*[uU]|--(?:proxy-)?user=)`)
	// a password given to -p or -a of a program that has no entry: letters and digits
	likelyPassword = regexp.MustCompile(`^[^/:.\s]*(?:[A-Za-z][^/:.\s]*[0-9]|[0-9][^/:.\s]*[A-Za-z])[^/:.\s]*$`)
	joinedPassword = regexp.MustCompile(`^-p[^/:.=\s]*(?:[A-Z][^/:.\s]*[0-9]|[0-9][^/:.\s]*[A-Z])[^/:.\s]*$`)
)

// maskProgram masks the values of short flags that are passwords for some programs
// only. The program may follow others: sudo mysql -psecret. Of other programs it
// masks what -u, -p and -a take if that looks like a password.
func maskProgram(command, out []string) {
	program, database, grouped := "", false, false
	for i, arg := range command {
		if !strings.HasPrefix(arg, "-") {
			name := strings.TrimSuffix(path.Base(arg), ".exe")
			database = database || strings.HasPrefix(name, "mysql") || strings.HasPrefix(name, "mariadb")
			grouped = grouped || slices.Contains(userAndGroup, name)
			if passwordFlags[name] != nil || loginFlags[name] != nil {
				program = name
			}
		}
		before := ""
		if i > 0 {
			before = command[i-1]
		}
		if i < 1 || before == "" {
			continue
		}
		login := slices.Contains(loginFlags[program], before)
		if !login && !grouped && (before == "-u" || before == "--user") {
			user, password, _ := strings.Cut(arg, ":")
			login = user != password && strings.Trim(password, "0123456789") != "" && !strings.Contains(arg, "/")
		}
		switch {
		case database && strings.HasPrefix(arg, "-p") && len(arg) > 2, program == "sshpass" && strings.HasPrefix(arg, "-p") && len(arg) > 2:
			out[i] = "-p" + masked
		case slices.Contains(passwordFlags[program], before):
			out[i] = masked
		case program == "curl" && curlLogin.MatchString(before) && len(before) > 2 && !strings.HasPrefix(before, "--") && !strings.Contains(before, ":"),
			program == "curl" && curlLogin.MatchString(arg), login:
			if user, password, ok := strings.Cut(arg, ":"); ok && password != "" {
				out[i] = user + ":" + masked
			}
		case (before == "-p" || before == "-a" || before == "-pw") && len(arg) >= 6 && likelyPassword.MatchString(arg):
			out[i] = masked
		case len(arg) >= 8 && joinedPassword.MatchString(arg):
			out[i] = "-p" + masked
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
	if !mayHaveSecret(s) {
		return s
	}
	return maskPatterns(s)
}

// maskPatterns is MaskText for a text that may have a secret.
func maskPatterns(s string) string {
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
	if strings.Contains(s, "@") {
		s = driverDSN.ReplaceAllString(s, "${1}:"+masked+"@${3}")
		s = oracle.ReplaceAllString(s, "${1}/"+masked+"@")
		s = userHost.ReplaceAllStringFunc(s, maskUserHost)
	}
	if strings.Contains(s, "/") {
		s = webhook.ReplaceAllString(s, "${1}"+masked)
	}
	if strings.Contains(s, ":") {
		s = cookie.ReplaceAllString(s, "${1}"+masked)
	}
	if strings.ContainsAny(s, space) {
		s = authHeader.ReplaceAllString(s, "${1} "+masked)
		s = secretWords.ReplaceAllString(s, "${1}"+masked)
		s = keywordWords.ReplaceAllString(s, "${1}"+masked)
		s = weakWords.ReplaceAllStringFunc(s, func(words string) string {
			part := weakWords.FindStringSubmatch(words)
			if harmlessValue.MatchString(part[2]) {
				return words
			}
			return part[1] + masked
		})
		s = programSecret.ReplaceAllString(s, "${1}"+masked)
	}
	if strings.Contains(s, ":") {
		s = rawAuth.ReplaceAllString(s, "${1}"+masked+"${2}")
	}
	if strings.ContainsAny(s, "=:") {
		s = secretOption.ReplaceAllString(s, "${1}"+masked)
		s = weakPair.ReplaceAllStringFunc(s, func(pair string) string {
			part := weakPair.FindStringSubmatch(pair)
			if harmlessValue.MatchString(part[3]) {
				return pair
			}
			return part[1] + part[2] + "=" + masked
		})
		s = secretPair.ReplaceAllString(s, "${1}${2}${3}"+masked)
	}
	if len(s) >= shortestToken {
		s = knownToken.ReplaceAllString(s, masked)
	}
	return s
}

// notUsers are words before ":" and "@" in texts that contain no password: addresses
// with a scheme, packages and images.
var notUsers = []string{"mailto", "sip", "sips", "xmpp", "acct", "npm", "jsr", "workspace", "github", "ssh"}

func maskUserHost(s string) string {
	part := userHost.FindStringSubmatch(s)
	if slices.Contains(notUsers, part[2]) || part[3] == masked || part[4] == "sha256" || part[4] == "sha512" {
		return s
	}
	return part[1] + part[2] + ":" + masked + "@" + part[4]
}

// plainVariables are not secrets, although their names match.
var plainVariables = map[string]bool{"PWD": true, "OLDPWD": true, "SSH_AUTH_SOCK": true, "DESKTOP_SESSION": true, "XDG_SESSION_ID": true}

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
