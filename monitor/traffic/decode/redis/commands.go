package redis

import (
	"bytes"
	"slices"
	"strings"

	"porthole/monitor/traffic"
)

// commands reads what the client sends: arrays of strings, or inline commands.
type commands struct {
	tokens
	d        *decoder
	exchange *traffic.Exchange // the command that is being read; nil between two
	args     int64             // arguments to come
	count    int               // arguments that were read
	word     []byte            // the first part of an argument
	verb     string
	second   string
	path     []byte
	words    []string // the first arguments, with the verb
}

// maxWords limits the arguments that are searched for secrets.
const maxWords = 16

// maxPath limits the arguments that are kept for lists in bytes.
const maxPath = 1 << 10

func (c *commands) begin() {
	c.exchange = c.d.sink.Begin(traffic.Exchange{Protocol: Name, Started: c.d.at})
	c.count, c.verb, c.second, c.path, c.words = 0, "", "", c.path[:0], c.words[:0]
}

func (c *commands) simple(byte, []byte) error { return errKind }
func (c *commands) ended() error              { return errKind }

func (c *commands) aggregate(kind byte, n int64) error {
	if kind != '*' || c.args > 0 || n == streamed {
		return errKind
	}
	if n <= 0 {
		return nil // Redis ignores empty commands
	}
	c.begin()
	c.args = n
	return nil
}

func (c *commands) blob(kind byte, n int64) error {
	if kind != '$' || c.args == 0 || n < 0 {
		return errKind
	}
	c.word = c.word[:0]
	if c.count > 0 {
		c.append([]byte(" "))
	}
	if c.count > 0 {
		c.append([]byte(`"`))
	}
	return nil
}

func (c *commands) append(p []byte) { c.d.sink.AppendBody(&c.exchange.Request, p) }

func (c *commands) blobData(p []byte) {
	if room := maxPath - len(c.word); room > 0 {
		c.word = append(c.word, p[:min(room, len(p))]...)
	}
	if c.count > 0 {
		p = quote(p)
	}
	c.append(p)
}

func (c *commands) blobEnd() error {
	if c.count > 0 {
		c.append([]byte(`"`))
	}
	c.argument(c.word)
	c.args--
	if c.args == 0 {
		c.end()
	}
	return nil
}

// argument adds an argument to what lists show.
func (c *commands) argument(word []byte) {
	switch c.count {
	case 0:
		c.verb = strings.ToUpper(string(word))
	case 1:
		c.second = strings.ToUpper(string(word))
		fallthrough
	default:
		if len(c.path) < maxPath {
			if len(c.path) > 0 {
				c.path = append(c.path, ' ')
			}
			c.path = append(c.path, word[:min(len(word), maxPath)]...)
		}
	}
	if len(c.words) < maxWords {
		c.words = append(c.words, string(word))
	}
	c.count++
}

// secrets returns the passwords in a command.
func secrets(words []string) (found []string) {
	is := func(i int, word string) bool { return i < len(words) && strings.EqualFold(words[i], word) }
	switch {
	case is(0, "AUTH"):
		return slices.Clone(words[1:])
	case is(0, "CONFIG") && is(1, "SET"):
		for i := 2; i+1 < len(words); i += 2 {
			if is(i, "requirepass") || is(i, "masterauth") {
				found = append(found, words[i+1])
			}
		}
	case is(0, "ACL") && is(1, "SETUSER"):
		for _, word := range words[2:] {
			if password, ok := strings.CutPrefix(word, ">"); ok {
				found = append(found, password)
			}
		}
	}
	for i := range words { // HELLO 3 AUTH user password, MIGRATE ... AUTH password, AUTH2 user password
		switch {
		case i == 0:
		case is(0, "HELLO") && is(i, "AUTH") || is(0, "MIGRATE") && is(i, "AUTH2"):
			found = append(found, words[min(i+2, len(words)):min(i+3, len(words))]...)
		case is(0, "MIGRATE") && is(i, "AUTH"):
			found = append(found, words[min(i+1, len(words)):min(i+2, len(words))]...)
		}
	}
	return found
}

func (c *commands) inline(line []byte) error {
	c.begin()
	c.append(line)
	for word := range bytes.FieldsSeq(line) {
		c.argument(word)
	}
	c.end()
	return nil
}

// end completes a command.
func (c *commands) end() {
	e := c.exchange
	c.exchange = nil
	e.Request.Size = c.size()
	e.Method, e.Path, e.Secrets = c.verb, string(c.path), secrets(c.words)
	c.d.sink.Changed(e)
	c.d.enqueue(&command{exchange: e, verb: c.verb, second: c.second})
}
