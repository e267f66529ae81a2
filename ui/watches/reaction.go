package watches

import (
	"slices"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/watch"
	"porthole/ui/widgets"
)

// urgencies are the urgency levels that can be selected.
func urgencies() []widgets.Option {
	return []widgets.Option{
		{Value: "", Label: lang.L("Normal")},
		{Value: string(watch.Low), Label: lang.L("Low")},
		{Value: string(watch.Critical), Label: lang.L("Critical")},
	}
}

// sounds are the sounds that can be selected: names of the freedesktop Sound Naming Specification
// that the sound theme "freedesktop" has. The settings file may contain others.
func sounds() []widgets.Option {
	return []widgets.Option{
		{Value: "", Label: lang.L("As on the Settings page")},
		{Value: watch.NoSound, Label: lang.L("Silent")},
		{Value: "message-new-instant", Label: lang.L("Message")},
		{Value: "bell", Label: lang.L("Bell")},
		{Value: "complete", Label: lang.L("Completed")},
		{Value: "dialog-information", Label: lang.L("Information")},
		{Value: "dialog-warning", Label: lang.L("Warning")},
		{Value: "dialog-error", Label: lang.L("Error")},
	}
}

// soundLabel returns the label of a sound, or its name if it cannot be selected.
func soundLabel(name string) string {
	all := sounds()
	if i := slices.IndexFunc(all, func(o widgets.Option) bool { return o.Value == name }); i >= 0 {
		return all[i].Label
	}
	return monitor.Clean(name, 60)
}
