//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// talkers are how many connections talk to the row that is looked at.
const talkers = 3

// answer sends back what each client says, until ln is closed.
func answer(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c) // until the client has gone
		}()
	}
}

// talk has clients of the row say something ten times a second, never as much as
// the time before, so that what is told of them changes with each look.
func talk(ctx context.Context) (hush func(), _ error) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	hush = func() { cancel(); all.Wait() }
	for range talkers {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", rowPort))
		if err != nil {
			hush()
			return nil, fmt.Errorf("connect to the row: %w", err)
		}
		all.Go(func() {
			defer c.Close()
			for n := int64(1000); ctx.Err() == nil; n += 100 {
				if _, err := c.Write(make([]byte, n)); err != nil {
					return
				}
				if _, err := io.CopyN(io.Discard, c, n); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	return hush, nil
}
