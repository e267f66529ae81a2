// Package terminal brings to the front where a process was started: the pane of tmux, and the
// window of the terminal emulator or editor.
package terminal

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/process"
)

// Window is a window of the desktop.
type Window struct {
	ID    uint32
	PID   int    // of the program that owns it, as it says itself
	Title string // not cleaned
}

// Windows are the windows of the desktop.
type Windows interface {
	// List returns the windows from the bottom one to the top one. The error is
	// [ErrNoAccess] if the desktop does not show programs the windows of others.
	List() ([]Window, error)
	// Raise activates a window on the user's behalf.
	Raise(id uint32) error
}

// ErrNoAccess means that the desktop does not let programs see or raise the windows of others.
var ErrNoAccess = errors.New("the desktop does not let programs raise the windows of others")

// Result says what was brought to the front.
type Result struct {
	Program string // title of the program with the window: "xterm", "VS Code"; "" if there is none
	Session string // name of the tmux session whose pane was selected, cleaned; "" without tmux

	// NotRaised is why the window was not raised although the pane of tmux was selected;
	// nil if it was.
	NotRaised error
}

// Go brings the terminal of o to the front. state has the parents of o that have ended. The
// error is a [Problem]. Go waits for tmux and the X server, so it must not be called on a
// goroutine that draws.
func Go(ctx context.Context, o monitor.Owner, state monitor.ProcessState, windows Windows) (Result, error) {
	why := ancestry.Explain(o, monitor.CgroupInfo{}, state)
	found, ok := why.Terminal()
	if !ok || !process.IsAlive(o.PID, o.Start) {
		return Result{}, problem(textNoTerminal, nil, nil)
	}
	if found.Role != ancestry.Tmux {
		return Result{Program: found.Title}, raise(windows, why, found, o)
	}
	s, err := newServer(o, found.PID)
	if err != nil {
		return Result{}, err
	}
	client, session, err := s.selectPane(ctx, o)
	if err != nil {
		return Result{}, err
	}
	r := Result{Session: session}
	r.Program, r.NotRaised = raiseClient(windows, client)
	return r, nil
}

// raiseClient raises the window in which the client of tmux with that PID runs, and returns the
// title of its program.
func raiseClient(windows Windows, pid int) (string, error) {
	c, err := process.Info(pid)
	if err != nil {
		return "", problem(textNoWindow, data("Program", ancestry.TmuxTitle), err)
	}
	c.Parents = process.Parents(c)
	why := ancestry.Explain(c, monitor.CgroupInfo{}, monitor.ProcessState{})
	found, ok := why.Terminal()
	if !ok {
		return "", problem(textNoWindow, data("Program", ancestry.TmuxTitle), nil)
	}
	return found.Title, raise(windows, why, found, c)
}

// raise raises the window of the program found, in which o was started.
func raise(windows Windows, why ancestry.Explanation, found ancestry.Process, o monitor.Owner) error {
	list, err := windows.List()
	if errors.Is(err, ErrNoAccess) {
		return problem(textNoAccess, nil, err)
	}
	if err != nil {
		return problem(textNoWindow, data("Program", found.Title), err)
	}
	own, _ := strconv.ParseUint(process.Variables(o.PID, "WINDOWID")["WINDOWID"], 10, 32) // 0 if there is none
	w, ok := choose(list, alive(programs(why, found), o), uint32(own), o.Project, filepath.Base(o.Folder))
	if !ok {
		return problem(textNoWindow, data("Program", found.Title), nil)
	}
	if err := windows.Raise(w.ID); err != nil {
		return problem(textNotRaised, data("Program", found.Title), err)
	}
	return nil
}

// programs returns the PIDs of the processes that may have the window of found: itself and its
// parents of the same program. Editors start their terminals in a child process.
func programs(why ancestry.Explanation, found ancestry.Process) (pids []int) {
	for i := len(why.Chain) - 1; i >= 0; i-- { // nearest first
		p := why.Chain[i]
		switch {
		case p.PID == found.PID:
			pids = append(pids, p.PID)
		case len(pids) == 0: // below it
		case p.Title == found.Title:
			pids = append(pids, p.PID)
		default:
			return pids
		}
	}
	return pids
}

// alive returns those of pids that are still the parents of o.
func alive(pids []int, o monitor.Owner) []int {
	return slices.DeleteFunc(pids, func(pid int) bool {
		return !slices.ContainsFunc(o.Parents, func(p monitor.Parent) bool { return p.PID == pid && process.IsAlive(p.PID, p.Start) })
	})
}

// choose returns the window of the first of pids that has one. Among several windows of one
// program it prefers the one in own, which terminals put into the environment (WINDOWID), then one
// whose title has one of words, then the top one.
func choose(list []Window, pids []int, own uint32, words ...string) (Window, bool) {
	for _, pid := range pids {
		its := slices.DeleteFunc(slices.Clone(list), func(w Window) bool { return w.PID != pid })
		if len(its) == 0 {
			continue
		}
		if i := slices.IndexFunc(its, func(w Window) bool { return own != 0 && w.ID == own }); i >= 0 {
			return its[i], true
		}
		for _, word := range words {
			if i := slices.IndexFunc(its, func(w Window) bool { return titleHas(w.Title, word) }); i >= 0 {
				return its[i], true
			}
		}
		return its[len(its)-1], true
	}
	return Window{}, false
}

// titleHas reports whether word is a word of title: "main.go - shop - Visual Studio Code".
func titleHas(title, word string) bool {
	if len(word) < 2 {
		return false
	}
	return slices.Contains(strings.FieldsFunc(strings.ToLower(title), func(c rune) bool { return strings.ContainsRune(" /\\[](){}–—:~", c) }), strings.ToLower(word))
}
