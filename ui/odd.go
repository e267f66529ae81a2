package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/warning"
)

// warningSentences say what is odd about o, which has l, each with what to do.
func warningSentences(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, live monitor.ProcessState) []string {
	var out []string
	for _, odd := range warning.Check(l, o, why, live) {
		out = append(out, warningSentence(odd, why))
	}
	return out
}

func warningSentence(o warning.Warning, why ancestry.Explanation) string {
	detail := map[string]any{"Detail": o.Detail}
	switch o.Kind {
	case warning.Orphaned:
		return lang.L("{{.Why}}. Stop it if it is not needed any more.", map[string]any{"Why": ancestrySentence(why)})
	case warning.QueueFull:
		return lang.L("Its accept queue is full ({{.Detail}}), so nobody gets in. Start it again if that lasts.", detail)
	case warning.ProgramReplaced:
		return lang.L("Its program file was deleted or replaced since it started. Start it again to run what is there now.")
	case warning.FolderDeleted:
		return lang.L("Its folder was deleted since it started. Start it again in one that is there.")
	case warning.UntrustedFolder:
		return lang.L("Its program is in {{.Detail}}, where files come from elsewhere. Make sure that you know it.", detail)
	case warning.Preload:
		return lang.L("LD_PRELOAD puts other code into it ({{.Detail}}). Make sure that you know that library.", detail)
	case warning.RunsAsRoot:
		return lang.L("It runs as root. Run it as a user of its own where that is possible.")
	case warning.Exposed:
		return lang.L("The network can reach it. Bind it to 127.0.0.1 unless others are to use it.")
	}
	return o.Sentence(why)
}

// warningList shows a bar for each sentence, and nothing where there is none.
type warningList struct {
	sentences []string
	small     bool
	object    *fyne.Container
}

// newWarningList returns an empty box; small is for a narrow place.
func newWarningList(small bool) *warningList {
	b := &warningList{small: small, object: container.New(layout.NewCustomPaddedVBoxLayout(4))}
	b.object.Hide()
	return b
}

// show changes only what differs, and reports whether anything did.
func (b *warningList) show(sentences []string) bool {
	if slices.Equal(sentences, b.sentences) {
		return false
	}
	b.sentences = sentences
	b.object.RemoveAll()
	for _, s := range sentences {
		n := newNote(true)
		if !b.small {
			n.size(theme.SizeNameText)
		}
		n.set(s, theme.ColorNameForeground)
		text := container.New(layout.NewCustomPaddedLayout(5, 5, 10, 8), n.object)
		bar := container.NewBorder(nil, nil, newThemed(colorAlert, fyne.NewSize(4, 1), 0), nil, text)
		b.object.Add(container.NewStack(newThemed(tintChanged, fyne.Size{}, 3), bar))
	}
	b.object.Hidden = len(sentences) == 0
	b.object.Refresh()
	return true
}
