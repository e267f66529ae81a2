//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// result is what was found on a desktop.
type result struct {
	Name, Title string
	Date        string
	Versions    []string
	Cells       map[string]cell // by check
	Error       string          // why checks are missing; "" if none are
}

// cell is the result of one check.
type cell struct {
	Verdict string
	Figure  string
	Note    string // what is wrong, or why it was not tried
}

// Verdicts.
const (
	right   = "right"
	wrong   = "wrong"
	untried = "not tried"
)

func newResult(d environment) result {
	return result{Name: d.name, Title: d.title, Date: time.Now().UTC().Format("2006-01-02"), Cells: map[string]cell{}}
}

func cellOf(err error, figure string) cell {
	var reason notTried
	switch {
	case err == nil:
		return cell{right, figure, ""}
	case errors.As(err, &reason):
		return cell{untried, figure, string(reason)}
	}
	return cell{wrong, figure, err.Error()}
}

const resultFile = "result.json"

// write replaces the result in the folder of records.
func (r result) write(folder string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, resultFile), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// readResult reads a result; an empty one if the file does not exist.
func readResult(file string, d environment) (result, error) {
	r := newResult(d)
	r.Date = ""
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the result of %s: %w", d.name, err)
	}
	return r, nil
}

// line is the result in a few lines for the terminal.
func (r result) line() string {
	count := map[string]int{}
	var lines []string
	for _, c := range checks {
		cell := r.Cells[c.name]
		count[cell.Verdict]++
		if cell.Verdict == wrong {
			lines = append(lines, fmt.Sprintf("   wrong: %s: %s", c.title, cell.Note))
		}
	}
	if r.Error != "" {
		lines = append(lines, "   "+r.Error)
	}
	return strings.Join(append([]string{fmt.Sprintf("%s: %d right, %d wrong, %d not tried", r.Name, count[right], count[wrong], count[untried])}, lines...), "\n")
}

// Tables of the page.
const (
	tableTray    = "Tray"
	tableNotes   = "Notifications"
	tableWindow  = "Window"
	tableSession = "Session"
)

// intro is the text above the tables.
const intro = `# Desktops

This page is written by ` + "`make test-desktops`" + `. It runs the package of Porthole on the desktops of Debian 12, each in a root directory and namespaces of its own, without a monitor and with OpenGL in software. The checks use the mouse and the keyboard, look at pictures of the screen, and read them with tesseract.

✓ right, ✗ wrong, – not tried; a number is a footnote below.

| column | what is right |
|---|---|
| icon | the icon is drawn, and changes when notifications are paused |
| tooltip | it appears under the pointer and counts the ports |
| left, middle, double | a click opens the window |
| right: menu | the menu appears, and “Open Porthole” in it opens the window |
| live menu | the open menu stays open and follows a port that opens |
| panel restart | the icon is back after the panel was ended and started again |
| notification | a watched port opens: a popup with the port and Porthole's icon |
| its buttons | “Show” opens the window, and “Stop watching” is there; *click*: the popup shows no buttons (GNOME's does when it is unfolded), and a click on it, with the mouse button of that daemon, opens the window |
| reopened | a popup appears again when the port opens again after the first one has expired |
| start | the desktop entry starts Porthole, and the window is drawn |
| keyboard | a port is typed into the filter, and Ctrl+W closes the window |
| close | the button in the window's frame closes the window, and the agent goes on |
| raise | a second start and a click on the icon bring the window to the front: from behind another window, and on another workspace; the time from the second start to the window with the focus, on Wayland also for a start with an activation token of the other window |
| dark, light | the open window follows the desktop |
| scale | texts are 1.5 and 2 times as wide if the desktop's scale is |
| CPU; memory | the agent needs at most 0.1 % of a core and 32 MB |
| logout | the session manager named ends after “log out” (without a name: the display and the bus end), and no process of Porthole is left 2 s later; the page that its window showed is kept |

`

// writePage writes the results of all desktops into document. Results of this machine replace those
// in the folder of results, which are kept with the source.
func writePage(dir, results, document string) error {
	var all []result
	for _, d := range desktops {
		kept := filepath.Join(results, d.name+".json")
		if text, err := os.ReadFile(filepath.Join(recordsOf(dir, d.name), resultFile)); err == nil {
			if err := os.WriteFile(kept, text, 0o644); err != nil {
				return fmt.Errorf("keep the result of %s: %w", d.name, err)
			}
		}
		r, err := readResult(kept, d)
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	pictures, err := copyPictures(dir, filepath.Join(filepath.Dir(document), "pictures"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(document, []byte(page(all, pictures)), 0o644); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// showcase are the pictures on the page.
var showcase = []struct{ desktop, picture, caption string }{
	{"plasma-x11", "start", "KDE Plasma"},
	{"gnome", "menu", "the menu on GNOME"},
	{"xfce", "buttons", "a notification on Xfce"},
	{"waybar", "buttons", "a notification on sway with waybar and swaync"},
}

// copyPictures copies the pictures of the showcase that were taken this time, and returns the Markdown of all that the folder has.
func copyPictures(dir, folder string) (markdown []string, _ error) {
	for _, p := range showcase {
		file := filepath.Join(folder, "desktop-"+p.desktop+".png")
		if img, err := os.ReadFile(filepath.Join(recordsOf(dir, p.desktop), p.picture+".png")); err == nil {
			if err := os.WriteFile(file, img, 0o644); err != nil {
				return nil, fmt.Errorf("copy a picture: %w", err)
			}
		}
		if _, err := os.Stat(file); err == nil {
			markdown = append(markdown, fmt.Sprintf("![Porthole: %s](pictures/%s)", p.caption, filepath.Base(file)))
		}
	}
	return markdown, nil
}

// page is docs/desktops.md.
func page(all []result, pictures []string) string {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("| desktop | versions | tried on |\n|---|---|---|\n")
	for _, r := range all {
		date := r.Date
		if r.Error != "" {
			date += ", did not start"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.Title, escape(strings.Join(r.Versions, ", ")), escape(date))
	}
	var notes footnotes
	for _, table := range []string{tableTray, tableNotes, tableWindow, tableSession} {
		fmt.Fprintf(&b, "\n## %s\n\n| desktop |", table)
		line := "\n|---|"
		for _, c := range checks {
			if c.table == table {
				fmt.Fprintf(&b, " %s |", c.title)
				line += "---|"
			}
		}
		b.WriteString(line + "\n")
		for _, r := range all {
			fmt.Fprintf(&b, "| %s |", r.Title)
			for _, c := range checks {
				if c.table == table {
					fmt.Fprintf(&b, " %s |", r.cell(c, &notes))
				}
			}
			b.WriteString("\n")
		}
	}
	if len(pictures) > 0 {
		b.WriteString("\n## Pictures\n\n" + strings.Join(pictures, "\n\n") + "\n")
	}
	b.WriteString("\n## Footnotes\n\n")
	for i, note := range notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, escape(note))
	}
	return b.String()
}

// marks are what the table shows for the verdicts.
var marks = map[string]string{right: "✓", wrong: "✗", untried: "–"}

// cell is the text of one cell; its note is added to the footnotes.
func (r result) cell(c check, notes *footnotes) string {
	cell, ok := r.Cells[c.name]
	if !ok {
		reason := "the desktop was not tried"
		if r.Error != "" {
			reason = r.Title + ": " + r.Error
		}
		cell = cellOf(notTried(reason), "")
	}
	text := marks[cell.Verdict]
	if cell.Figure != "" {
		text += " " + cell.Figure
	}
	if cell.Note != "" {
		text += fmt.Sprintf(" [%d](#footnotes)", notes.number(cell.Note))
	}
	return text
}

// footnotes are the distinct notes of all cells, in the order of their appearance.
type footnotes []string

// number returns the number of a note, which it adds if it is new.
func (f *footnotes) number(note string) int {
	i := slices.Index(*f, note)
	if i < 0 {
		i = len(*f)
		*f = append(*f, note)
	}
	return i + 1
}

// escape makes text safe in Markdown.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "*", `\*`, "<", "&lt;").Replace(strings.TrimSpace(s))
}
