//go:build cgo

package window

import (
	"context"
	"errors"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/settings"
	"porthole/app/startagain"
	"porthole/monitor"
	"porthole/monitor/restart"
	"porthole/monitor/stop"
	"porthole/ui/words"
)

// failsWithin is how long a process that was started again is watched: one that fails
// usually does so at once.
const failsWithin = 2 * time.Second

// logLines is how many lines of the output are shown if it fails.
const logLines = 3

// readRecipe reads what starts the process again, and where it was started, before it is
// stopped: if it is the only one, and nothing manages it.
func (s *stopping) readRecipe(ctx context.Context, processes []*stop.Process) {
	if len(processes) != 1 || len(s.managers) > 0 || len(s.request.Listeners) == 0 {
		return
	}
	recipe, err := restart.Read(processes[0].Owner())
	if err != nil {
		s.log.Debug("the process can't be started again", "pid", processes[0].Owner().PID, "reason", err)
		return
	}
	config, err := settings.Open(settings.Path()).Load()
	if err != nil {
		s.log.Debug("the terminal of the settings is not known", "error", err) // the window shows the problem
	}
	s.recipe, s.place = recipe, startagain.Choose(ctx, config.Terminal, processes[0].Owner())
}

// againText says what StartAgain runs, and where; "" if it can't.
func (s *stopping) againText() string {
	if s.recipe == nil {
		return ""
	}
	data := s.placeData()
	data["Command"], data["Folder"] = s.recipe.Text(), monitor.Clean(s.recipe.Folder, 200)
	switch {
	case s.place.Session != "":
		return lang.L("Start again runs {{.Command}} in {{.Folder}} with the environment that it had, in a new window of the tmux session {{.Session}}.", data)
	case s.place.Terminal != "":
		return lang.L("Start again runs {{.Command}} in {{.Folder}} with the environment that it had, in a new window of {{.Terminal}}.", data)
	case s.place.Problem != nil:
		data["Reason"] = monitor.Clean(s.place.Problem.Error(), 100)
		return lang.L("Start again runs {{.Command}} in {{.Folder}} with the environment that it had. The terminal of the settings can't be used ({{.Reason}}), so the output goes to a log.", data)
	}
	return lang.L("Start again runs {{.Command}} in {{.Folder}} with the environment that it had. Its output goes to a log.", data)
}

func (s *stopping) placeData() map[string]any {
	return map[string]any{"Session": s.place.Session, "Terminal": s.place.Terminal}
}

// StartAgain implements uistop.Stopping.
func (s *stopping) StartAgain(done func(sentence string, failed bool)) {
	log := startagain.Log(s.request.Listeners[0].Port)
	go func() { // ends when the terminal has opened or failed, and failsWithin has passed
		text, err := s.startAgain(log)
		if err != nil {
			s.log.Warn("a process can't be started again", "error", err)
		}
		s.do(func() { done(text, err != nil) })
	}()
}

// startAgain starts the process and returns a sentence about the result, also with an error.
func (s *stopping) startAgain(log string) (string, error) {
	if err := startagain.Taken(s.windowCtx, s.request.Listeners, s.log); err != nil {
		if taken, ok := errors.AsType[startagain.TakenError](err); ok {
			return takenText(taken.Listener), err
		}
		s.log.Warn("can't check that the port is free", "error", err) // the process finds out
	}
	ended := make(chan error, 1)
	started, err := startagain.Start(s.windowCtx, s.recipe, s.place, log, func(err error) {
		if err == nil {
			err = errors.New("exit status 0")
		}
		ended <- err
	})
	if started.OldLogs != nil {
		s.log.Warn("old logs can't be removed", "error", started.OldLogs)
	}
	if err == nil {
		select {
		case err = <-ended:
		case <-time.After(failsWithin):
		}
	}
	data := s.placeData()
	data["PID"], data["Log"] = started.PID, monitor.Clean(log, 300)
	if err != nil {
		data["Reason"] = monitor.Clean(err.Error(), 100)
	}
	switch {
	case err != nil && started.Place.InTerminal():
		return lang.L("It did not start ({{.Reason}}). The terminal shows its output.", data), err
	case err != nil:
		return lang.L("It did not start ({{.Reason}}). The end of {{.Log}}:", data) + "\n" + strings.Join(restart.Tail(log, logLines), "\n"), err
	case started.Place.Session != "":
		return lang.L("It runs again (PID {{.PID}}) in a new window of the tmux session {{.Session}}.", data), nil
	case started.Place.Terminal != "":
		return lang.L("It runs again (PID {{.PID}}) in a new window of {{.Terminal}}.", data), nil
	}
	text := lang.L("It runs again (PID {{.PID}}). Its output is in {{.Log}}.", data)
	if started.NotInTerminal != nil && s.place.InTerminal() {
		data["Reason"] = monitor.Clean(started.NotInTerminal.Error(), 100)
		text = lang.L("No terminal opened ({{.Reason}}).", data) + " " + text
	}
	return text, nil
}

// takenText says what has the port of the stopped process, so that it was not started.
func takenText(l *monitor.Listener) string {
	data := map[string]any{"Port": words.Port(l.Protocol, l.Port)}
	if o, known := l.Principal(); known {
		data["Name"] = processName(o)
		return lang.L("Not started: {{.Name}} uses {{.Port}} now.", data)
	}
	return lang.L("Not started: another process uses {{.Port}} now.", data)
}
