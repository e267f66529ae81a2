package redis

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// This file reads RESP2 and RESP3 as it arrives. The readers of client libraries wait for
// whole values, which may have 512 MB.

// Limits of what is read. Redis itself limits inline commands to 64 KB.
const (
	maxLine  = 64 << 10
	maxDepth = 128
	maxBulk  = 1 << 32
)

var (
	errLine   = errors.New("a line is too long")
	errLength = errors.New("a length is not valid")
	errEnd    = errors.New("a value does not end with a line break")
	errKind   = errors.New("a value has an unknown type")
	errDepth  = errors.New("values are nested too deeply")
)

// values receives the values of one direction. Those of an aggregate follow it.
type values interface {
	// simple is a value in one line: + - : _ , # (
	simple(kind byte, line []byte) error
	// aggregate is a value of n others: * ~ > | and %, which has 2 n. n is -1 for a nil
	// array, and Streamed if the end follows with ended.
	aggregate(kind byte, n int64) error
	// ended ends a streamed aggregate.
	ended() error
	// blob begins a string of n bytes: $ ! =; n is -1 for nil.
	blob(kind byte, n int64) error
	// blobData is a part of the string, blobEnd its end.
	blobData(p []byte)
	blobEnd() error
	// inline is an inline command.
	inline(line []byte) error
}

// streamed is the size of an aggregate or string whose end is marked.
const streamed = -2

// tokens splits a stream into values. See https://redis.io/docs/latest/develop/reference/protocol-spec/
type tokens struct {
	to      values
	inlines bool        // lines without a type are inline commands
	inside  func() bool // a command is being read
	line    []byte      // the start of a line
	left    int64       // bytes of a blob to come, and of its line break
	inBlob  bool
	chunks  bool  // the blob is sent in chunks
	pos     int64 // bytes that were read
	mark    int64 // pos at the last call of size
}

// size returns the bytes since the last call.
func (t *tokens) size() int64 {
	n := t.pos - t.mark
	t.mark = t.pos
	return n
}

// feed reads p. After an error it must not be called again.
func (t *tokens) feed(p []byte) error {
	for len(p) > 0 {
		if t.inBlob {
			rest, err := t.feedBlob(p)
			if err != nil {
				return err
			}
			p = rest
			continue
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			t.line = append(t.line, p...)
			t.pos += int64(len(p))
			if len(t.line) > maxLine {
				return errLine
			}
			return nil
		}
		line := p[:i]
		if len(t.line) > 0 {
			line = append(t.line, line...)
		}
		if len(line) > maxLine {
			return errLine
		}
		p = p[i+1:]
		t.pos += int64(i + 1)
		err := t.feedLine(bytes.TrimSuffix(line, []byte("\r")))
		t.line = t.line[:0]
		if err != nil {
			return err
		}
	}
	return nil
}

// feedBlob reads a part of a blob and returns what follows it.
func (t *tokens) feedBlob(p []byte) ([]byte, error) {
	const lineBreak = 2
	if data := t.left - lineBreak; data > 0 {
		n := min(data, int64(len(p)))
		t.pos += n
		t.left -= n
		t.to.blobData(p[:n])
		return p[n:], nil
	}
	if p[0] != "\r\n"[lineBreak-t.left] {
		return nil, errEnd
	}
	t.pos++
	if t.left--; t.left > 0 {
		return p[1:], nil
	}
	t.inBlob = false
	if t.chunks {
		return p[1:], nil
	}
	return p[1:], t.to.blobEnd()
}

func (t *tokens) feedLine(line []byte) error {
	if len(line) == 0 {
		if t.inlines && !t.inside() {
			return nil // Redis ignores empty commands
		}
		return errKind
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', '-', ':', '_', ',', '#', '(':
		if t.inlines {
			break
		}
		return t.to.simple(kind, rest)
	case '*', '~', '>', '|', '%':
		n, err := length(rest)
		if err != nil {
			return err
		}
		if kind == '*' && n < -1 && n != streamed {
			return errLength
		}
		return t.to.aggregate(kind, n)
	case '.':
		if len(rest) == 0 && !t.inlines {
			return t.to.ended()
		}
	case '$', '!', '=':
		n, err := length(rest)
		if err != nil {
			return err
		}
		if err := t.to.blob(kind, n); err != nil {
			return err
		}
		switch t.chunks = n == streamed; {
		case n == -1:
			return t.to.blobEnd()
		case n >= 0:
			t.inBlob, t.left = true, n+2
		}
		return nil
	case ';':
		n, err := length(rest)
		switch {
		case err != nil || n < 0 || !t.chunks:
			return errLength
		case n == 0:
			t.chunks = false
			return t.to.blobEnd()
		}
		t.inBlob, t.left = true, n+2
		return nil
	}
	if t.inlines && !t.inside() {
		return t.to.inline(line)
	}
	return fmt.Errorf("%w (%q)", errKind, kind)
}

// length parses the length in a header.
func length(b []byte) (int64, error) {
	if len(b) == 1 && b[0] == '?' {
		return streamed, nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < -1 || n > maxBulk {
		return 0, errLength
	}
	return n, nil
}
