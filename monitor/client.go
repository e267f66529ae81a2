package monitor

import (
	"net/netip"
	"strconv"
	"strings"
)

// Client is a client of a listener: a program on this machine and its user, or another
// machine. The zero value is a program on this machine that was not identified.
type Client struct {
	Name    string     // program; "" if it is not known
	PID     int        // 0 if it is not known
	User    string     // "" if it is not known
	Address netip.Addr // of another machine
}

// IsZero reports whether nothing is known about the client.
func (c Client) IsZero() bool { return c == Client{} }

// Clean returns c without control characters and with names of at most limit characters.
func (c Client) Clean(limit int) Client {
	c.Name, c.User = Clean(c.Name, limit), Clean(c.User, limit)
	return c
}

// The texts of Client.Sentence.
const (
	clientUnknown = "a program that was not identified"
	clientOfUser  = "a program of user {{.User}}"
	clientNoUser  = "{{.Name}} (PID {{.PID}})"
	clientFull    = "{{.Name}} (PID {{.PID}}, user {{.User}})"
)

// ClientTexts returns the texts of the sentences of Client that have words.
func ClientTexts() []string { return []string{clientUnknown, clientOfUser, clientNoUser, clientFull} }

// Sentence describes the client: "psql (PID 812, user ann)", "192.168.1.20".
func (c Client) Sentence() Sentence {
	data := map[string]any{"Name": c.Name, "PID": c.PID, "User": c.User}
	switch {
	case c.Address.IsValid():
		return Sentence{Text: "{{.Address}}", Data: map[string]any{"Address": c.Address.String()}}
	case c.Name != "" && c.PID == 0:
		return Sentence{Text: "{{.Name}}", Data: data}
	case c.Name != "" && c.User == "":
		return Sentence{Text: clientNoUser, Data: data}
	case c.Name != "":
		return Sentence{Text: clientFull, Data: data}
	case c.User != "":
		return Sentence{Text: clientOfUser, Data: data}
	}
	return Sentence{Text: clientUnknown}
}

// String describes the client in English.
func (c Client) String() string { return c.Sentence().String() }

// Text returns String, or "" for the zero value: the form that is stored and exported.
func (c Client) Text() string {
	if c.IsZero() {
		return ""
	}
	return c.String()
}

// MarshalText returns Text. It never fails.
func (c Client) MarshalText() ([]byte, error) { return []byte(c.Text()), nil }

// UnmarshalText parses text with ParseClient. It never fails.
func (c *Client) UnmarshalText(text []byte) error {
	*c = ParseClient(string(text))
	return nil
}

// ParseClient returns the client whose Text is given. Any other text is the name of a
// program.
func ParseClient(text string) Client {
	if address, err := netip.ParseAddr(text); err == nil {
		return Client{Address: address}
	}
	if user, ok := strings.CutPrefix(text, strings.TrimSuffix(clientOfUser, "{{.User}}")); ok && user != "" {
		return Client{User: user}
	}
	at := strings.LastIndex(text, " (PID ")
	inside, closed := strings.CutSuffix(text[max(at, 0):], ")")
	if at < 1 || !closed {
		return Client{Name: text}
	}
	number, user, _ := strings.Cut(strings.TrimPrefix(inside, " (PID "), ", user ")
	pid, _ := strconv.Atoi(number)
	if c := (Client{Name: text[:at], PID: pid, User: user}); pid > 0 && c.Text() == text {
		return c
	}
	return Client{Name: text}
}
