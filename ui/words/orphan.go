package words

import (
	"fyne.io/fyne/v2/lang"

	"porthole/monitor/orphan"
)

// Orphan returns how sure it is that a process is orphaned, and the evidence; "" for
// a confirmed orphan, which a warning shows, and for the zero value.
func Orphan(f orphan.Finding) string {
	switch f.Certainty {
	case orphan.Likely:
		return lang.L("Likely orphaned: {{.Evidence}}", map[string]any{"Evidence": Sentence(f.Evidence)})
	case orphan.Possible:
		return lang.L("Possibly orphaned: {{.Evidence}}", map[string]any{"Evidence": Sentence(f.Evidence)})
	}
	return ""
}

// StartedBy returns the title of what started a process, in the user's language where it
// is no name.
func StartedBy(title string) string { return titleAlone(title) }
