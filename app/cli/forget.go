package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/monitor/history/store"
)

// ForgetOptions say what is to be forgotten: one of Port, Project and Everything.
type ForgetOptions struct {
	Port       string
	Project    string
	Everything bool
	Yes        bool      // without a question
	Stdin      io.Reader // where the answer comes from; nil where nobody can be asked
	Stdout     io.Writer
	Stderr     io.Writer
}

// ErrForgetCanceled is the answer no.
var ErrForgetCanceled = errors.New("nothing was forgotten")

// Forget erases what is remembered, also while Porthole runs.
func Forget(ctx context.Context, o ForgetOptions) error {
	f := history.Forget{Project: o.Project, Everything: o.Everything}
	what := "everything that is remembered"
	named := 0
	if o.Port != "" {
		ports, err := monitor.ParsePorts(o.Port)
		if err != nil {
			return UsageError{err.Error()}
		}
		port, single := ports.Single()
		if !single {
			return UsageError{fmt.Sprintf("%q: forget takes one port", monitor.Clean(o.Port, 40))}
		}
		f.Port, what = port, fmt.Sprintf("all that is remembered of port %d", port)
		named++
	}
	if o.Project != "" {
		what = fmt.Sprintf("all that is remembered of the project %q", monitor.Clean(o.Project, 60))
		named++
	}
	if o.Everything {
		named++
	}
	if named != 1 {
		return UsageError{"forget takes one of PORT, --project NAME and --everything"}
	}
	if !o.Yes {
		if o.Stdin == nil {
			return UsageError{"nobody can be asked here: --yes forgets without a question"}
		}
		_, _ = fmt.Fprintf(o.Stderr, "Erase %s, for good? [y/N] ", what) // a question that cannot be seen is answered no
		var answer string
		_, _ = fmt.Fscanln(o.Stdin, &answer) // none is no
		if a := strings.ToLower(answer); a != "y" && a != "yes" {
			return ErrForgetCanceled
		}
	}
	path := settings.HistoryPath()
	n, err := store.Forget(ctx, path, f)
	if err != nil {
		return err
	}
	kept := store.Damaged(path)
	events := "events"
	if n == 1 {
		events = "event"
	}
	_, err = fmt.Fprintf(o.Stdout, "Forgotten: %d %s.\n", n, events)
	for _, name := range kept {
		_, _ = fmt.Fprintf(o.Stderr, "porthole: %s was damaged and may still tell of it; remove it, or forget everything\n", name) // beside the answer
	}
	return err
}
