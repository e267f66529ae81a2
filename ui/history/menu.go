package history

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/widgets"
)

// This file exports and deletes events.

// popUp shows a menu below the button.
func (p *Page) popUp(under fyne.CanvasObject, items ...*fyne.MenuItem) {
	p.Focus() // otherwise the button keeps the focus
	widgets.ShowMenuBelow(under, items...)
}

func (p *Page) exportMenu() {
	p.popUp(p.export,
		fyne.NewMenuItem(lang.L("Export as CSV (for spreadsheets)"), func() { p.exportAs("csv") }),
		fyne.NewMenuItem(lang.L("Export as JSON"), func() { p.exportAs("json") }))
}

// exportAs asks for a file and exports all events that match the filter to it.
func (p *Page) exportAs(format string) {
	d := dialog.NewFileSave(func(file fyne.URIWriteCloser, err error) {
		switch {
		case err != nil:
			p.notify(lang.L("Can't export the history. See the log for details."))
		case file != nil: // nil means cancelled
			_ = file.Close() // it is empty; Export writes it
			p.exportTo(format, file.URI().Path())
		}
	}, p.window)
	d.SetFileName("porthole-history-" + p.now().Format(time.DateOnly) + "." + format)
	d.SetTitleText(lang.L("Export history"))
	d.SetConfirmText(lang.L("Save"))
	d.SetDismissText(lang.L("Cancel"))
	d.SetOnClosed(p.Focus)
	d.Show()
}

// exportTo exports all events that match the filter to a file.
func (p *Page) exportTo(format, path string) {
	p.notify(lang.L("Exporting…"))
	p.history.Export(format, path, p.query(), func(err error) {
		if err != nil {
			p.notify(lang.L("Can't export the history. See the log for details."))
			return
		}
		p.notify(lang.L("Saved as {{.Path}}", map[string]any{"Path": monitor.Clean(path, 200)}))
	})
}

func (p *Page) moreMenu() {
	p.popUp(p.more, fyne.NewMenuItem(lang.L("Delete all history…"), func() {
		p.forget(history.Forget{Everything: true}, lang.L("The history of all ports will be deleted. This cannot be undone."))
	}))
}

// forget deletes history after a confirmation.
func (p *Page) forget(f history.Forget, what string) {
	p.dialog = widgets.Ask(p.window, lang.L("Delete history?"), what, lang.L("Delete"), func() { p.erase(f) }, p.Focus)
}

func (p *Page) erase(f history.Forget) {
	p.notify(lang.L("Deleting…"))
	p.history.Forget(f, func(err error) {
		if err != nil {
			p.notify(lang.L("Can't delete the history. See the log for details."))
		} else {
			p.notify(lang.L("History deleted"))
			p.details.close()
		}
		p.reload() // even after an error a part may be deleted
	})
}
