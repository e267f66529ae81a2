package traffic

import (
	"cmp"
	"fmt"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/storage"

	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/ui/widgets"
)

// This file contains saving exchanges and opening files.

// fileItems returns the menu of files.
func (w *Window) fileItems() []*fyne.MenuItem {
	packets := fyne.NewMenuItem(lang.L("Save packets (pcapng)…"), w.savePackets)
	packets.Disabled = w.recording.Packets() == 0
	return []*fyne.MenuItem{
		widgets.MenuItem(lang.L("Save requests (HAR)…"), saveKeys, w.save),
		packets,
		widgets.MenuItem(lang.L("Open file…"), openKeys, w.openFile),
	}
}

// save asks for a file and saves the exchanges that match the filter.
func (w *Window) save() { w.askWhere(lang.L("Save requests"), ".har", w.saveTo) }

// savePackets asks for a file and saves the packets, after a warning: they have the
// secrets, and the filter does not apply to them.
func (w *Window) savePackets() {
	if w.recording.Packets() == 0 || w.question != nil {
		return
	}
	text := lang.L("The file gets the newest packets with all their bytes, passwords and tokens too. The filter does not apply.")
	w.question = widgets.Ask(w.window, lang.L("Save packets"), text, lang.L("Save…"), func() {
		w.askWhere(lang.L("Save packets"), ".pcapng", func(path string) {
			w.recording.SavePackets(path, func(problem string) { w.showSaved(path, problem) })
		})
	}, func() { w.question = nil })
}

// askWhere asks for a file to write and calls do with its path.
func (w *Window) askWhere(title, extension string, do func(path string)) {
	d := dialog.NewFileSave(func(file fyne.URIWriteCloser, err error) {
		switch {
		case err != nil:
			w.ShowNotice(lang.L("Can't save the traffic: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 200)}))
		case file != nil: // nil means cancelled
			_ = file.Close() // it is empty; do writes it
			do(file.URI().Path())
		}
	}, w.window)
	d.SetTitleText(title)
	d.SetFileName(w.fileName() + extension)
	d.SetConfirmText(lang.L("Save"))
	w.showDialog(d)
}

// showDialog shows a dialog. Esc cancels it, not the window.
func (w *Window) showDialog(d *dialog.FileDialog) {
	d.SetDismissText(lang.L("Cancel"))
	release := widgets.CaptureKeys(w.window.Canvas(), d.Dismiss)
	d.SetOnClosed(func() {
		release()
		w.Focus()
	})
	d.Show()
}

// fileName returns the proposed name of a file, without its extension.
func (w *Window) fileName() string {
	if w.path != "" {
		name := filepath.Base(w.path)
		return name[:len(name)-len(filepath.Ext(name))] + "-2"
	}
	return fmt.Sprintf("porthole-%d-%s", w.listener.Port, w.now().Format("2006-01-02-150405"))
}

func (w *Window) saveTo(path string) {
	var list []*traffic.Exchange
	for _, e := range w.recording.Store().List() {
		if w.filter.Matches(e) {
			list = append(list, e)
		}
	}
	w.recording.Save(path, list, w.secrets, func(problem string) { w.showSaved(path, problem) })
}

// showSaved shows that a file was saved, or why not.
func (w *Window) showSaved(path, problem string) {
	w.ShowNotice(cmp.Or(problem, lang.L("Saved as {{.Path}}", map[string]any{"Path": monitor.Clean(path, 200)})))
}

// openFile asks for a file and shows it in another window.
func (w *Window) openFile() {
	if w.OnOpenFile == nil {
		return
	}
	d := dialog.NewFileOpen(func(file fyne.URIReadCloser, err error) {
		switch {
		case err != nil:
			w.ShowNotice(lang.L("Can't read the traffic: {{.Why}}", map[string]any{"Why": monitor.Clean(err.Error(), 200)}))
		case file != nil: // nil means cancelled
			_ = file.Close() // the recording reads it
			w.OnOpenFile(file.URI().Path())
		}
	}, w.window)
	d.SetFilter(storage.NewExtensionFileFilter([]string{".har", ".pcapng", ".pcap", ".cap"}))
	d.SetTitleText(lang.L("Open file")) // Fyne's own title is the text of the button with " File"
	d.SetConfirmText(lang.L("Open file"))
	w.showDialog(d)
}
