package history

import (
	"encoding/json"
	"fmt"
	"io"

	"porthole/monitor"
)

// Writer writes events in a file format. Flush must be called once, after the last
// event.
type Writer interface {
	Write(Event) error
	Flush() error
}

// JSONWriter writes events as JSON, one per line. Control characters are escaped,
// so that the output is safe to show in a terminal.
type JSONWriter struct {
	w       io.Writer
	array   bool
	started bool
}

// NewJSONLines returns a Writer of JSON Lines: one object per line.
func NewJSONLines(w io.Writer) *JSONWriter { return &JSONWriter{w: w} }

// NewJSONArray returns a Writer of one JSON array.
func NewJSONArray(w io.Writer) *JSONWriter { return &JSONWriter{w: w, array: true} }

// Write writes one event with a single write.
func (j *JSONWriter) Write(e Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	b = monitor.EscapeJSON(b)
	switch {
	case !j.array:
		b = append(b, '\n')
	case j.started:
		b = append([]byte(",\n"), b...)
	default:
		b = append([]byte("[\n"), b...)
	}
	j.started = true
	return j.write(b)
}

// Flush writes the end of the array.
func (j *JSONWriter) Flush() error {
	switch {
	case !j.array:
		return nil
	case j.started:
		return j.write([]byte("\n]\n"))
	}
	return j.write([]byte("[]\n"))
}

func (j *JSONWriter) write(b []byte) error {
	if _, err := j.w.Write(b); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
