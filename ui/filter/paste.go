package filter

import (
	"regexp"
	"strings"
	"sync"
)

// pasteRegexps match text that people paste: a URL, an address, or the error of a server that could
// not start or of a client that could not connect. They expect lower case.
type pasteRegexps struct {
	url, address, phrase, failed *regexp.Regexp
	failedAt                     []*regexp.Regexp
}

// pastePatterns compiles the patterns on first use, because the agent never filters.
var pastePatterns = sync.OnceValue(func() pasteRegexps {
	// A name without a dot is not an address: "postgres:16" is a container image. BSD's netstat
	// writes a dot before the port.
	const address = `(?:(?:localhost|\*|\[[0-9a-f:.]*\]|\d{1,3}(?:\.\d{1,3}){3}|::)[:.](\d{1,5})|(?:[\w-]+\.)+[a-z][\w-]*:(\d{1,5}))`
	return pasteRegexps{
		url:     regexp.MustCompile(`(?:^|\s)(?:jdbc:)?([a-z][a-z0-9+.-]*)://(?:[^/\s@]*@)?(?:\[[^\]\s]*\]|[^/\s:?#]*)(?::(\d{1,5}))?(?:[/?#]\S*)?(?:\s|$)`),
		address: regexp.MustCompile(`^` + address + `(?:[/?#]\S*)?[.,;]?$`),
		phrase:  regexp.MustCompile(`^port[\s:=#]*(\d{1,5})$`),
		failed:  regexp.MustCompile(`eaddrinuse|econnrefused|connection refused|in use\b|already (?:allocated|running|bound|listening)|only one usage of each socket address|\bbind\b`),
		failedAt: []*regexp.Regexp{ // most likely first, because the time in a log line has colons too
			regexp.MustCompile(`(?:^|[\s"'(/=])` + address + `\b`),
			regexp.MustCompile(`\('[^']*', (\d{1,5})\b`), // Python's tuple of host and port
			regexp.MustCompile(`\bport[\s:=#]*(\d{1,5})\b`),
			regexp.MustCompile(`(?:^|\s):{1,3}(\d{1,5})\b`),
			regexp.MustCompile(`\bport\b.*\s(\d{1,5})\b`),
		},
	}
})

// usualPorts are the default ports of URL schemes (IANA's registry of service names).
var usualPorts = map[string]string{
	"http": "80", "ws": "80", "https": "443", "wss": "443", "ftp": "21", "ssh": "22", "sftp": "22", "ldap": "389",
	"postgres": "5432", "postgresql": "5432", "mysql": "3306", "mariadb": "3306", "redis": "6379", "mongodb": "27017",
	"amqp": "5672", "mqtt": "1883", "nats": "4222", "rtsp": "554", "vnc": "5900", "rdp": "3389",
}

// portInText returns the port in text, which is in lower case, if text is a URL, "port 3000", or an
// error message about a port that is in use or refuses connections. Otherwise it returns "".
func portInText(text string) string {
	if m := pastePatterns().url.FindStringSubmatch(text); m != nil {
		if m[2] != "" {
			return m[2]
		}
		if strings.TrimSpace(m[0]) == text { // a URL without a port inside a sentence may be unrelated
			return usualPorts[m[1]]
		}
	}
	if m := pastePatterns().phrase.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	if !pastePatterns().failed.MatchString(text) {
		return ""
	}
	for _, re := range pastePatterns().failedAt {
		if m := re.FindStringSubmatch(text); m != nil {
			return strings.Join(m[1:], "")
		}
	}
	return ""
}

// portOfAddress returns the port of a word such as localhost:3000, *:3000 or [::1]:3000, with or
// without a path. It returns "" if the word is not an address with a port.
func portOfAddress(word string) string {
	if m := pastePatterns().address.FindStringSubmatch(word); m != nil {
		return strings.Join(m[1:], "")
	}
	return ""
}
