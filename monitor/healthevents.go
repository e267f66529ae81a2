package monitor

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The kinds of events about health checks. They come from package health, not from a
// Monitor, and change nothing about what listens.
const (
	Unhealthy Kind = "unhealthy" // a server failed the health checks of a watch
	Healthy   Kind = "healthy"   // it passes them again
)

// HealthTimeout limits one health check.
const HealthTimeout = 3 * time.Second

// HealthFailure is why a server gave no HTTP answer to a health check.
type HealthFailure string

// The failures. Readers must ignore unknown ones.
const (
	NoAnswer      HealthFailure = "no_answer"     // none within HealthTimeout
	AnswerRefused HealthFailure = "refused"       // the connection was refused
	AnswerClosed  HealthFailure = "closed"        // the server closed the connection
	AnswerNotHTTP HealthFailure = "not_http"      // the answer is no HTTP
	NotReachable  HealthFailure = "no_connection" // no connection, for another reason
)

// HealthAnswer is the answer of a server to a health check. The zero value is none.
type HealthAnswer struct {
	Path    string        `json:"path"`              // that was asked for
	Status  int           `json:"status,omitempty"`  // the HTTP status; 0 without one
	Failure HealthFailure `json:"failure,omitempty"` // why there is no status
}

// IsZero reports whether nothing was asked.
func (a HealthAnswer) IsZero() bool { return a == HealthAnswer{} }

// firstUnhealthy is the first HTTP status that means that the server does not work
// (RFC 9110, section 15.6).
const firstUnhealthy = 500

// Healthy reports whether the server answered with a status below 500.
func (a HealthAnswer) Healthy() bool {
	return a.Failure == "" && a.Status > 0 && a.Status < firstUnhealthy
}

// The texts of HealthAnswer.Sentence.
const (
	healthStatus   = "HTTP {{.Status}}"
	healthNoAnswer = "no answer within {{.Seconds}} s"
	healthRefused  = "connection refused"
	healthClosed   = "connection closed without an answer"
	healthNotHTTP  = "the answer is not HTTP"
	healthNoDial   = "can't connect"
)

// The sentences about a path that can't be asked for.
const (
	pathRelative = "a path begins with /"
	pathURL      = "give only the path, such as /health: only servers of this machine are asked"
	pathLong     = "a path has at most {{.Number}} bytes"
	pathSpace    = "a path has no spaces, control characters or #"
	pathInvalid  = "the path is invalid: a percent sign needs two hexadecimal digits, as in %20"
)

// HealthTexts returns the texts of the sentences of HealthAnswer and CheckHealthPath, for
// translators.
func HealthTexts() []string {
	return []string{healthStatus, healthNoAnswer, healthRefused, healthClosed, healthNotHTTP, healthNoDial,
		pathRelative, pathURL, pathLong, pathSpace, pathInvalid}
}

// maxHealthPath limits the length of a path, in bytes.
const maxHealthPath = 500

// CheckHealthPath returns an error unless path is one that a health check can ask for. It is a
// SentenceError, one clause for the user.
func CheckHealthPath(path string) error {
	problem := ""
	switch _, err := url.ParseRequestURI(path); {
	case strings.Contains(path, "://") && !strings.HasPrefix(path, "/"):
		problem = pathURL
	case !strings.HasPrefix(path, "/"):
		problem = pathRelative
	case len(path) > maxHealthPath:
		problem = pathLong
	case strings.ContainsFunc(path, func(r rune) bool { return r == '#' || unicode.In(r, unicode.C, unicode.Z) }):
		problem = pathSpace
	case err != nil:
		problem = pathInvalid
	default:
		return nil
	}
	return SentenceError{Sentence: NewSentence(problem, "Number", maxHealthPath)}
}

// Sentence describes the answer: "HTTP 503", "no answer within 3 s".
func (a HealthAnswer) Sentence() Sentence {
	switch a.Failure {
	case "":
		return NewSentence(healthStatus, "Status", a.Status)
	case NoAnswer:
		return NewSentence(healthNoAnswer, "Seconds", int(HealthTimeout/time.Second))
	case AnswerRefused:
		return NewSentence(healthRefused)
	case AnswerClosed:
		return NewSentence(healthClosed)
	case AnswerNotHTTP:
		return NewSentence(healthNotHTTP)
	}
	return NewSentence(healthNoDial)
}

// Text returns the form that is stored and exported: "/health 503", "/health no_answer"; ""
// for the zero value.
func (a HealthAnswer) Text() string {
	switch {
	case a.IsZero():
		return ""
	case a.Failure != "":
		return a.Path + " " + string(a.Failure)
	}
	return a.Path + " " + strconv.Itoa(a.Status)
}

// ParseHealthAnswer returns the answer whose Text is given; the zero value for "". A path
// has no spaces.
func ParseHealthAnswer(text string) HealthAnswer {
	path, rest, _ := strings.Cut(text, " ")
	if status, err := strconv.Atoi(rest); err == nil {
		return HealthAnswer{Path: path, Status: status}
	}
	return HealthAnswer{Path: path, Failure: HealthFailure(rest)}
}
