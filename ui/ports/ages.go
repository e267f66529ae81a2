package ports

import "time"

// ageInterval is the time between refreshes of the ages on a page on which nothing happens. By then
// they are in minutes, hours or days.
const ageInterval = 20 * time.Second

// agesDue reports whether the ages on the page have to be shown again: each second for a minute
// after something happened, then every ageInterval. A text that changes makes Fyne repaint the whole
// window, which takes 10 to 30 ms of CPU time without a graphics card, so the ages of twenty
// servers change together.
func (p *Page) agesDue(now time.Time) bool {
	if now.Sub(p.stirred) >= time.Minute && !now.Before(p.aged) && now.Sub(p.aged) < ageInterval {
		return false
	}
	p.aged = now
	return true
}

// stir makes the ages be shown each second for a minute, because something happened.
func (p *Page) stir() { p.stirred = p.now() }
