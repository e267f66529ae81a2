package ports

import (
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/history/lastowner"
	"porthole/ui/words"
)

// newLastOwners returns the last owners of ports, which cards and the empty page show. changed is
// called when one has become known. store is nil if no history is kept.
func newLastOwners(store History, changed func()) *lastowner.Book {
	if store == nil {
		return lastowner.New(nil, changed)
	}
	return lastowner.New(store.LastOwner, changed)
}

// lastOwner returns the last owner of ports as text, with its port if there are several; "" while
// it is unknown.
func (p *Page) lastOwner(protocol monitor.Protocol, now time.Time, ports monitor.Ports) string {
	return p.lastOwnerOr(lang.L("never seen open"), protocol, now, ports)
}

// lastOwnerOr is lastOwner with another text for ports that were never seen open.
func (p *Page) lastOwnerOr(never string, protocol monitor.Protocol, now time.Time, ports monitor.Ports) string {
	_, single := ports.Single()
	tenure, isNew := p.lastOwners.LastOf(protocol, ports, now)
	switch {
	case tenure != nil && !single:
		return words.LastOwnerOfPorts(*tenure, now)
	case tenure != nil:
		return words.LastOwner(*tenure, now)
	case isNew:
		return never
	}
	return ""
}
