package settings

import (
	"slices"
	"strconv"

	"porthole/ui/widgets"
)

// toggle returns a row whose setting is on or off.
func (p *Page) toggle(key, label, help string, of func(Settings) bool) *settingRow {
	r := newSettingRow(key, label, help)
	t := widgets.NewToggle(label, func(on bool) { p.request(r, strconv.FormatBool(on)) }, func() { p.reveal(r) })
	r.focusTarget, r.control = t, t
	r.show = func(s Settings) { t.Set(of(s)) }
	return r
}

// segments gives r segments for its options; value returns the selected one.
func (p *Page) segments(r *settingRow, options []widgets.Option, value func(Settings) string) {
	var segments []*widgets.Segment
	for i, o := range options {
		s := widgets.NewSegment(o.Label, func() {
			if r.enabled {
				selectSegment(segments, i)
				p.request(r, o.Value)
			}
		})
		paint := s.Changed
		s.Changed = func() {
			paint()
			if s.Focused {
				p.reveal(r)
			}
		}
		segments = append(segments, s)
	}
	r.focusTarget, r.control = segments[0], widgets.NewSegmentBar(segments...)
	r.show = func(s Settings) {
		i := max(slices.IndexFunc(options, func(o widgets.Option) bool { return o.Value == value(s) }), 0)
		selectSegment(segments, i)
		r.focusTarget = segments[i]
	}
}

// selectSegment shows one of segments as selected.
func selectSegment(segments []*widgets.Segment, chosen int) {
	for i, s := range segments {
		s.Choose(i == chosen)
	}
}

// choice gives r a list of options. It also lists the current value if that is another one.
func (p *Page) choice(r *settingRow, options []widgets.Option, of func(Settings) widgets.Option) {
	c := widgets.NewChoice(r.title.Segment.Text, options, func(value string) { p.request(r, value) })
	c.OnFocus = func() { p.reveal(r) }
	r.focusTarget, r.control = c, c.Framed()
	r.show = func(s Settings) { c.Choose(of(s)) }
}

// number returns a row whose setting is a number from 1 to maximum. usual is the default.
func (p *Page) number(key, label, help string, maximum, usual int, of func(Settings) int) *settingRow {
	r := newSettingRow(key, label, help)
	e := newNumberEntry(label, maximum, usual, func(value string) { p.request(r, value) }, func(wrong, hint string) {
		r.problem, r.typingHint = wrong, hint
		p.showNote(r)
	})
	e.OnFocus = func() { p.reveal(r) }
	r.focusTarget, r.control = e, e
	r.show = func(s Settings) { e.show(of(s)) }
	return r
}

// action gives r a button that runs do. While an answer is pending, the button does nothing.
func (p *Page) action(r *settingRow, label string, do func()) {
	button := newSettingButton(label, func() {
		if r.pending == 0 {
			r.pending, r.problem, r.succeeded = 1, "", false
			p.showNote(r)
			do()
		}
	}, func() { p.reveal(r) })
	r.focusTarget, r.control = button, button
	r.show = func(Settings) {}
}

// newSettingButton returns a button that calls focused when it gains the keyboard focus.
func newSettingButton(label string, tapped, focused func()) *widgets.Button {
	b := widgets.NewButton(label, tapped)
	b.OnFocus = focused
	return b
}
