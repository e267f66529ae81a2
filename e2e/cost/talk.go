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

// clients is the number of clients of the measured listener.
const clients = 3

// echo sends everything back that clients send, until ln is closed.
func echo(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c) // ends with the connection
		}()
	}
}

// talk starts clients that send data ten times per second, each time a different amount,
// so that what Porthole shows changes with each poll.
func talk(ctx context.Context) (stop func(), _ error) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	stop = func() { cancel(); all.Wait() }
	for range clients {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", rowPort))
		if err != nil {
			stop()
			return nil, fmt.Errorf("connect to the listener: %w", err)
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
	return stop, nil
}
