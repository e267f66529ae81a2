package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// terminalInput returns standard input if it is a terminal. Otherwise it returns nil,
// because no user can answer a question.
func terminalInput() io.Reader {
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(info, null) { // a character device, too
		return nil
	}
	return os.Stdin
}

// confirm prints question and returns true if the answer is yes. It returns
// false for any other answer and when ctx ends. If stdin is nil, it returns a
// UsageError that names --yes.
func confirm(ctx context.Context, stdin io.Reader, stderr io.Writer, question string) (bool, error) {
	if stdin == nil {
		return false, UsageError{"cannot ask for confirmation without a terminal; use --yes to skip it"}
	}
	_, _ = fmt.Fprintf(stderr, "%s [y/N] ", question) // if it cannot be printed, the answer is no
	answered := make(chan string, 1)
	go func() { // reading from a terminal cannot be canceled: ends with the program
		var answer string
		_, _ = fmt.Fscanln(stdin, &answer) // an empty line is a no
		answered <- strings.ToLower(answer)
	}()
	select {
	case a := <-answered:
		return a == "y" || a == "yes", nil
	case <-ctx.Done():
		return false, nil
	}
}
