package filter

import (
	"strconv"
	"strings"
	"time"

	"porthole/monitor/traffic"
)

// Exchanges selects exchanges by terms that must all match, as Filter does with listeners. A
// term is a part of the method, path, host, status, protocol or client, or one of
//
//	status:404 status:5xx status:error   the status code, or that an error was reported
//	method:post                          the whole method or command
//	path:/api                            the beginning of the path, or a part after *
//	slow:500ms                           took at least that long
//	client:curl                          a part of the client's name, or its PID
//	protocol:redis                       a part of the protocol's name
//	body:text                            a part of a body
//
// A term after "-" must not match. Upper and lower case are the same. The zero value matches
// everything. It is safe for concurrent use.
type Exchanges struct{ terms []exchangeTerm }

type exchangeTerm struct {
	match func(*traffic.Exchange) bool
	not   bool
}

// ParseExchanges parses typed text. Every text is a valid filter: a term like "slow:x" that is
// not valid is a part of the text to find.
func ParseExchanges(text string) Exchanges {
	var f Exchanges
	for _, word := range strings.Fields(strings.ToLower(text)) {
		rest, not := strings.CutPrefix(word, "-")
		not = not && rest != "" && !strings.HasPrefix(rest, "-") // --flag is part of a command
		if not {
			word = rest
		}
		f.terms = append(f.terms, exchangeTerm{exchangeMatch(word), not})
	}
	return f
}

// Empty reports whether f matches everything.
func (f Exchanges) Empty() bool { return len(f.terms) == 0 }

// Matches reports whether f matches e in its present state. One that lasts may match later:
// with a status, or when it is slow.
func (f Exchanges) Matches(e *traffic.Exchange) bool {
	for _, t := range f.terms {
		if t.match(e) == t.not {
			return false
		}
	}
	return true
}

// exchangeMatch returns what a term in lower case matches.
func exchangeMatch(word string) func(*traffic.Exchange) bool {
	key, value, ok := strings.Cut(word, ":")
	if ok && value != "" {
		switch key {
		case "status":
			if match := statusMatch(value); match != nil {
				return match
			}
		case "method":
			return func(e *traffic.Exchange) bool { return strings.EqualFold(e.Method, value) }
		case "path":
			return func(e *traffic.Exchange) bool { return pathMatches(strings.ToLower(e.Path), value) }
		case "slow":
			if d, err := duration(value); err == nil {
				return func(e *traffic.Exchange) bool { return e.Duration(time.Now()) >= d }
			}
		case "client":
			return func(e *traffic.Exchange) bool {
				p := e.Conn.Process()
				return strings.Contains(strings.ToLower(p.Name), value) || strconv.Itoa(p.PID) == value
			}
		case "protocol":
			return func(e *traffic.Exchange) bool { return strings.Contains(strings.ToLower(e.Protocol), value) }
		case "body":
			return func(e *traffic.Exchange) bool {
				return bodyContains(&e.Request, value) || bodyContains(&e.Answer, value)
			}
		}
	}
	return func(e *traffic.Exchange) bool {
		code := ""
		if e.Code != 0 {
			code = strconv.Itoa(e.Code)
		}
		for _, part := range []string{e.Method, e.Path, e.Host, code, e.Status, e.Protocol, e.Problem, e.Conn.Process().Name} {
			if strings.Contains(strings.ToLower(part), word) {
				return true
			}
		}
		return false
	}
}

// statusMatch returns what status:value matches, nil if value is no status.
func statusMatch(value string) func(*traffic.Exchange) bool {
	if value == "error" {
		return func(e *traffic.Exchange) bool { return e.Failed || e.Problem != "" }
	}
	if len(value) != 3 || value[0] < '1' || value[0] > '5' {
		return nil
	}
	for _, c := range value[1:] {
		if c != 'x' && (c < '0' || c > '9') {
			return nil
		}
	}
	return func(e *traffic.Exchange) bool {
		code := strconv.Itoa(e.Code)
		if len(code) != len(value) {
			return false
		}
		for i := range code {
			if value[i] != 'x' && value[i] != code[i] {
				return false
			}
		}
		return true
	}
}

// pathMatches reports whether a path begins with value, or contains what follows "*".
func pathMatches(path, value string) bool {
	if part, anywhere := strings.CutPrefix(value, "*"); anywhere {
		return strings.Contains(path, part)
	}
	return strings.HasPrefix(path, value)
}

// duration parses "500ms" or, in milliseconds, "500".
func duration(value string) (time.Duration, error) {
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Millisecond, nil
	}
	return time.ParseDuration(value)
}

// bodyContains reports whether the content of a body contains text, which is in lower case.
func bodyContains(m *traffic.Message, text string) bool {
	content, _ := m.Shown(0) // what can be decoded
	return strings.Contains(strings.ToLower(string(content)), text)
}
