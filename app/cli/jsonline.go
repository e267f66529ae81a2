package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"porthole/monitor"
)

// writeLine writes v as one line of JSON with a single Write, so that readers get
// whole lines without delay.
func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a line: %w", err)
	}
	if _, err := w.Write(append(monitor.EscapeJSON(b), '\n')); err != nil {
		return fmt.Errorf("write a line: %w", err)
	}
	return nil
}
