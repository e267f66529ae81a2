package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"porthole/app/agent"
	"porthole/app/desktop"
	"porthole/app/ipc"
	"porthole/app/paths"
	"porthole/app/settings"
	"porthole/ui/words"
)

// statusNoDesktop is the exit status if there is no desktop session.
const statusNoDesktop = 3

// handOverTimeout is how long a start waits for an agent that hands over to
// exit.
const handOverTimeout = 6 * time.Second

// start runs the command "porthole": it becomes the agent or, if one is running,
// asks that one to show its window.
func start(ctx context.Context, opts agent.Options) error {
	session := desktop.Current()
	opts.Token = desktop.TakeActivationToken()
	if err := checkSession(session, opts.Hidden); err != nil {
		return exitError{statusNoDesktop, err}
	}
	dir, err := ipc.OpenRuntimeDir()
	if err != nil {
		return err
	}
	unlock, locked, err := dir.Lock()
	if err != nil {
		return err
	}
	if !locked {
		handedOver, err := contactAgent(dir, session, opts)
		if err != nil || !handedOver {
			return err
		}
		if unlock, err = waitForLock(ctx, dir, handOverTimeout); err != nil {
			return err
		}
	}
	opts.RuntimeDir, opts.Session, opts.Build = dir, session, buildID()
	return runAgent(ctx, unlock, opts)
}

// checkSession returns an error if session cannot show the window or, with
// hidden, the tray icon and notifications.
func checkSession(session desktop.Session, hidden bool) error {
	display, bus := session.CheckDisplay(), session.CheckBus()
	switch {
	case hidden && bus != nil:
		return fmt.Errorf("%w; the tray icon and notifications need it (\"porthole list\" and \"porthole events\" do not)", bus)
	case !hidden && display != nil:
		return fmt.Errorf("%w (\"porthole list\" and \"porthole events\" do not need one)", display)
	}
	return nil
}

// contactAgent asks the running agent to show its window. handedOver is true if
// the agent exits instead and this process must take its place.
func contactAgent(dir ipc.RuntimeDir, session desktop.Session, opts agent.Options) (handedOver bool, _ error) {
	m := ipc.Message{Kind: ipc.Start, Session: session, Hidden: opts.Hidden, Port: opts.Port, Token: opts.Token, Build: buildID()}
	var answer ipc.Message
	var err error
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		// The agent holds its lock slightly longer than it listens.
		answer, err = ipc.Request(dir, m)
		if !errors.Is(err, ipc.ErrNotRunning) || time.Now().After(deadline) {
			break
		}
	}
	if errors.Is(err, ipc.ErrNotRunning) {
		err = ipc.ErrNoResponse
	}
	if err != nil {
		return false, err
	}
	switch answer.Kind {
	case ipc.HandOver:
		return true, nil
	case ipc.Refused:
		return false, errors.New(answer.Problem)
	}
	return false, nil
}

// waitForLock waits at most limit for the lock of an agent that is exiting.
func waitForLock(ctx context.Context, dir ipc.RuntimeDir, limit time.Duration) (func() error, error) {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		unlock, locked, err := dir.Lock()
		if err != nil || locked {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil, errors.New("the running Porthole does not exit; end it with \"porthole quit\" and try again")
}

// runAgent runs the agent until it exits and releases the instance lock. If
// another build takes over, it starts that one.
func runAgent(ctx context.Context, unlock func() error, opts agent.Options) error {
	log, closeLog := openLog(paths.Log(), os.Stderr)
	defer closeLog()
	if address := opts.Session.BusAddress(); address != "" {
		// The tray library reads this variable and starts its own bus if it is empty.
		if err := os.Setenv("DBUS_SESSION_BUS_ADDRESS", address); err != nil {
			return fmt.Errorf("set the bus address: %w", err)
		}
	}
	// The agent reports errors in the settings file.
	chosen, _ := settings.Open(settings.Path()).Load()
	opts.Language = chosen.Language
	if err := words.SetUpLanguage(opts.Language); err != nil {
		log.Warn("the translations cannot be loaded", "error", err)
	}
	opts.Logger = log
	log.Info("started", "version", Version)
	successor, err := agent.Run(ctx, opts)
	log.Info("exiting")
	if unlockErr := unlock(); unlockErr != nil {
		log.Warn("the instance lock cannot be released", "error", unlockErr)
	}
	if err == nil && successor != nil {
		return reexec(*successor, log)
	}
	return err
}

// programPath returns the path of this program's file, "" if it is unknown.
func programPath() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}

// buildID distinguishes this program from other builds: version, size and
// modification time of its file.
func buildID() string {
	info, err := os.Stat(programPath())
	if err != nil {
		return Version
	}
	return fmt.Sprintf("%s %d %d", Version, info.Size(), info.ModTime().UnixNano())
}
