package words

import (
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor/health"
)

// Unhealthy says why a server is unhealthy, without a time: "unhealthy: HTTP 503".
func Unhealthy(c health.Check) string {
	return lang.L("unhealthy: {{.Why}}", map[string]any{"Why": Sentence(c.Answer.Sentence())})
}

// WhyUnhealthy says why a server is unhealthy and for how long: "HTTP 503, for 2 min".
func WhyUnhealthy(c health.Check, now time.Time) string {
	return lang.L("{{.Why}}, for {{.Time}}", map[string]any{"Why": Sentence(c.Answer.Sentence()), "Time": Duration(now.Sub(c.Since))})
}

// Health describes the state of a server: "healthy", "unhealthy: HTTP 503, for 2 min"; "not
// checked yet" before the first answer.
func Health(c health.Check, now time.Time) string {
	switch {
	case c.State == health.Healthy:
		return lang.L("healthy")
	case c.State == health.Unhealthy:
		return lang.L("unhealthy: {{.Why}}", map[string]any{"Why": WhyUnhealthy(c, now)})
	case c.Answer.Status != 0 || c.Answer.Failure != "":
		return lang.L("checked once: {{.Why}}", map[string]any{"Why": Sentence(c.Answer.Sentence())})
	}
	return lang.L("not checked yet")
}
