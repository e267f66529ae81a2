package stop

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"porthole/monitor"
	"porthole/ui/table"
	uitheme "porthole/ui/theme"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// This file asks which processes to stop.

// confirm names the processes to stop and what stops with them.
func (d *Dialog) confirm() {
	n := d.last
	d.gracePeriod = max(n.GracePeriod, time.Second)
	d.body.RemoveAll()
	d.body.Add(d.targetLines(n.Targets))
	for _, note := range n.Notes { // above the facts, whose command lines may be long
		d.body.Add(sentenceNote(note))
	}
	d.addManagers()
	facts := container.New(widgets.LabelledRows{Label: 92})
	add := func(label string, lines []string) {
		if len(lines) > 0 {
			facts.Add(widgets.Follow(widgets.NewText(label, table.ColorMuted), table.ColorMuted))
			facts.Add(widgets.NewMono(strings.Join(lines, "\n")))
		}
	}
	add(lang.L("Command"), distinctLines(n.Targets, func(o monitor.Owner) string { return monitor.Clean(words.Command(o), 200) }))
	add(lang.L("Folder"), distinctLines(n.Targets, func(o monitor.Owner) string { return words.Path(o.Folder, 200, o) }))
	add(lang.L("Project"), distinctLines(n.Targets, func(o monitor.Owner) string { return monitor.Clean(o.Project, 60) }))
	add(lang.L("Closes"), closingLines(n))
	add(lang.L("May also exit"), childLines(n))
	d.body.Add(container.New(layout.NewCustomPaddedLayout(-4, 0, -widgets.Overlap-1, 0), facts))
	if n.ForceOnly {
		d.body.Add(sentenceNote(lang.L("This system can only force quit the process. Unsaved data is lost.")))
	}
	d.children = nil
	if n.Children > 0 {
		label := lang.N("Also stop its {{.Count}} child processes", n.Children, map[string]any{"Count": words.Number(n.Children)})
		d.children = widgets.NewToggle(label, func(bool) {}, func() {})
		d.children.Self = d.children // Esc closes the dialog
		words := widgets.NewText(label, theme.ColorNameForeground)
		d.body.Add(container.New(layout.NewCustomPaddedHBoxLayout(8), container.NewCenter(d.children), widgets.Follow(words, theme.ColorNameForeground)))
	}
	d.show(stopTitle(n.Targets), d.button(lang.L("Cancel"), d.Hide), d.dangerButton(lang.L("Stop"), d.terminate))
}

// targetToggle returns the switch that selects whether o is stopped. One is always on.
func (d *Dialog) targetToggle(o monitor.Owner) *widgets.Toggle {
	label := lang.L("Stop {{.Name}}", map[string]any{"Name": nameList([]monitor.Owner{o})})
	var t *widgets.Toggle
	t = widgets.NewToggle(label, func(bool) {
		if len(d.targets()) == 0 {
			t.Set(true)
		}
		widgets.SetText(d.title, table.Fit(stopTitle(d.targets()), d.width(), d.title.TextSize, d.title.TextStyle), theme.ColorNameForeground)
	}, func() {})
	t.Self = t // Esc closes the dialog
	t.Set(true)
	d.chosen = append(d.chosen, t)
	return t
}

// targets returns the processes that the user chose to stop.
func (d *Dialog) targets() (chosen []monitor.Owner) {
	for i, o := range d.last.Targets {
		if len(d.chosen) != len(d.last.Targets) || d.chosen[i].On {
			chosen = append(chosen, o)
		}
	}
	return chosen
}

// keepOthers excludes the processes that the user chose to keep.
func (d *Dialog) keepOthers() {
	chosen := d.targets()
	kept := slices.DeleteFunc(slices.Clone(d.last.Targets), func(o monitor.Owner) bool { return slices.ContainsFunc(chosen, o.Same) })
	if len(kept) > 0 {
		d.stop.Keep(kept)
	}
}

// targetLines returns lines about the processes to stop, with a switch for each if there are several.
func (d *Dialog) targetLines(targets []monitor.Owner) fyne.CanvasObject {
	d.chosen = nil
	if len(targets) == 1 {
		return d.targetLine(targets[0], d.width())
	}
	lines := container.New(layout.NewCustomPaddedVBoxLayout(8))
	for _, o := range targets {
		toggle := d.targetToggle(o)
		room := d.width() - toggle.MinSize().Width - toggleGap
		lines.Add(container.New(layout.NewCustomPaddedHBoxLayout(toggleGap), container.NewCenter(toggle), d.targetLine(o, room)))
	}
	return container.New(layout.NewCustomPaddedLayout(2, 0, 2, 0), lines) // room for the edges of the switches
}

// targetLine returns name and facts of a process, on one line if they fit into room, otherwise on
// two.
func (d *Dialog) targetLine(o monitor.Owner, room float32) fyne.CanvasObject {
	parts := []string{words.PID(o.PID)}
	if o.User != "" {
		parts = append(parts, lang.L("user {{.User}}", map[string]any{"User": monitor.Clean(o.User, 40)}))
	}
	if !o.StartedAt.IsZero() {
		parts = append(parts, lang.L("since {{.Time}}", map[string]any{"Time": words.MomentAs(o.StartedAt, d.now(), "15:04")}))
	}
	about := widgets.NewCaption()
	about.Text = table.Fit(strings.Join(parts, " · "), room, about.TextSize, about.TextStyle)
	name := widgets.NewText("", theme.ColorNameForeground)
	name.TextStyle.Bold = true
	name.Text = table.Fit(targetName(o), room, theme.TextSize(), name.TextStyle)
	title, facts := widgets.Follow(name, theme.ColorNameForeground), widgets.Follow(about, table.ColorMuted)
	if name.MinSize().Width+theme.Padding()+about.MinSize().Width > room {
		return container.New(layout.NewCustomPaddedVBoxLayout(0), title, facts)
	}
	return container.NewHBox(title, container.New(layout.NewCustomPaddedLayout(2, 0, 0, 0), facts))
}

// addManagers shows what manages the processes, with the command that stops them properly.
func (d *Dialog) addManagers() {
	for _, m := range d.last.Managers {
		words := container.New(layout.NewCustomPaddedVBoxLayout(0), container.New(layout.NewCustomPaddedLayout(0, 0, widgets.Overlap+1, 0), sentenceNote(m.Description)))
		if m.Command != "" {
			buttons := container.NewHBox(d.button(lang.L("Copy"), func() { d.actions.Copy(m.Command) }))
			if m.CanRun {
				buttons.Add(d.dangerButton(lang.L("Run"), func() { d.runManager(m.Command) }))
			}
			words.Add(container.NewBorder(nil, nil, nil, container.NewCenter(buttons), widgets.NewMono(m.Command)))
		}
		text := container.New(layout.NewCustomPaddedLayout(6, 4, 4, 6), words)
		bar := container.NewBorder(nil, nil, widgets.NewRectangle(uitheme.ColorAlert, fyne.NewSize(4, 1), 0), nil, text)
		d.body.Add(container.NewStack(widgets.NewRectangle(uitheme.TintChanged, fyne.Size{}, 3), bar))
	}
}
