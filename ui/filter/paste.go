package filter

import (
	"regexp"
	"strings"
	"sync"
)

// pasteRegexps are what people paste: a URL, an address, or the line of a server that could not
// start or of a client that found none. All are in lower case here.
type pasteRegexps struct {
	url, address, said, failed *regexp.Regexp
	failedAt                   []*regexp.Regexp
}

// pastePatterns are made when first something is filtered: the agent never does.
var pastePatterns = sync.OnceValue(func() pasteRegexps {
	// A name without a dot is none: "postgres:16" is the image of a container. BSD's
	// netstat has a dot before the port.
	const address = `(?:(?:localhost|\*|\[[0-9a-f:.]*\]|\d{1,3}(?:\.\d{1,3}){3}|::)[:.](\d{1,5})|(?:[\w-]+\.)+[a-z][\w-]*:(\d{1,5}))`
	return pasteRegexps{
		url:     regexp.MustCompile(`(?:^|\s)(?:jdbc:)?([a-z][a-z0-9+.-]*)://(?:[^/\s@]*@)?(?:\[[^\]\s]*\]|[^/\s:?#]*)(?::(\d{1,5}))?(?:[/?#]\S*)?(?:\s|$)`),
		address: regexp.MustCompile(`^` + address + `(?:[/?#]\S*)?[.,;]?$`),
		said:    regexp.MustCompile(`^port[\s:=#]*(\d{1,5})$`),
		failed:  regexp.MustCompile(`eaddrinuse|econnrefused|connection refused|in use\b|already (?:allocated|running|bound|listening)|only one usage of each socket address|\bbind\b`),
		failedAt: []*regexp.Regexp{ // the likeliest first: the time of a log's line has colons too
			regexp.MustCompile(`(?:^|[\s"'(/=])` + address + `\b`),
			regexp.MustCompile(`\('[^']*', (\d{1,5})\b`), // Python's pair of host and port
			regexp.MustCompile(`\bport[\s:=#]*(\d{1,5})\b`),
			regexp.MustCompile(`(?:^|\s):{1,3}(\d{1,5})\b`),
			regexp.MustCompile(`\bport\b.*\s(\d{1,5})\b`),
		},
	}
})

// usualPorts are those of URLs that name none (IANA's registry of service names).
var usualPorts = map[string]string{
	"http": "80", "ws": "80", "https": "443", "wss": "443", "ftp": "21", "ssh": "22", "sftp": "22", "ldap": "389",
	"postgres": "5432", "postgresql": "5432", "mysql": "3306", "mariadb": "3306", "redis": "6379", "mongodb": "27017",
	"amqp": "5672", "mqtt": "1883", "nats": "4222", "rtsp": "554", "vnc": "5900", "rdp": "3389",
}

// portInText returns the port that text, in lower case, is about where it is a URL,
// "port 3000", or tells that a port is taken or answers nobody; else "".
func portInText(text string) string {
	if m := pastePatterns().url.FindStringSubmatch(text); m != nil {
		if m[2] != "" {
			return m[2]
		}
		if strings.TrimSpace(m[0]) == text { // a URL in a sentence may be of anything
			return usualPorts[m[1]]
		}
	}
	if m := pastePatterns().said.FindStringSubmatch(text); m != nil {
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

// portOfAddress returns the port of a word such as localhost:3000, *:3000 or
// [::1]:3000, with or without a path; else "".
func portOfAddress(word string) string {
	if m := pastePatterns().address.FindStringSubmatch(word); m != nil {
		return strings.Join(m[1:], "")
	}
	return ""
}
