//go:build cgo

package window

import (
	"errors"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/app/paths"
	"porthole/monitor"
	"porthole/monitor/restart"
	"porthole/monitor/stop"
)

// failsWithin is how long a process that was started again is watched: one that fails
// usually does so at once.
const failsWithin = 2 * time.Second

// logLines is how many lines of the output are shown if it fails.
const logLines = 3

// readRecipe reads what starts the process again, before it is stopped: if it is the only
// one, and nothing manages it.
func (s *stopping) readRecipe(processes []*stop.Process) {
	if len(processes) != 1 || len(s.managers) > 0 || len(s.request.Listeners) == 0 {
		return
	}
	recipe, err := restart.Read(processes[0].Owner())
	if err != nil {
		s.log.Debug("the process can't be started again", "pid", processes[0].Owner().PID, "reason", err)
		return
	}
	s.recipe = recipe
}

// againText says what StartAgain runs; "" if it can't.
func (s *stopping) againText() string {
	if s.recipe == nil {
		return ""
	}
	return lang.L("Start again runs {{.Command}} in {{.Folder}} with the environment that it had. Its output goes to a log.",
		map[string]any{"Command": s.recipe.Text(), "Folder": monitor.Clean(s.recipe.Folder, 200)})
}

// StartAgain implements uistop.Stopping.
func (s *stopping) StartAgain(done func(sentence string, failed bool)) {
	recipe, log := s.recipe, paths.Output(s.request.Listeners[0].Port, time.Now())
	go func() { // ends after failsWithin
		ended := make(chan error, 1)
		pid, err := recipe.Start(log, func(err error) {
			if err == nil {
				err = errors.New("exit status 0")
			}
			ended <- err
		})
		data := map[string]any{"PID": pid, "Log": monitor.Clean(log, 300)}
		if err == nil {
			select {
			case err = <-ended:
			case <-time.After(failsWithin):
			}
		}
		text, failed := lang.L("It runs again (PID {{.PID}}). Its output is in {{.Log}}.", data), err != nil
		if failed {
			s.log.Warn("a process can't be started again", "error", err)
			data["Reason"] = monitor.Clean(err.Error(), 100)
			text = lang.L("It did not start ({{.Reason}}). The end of {{.Log}}:", data)
			for _, line := range restart.Tail(log, logLines) {
				text += "\n" + line
			}
		}
		s.do(func() { done(text, failed) })
	}()
}
