package filter

import (
	"regexp"
	"strings"
	"sync"

	"porthole/monitor/explain"
)

// message matches a pasted line about a port: the error of a server that could not start or of a
// client that could not connect, or a line of ss, netstat or lsof. Other texts are words. It is
// compiled on first use, because the agent never filters.
var message = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)eaddrinuse|econnrefused|refused|in use\b|already (?:allocated|running|bound|listening)|only one usage of each socket address|\bbind\b|` +
		`\b(?:failed|unable|cannot|can.t|could not|couldn.t|error|exception|unavailable|reset by peer|timed out)\b|\blisten(?:ing)?\b.*:|\bestab(?:lished)?\b|\w://[^\s/]+:\d|^port[\s:=#]*\d+$`)
})

// IsMessage reports whether text is a pasted line rather than words to search for.
func IsMessage(text string) bool { return message().MatchString(text) }

// pastedTarget returns the address and port that text is about, if text is a URL, "port 3000" or a
// message. ok is false if text consists of words to search for.
func pastedTarget(text string) (t explain.Target, ok bool) {
	isURL := strings.Contains(text, "://") && !strings.ContainsAny(text, " \t")
	if !isURL && !IsMessage(text) {
		return t, false
	}
	found, ok := explain.Find(text)
	return found.Target, ok
}

// wordTarget returns the address and port of a word such as localhost:3000, *:3000 or [::1]:3000,
// with or without a path. ok is false if the word is something else, such as :3000 or an address.
func wordTarget(word string) (t explain.Target, ok bool) {
	if !strings.ContainsAny(word, ":.") || strings.HasPrefix(word, ":") && !strings.HasPrefix(word, "::") {
		return t, false
	}
	found, ok := explain.Find(word)
	return found.Target, ok
}
