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
	"porthole/app/settings"
	"porthole/ui/words"
)

// statusNoDesktop is the exit status where there is no desktop to show itself on.
const statusNoDesktop = 3

// handOverTimeout is how long a start waits for an agent that hands over to end.
const handOverTimeout = 6 * time.Second

// start is what "porthole" does: become the agent, or tell the one that runs.
// opts say how it is to be shown.
func start(ctx context.Context, opts agent.Options) error {
	session := desktop.Current()
	if err := checkSession(session, opts.Hidden); err != nil {
		return exitError{statusNoDesktop, err}
	}
	place, err := ipc.OpenRuntimeDir()
	if err != nil {
		return err
	}
	unlock, mine, err := place.Lock()
	if err != nil {
		return err
	}
	if !mine {
		handedOver, err := contactAgent(place, session, opts.Hidden, opts.Port)
		if err != nil || !handedOver {
			return err
		}
		if unlock, err = waitForLock(ctx, place, handOverTimeout); err != nil {
			return err
		}
	}
	opts.RuntimeDir, opts.Session, opts.Build = place, session, buildID()
	return runAgent(ctx, unlock, opts)
}

// checkSession says in one line why Porthole cannot be of use here, and what can.
func checkSession(session desktop.Session, hidden bool) error {
	display, bus := session.CheckDisplay(), session.CheckBus()
	switch {
	case hidden && bus != nil:
		return fmt.Errorf("%w for the tray icon and the notifications; \"porthole list\" and \"porthole events\" work without", bus)
	case !hidden && display != nil:
		return fmt.Errorf("%w; \"porthole list\" and \"porthole events\" work without", display)
	}
	return nil
}

// contactAgent asks the running agent to show its window. handedOver is true where it
// ends instead, for this process to be the next.
func contactAgent(place ipc.RuntimeDir, session desktop.Session, hidden bool, port uint16) (handedOver bool, _ error) {
	m := ipc.Message{Kind: ipc.Start, Session: session, Hidden: hidden, Port: port, Build: buildID(), Program: programPath()}
	var answer ipc.Message
	var err error
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		// The agent holds its lock a moment before it listens, and after.
		answer, err = ipc.Request(place, m)
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

// waitForLock waits for the lock of an agent that is ending.
func waitForLock(ctx context.Context, place ipc.RuntimeDir, limit time.Duration) (func() error, error) {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		unlock, mine, err := place.Lock()
		if err != nil || mine {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil, errors.New("the Porthole that runs does not end; end it (pkill porthole) and start it again")
}

func runAgent(ctx context.Context, unlock func() error, opts agent.Options) error {
	log, closeLog := openLog(logPath(), os.Stderr)
	defer closeLog()
	if address := opts.Session.BusAddress(); address != "" {
		// The tray library looks here, and starts a bus of its own where nothing is.
		if err := os.Setenv("DBUS_SESSION_BUS_ADDRESS", address); err != nil {
			return fmt.Errorf("set the bus address: %w", err)
		}
	}
	// A file with a mistake is the agent's to tell of.
	chosen, _ := settings.Open(settings.Path()).Load()
	opts.Language = chosen.Language
	if err := words.SetUpLanguage(opts.Language); err != nil {
		log.Warn("the translations cannot be used", "problem", err)
	}
	opts.Logger = log
	log.Info("started", "version", Version)
	successor, err := agent.Run(ctx, opts)
	log.Info("ended")
	if unlockErr := unlock(); unlockErr != nil {
		log.Warn("the lock could not be given back", "problem", unlockErr)
	}
	if err == nil && successor != nil {
		return reexec(*successor, log)
	}
	return err
}

// programPath is the file of this program, "" where that cannot be told.
func programPath() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}

// buildID tells this program from another build: the file's identity and time.
func buildID() string {
	info, err := os.Stat(programPath())
	if err != nil {
		return Version
	}
	return fmt.Sprintf("%s %d %d", Version, info.Size(), info.ModTime().UnixNano())
}

// quit asks the running agent to end.
func quit() error {
	place, err := ipc.OpenRuntimeDir()
	if err != nil {
		return err
	}
	_, err = ipc.Request(place, ipc.Message{Kind: ipc.Quit})
	return err
}
