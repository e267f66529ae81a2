package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// body is an answer of 1 KB.
var body = bytes.Repeat([]byte("0123456789abcdef"), 64)

// serveAll serves HTTP, and a port that sends bytes as fast as it can. It prints the two
// ports and ends with its input.
func serveAll() error {
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	bulk, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_ = http.Serve(web, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{"text/plain"}
			_, _ = w.Write(body)
		}))
	}()
	go func() {
		for {
			c, err := bulk.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := bytes.Repeat(body, 128)
				for {
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			}()
		}
	}()
	fmt.Println(web.Addr().(*net.TCPAddr).Port, bulk.Addr().(*net.TCPAddr).Port)
	discard(os.Stdin)
	return nil
}

// request is what clients send.
var request = []byte("GET /api/items?page=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")

// client is a keep-alive client that costs little itself.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

func connect(port int) (*client, error) {
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return &client{c, bufio.NewReaderSize(c, 8<<10)}, nil
}

// get sends a request and reads the answer.
func (c *client) get() error {
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	length := -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("the answer has no length")
	}
	_, err := c.r.Discard(length)
	return err
}

const clients = 64

// rate returns how many requests a second 64 clients get answered.
func rate(ctx context.Context, port int, d time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var done atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, clients)
	began := time.Now()
	for range clients {
		all.Go(func() {
			c, err := connect(port)
			if err != nil {
				errs <- err
				return
			}
			defer c.conn.Close()
			for ctx.Err() == nil {
				if err := c.get(); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

// latencies returns how long requests took, one after the other, sorted.
func latencies(ctx context.Context, port int, d time.Duration) ([]time.Duration, error) {
	c, err := connect(port)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	var all []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		began := time.Now()
		if err := c.get(); err != nil {
			return nil, err
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all, nil
}

// bulkRate returns how many bytes a second arrive over one connection.
func bulkRate(port int, d time.Duration) (float64, error) {
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	began := time.Now()
	if err := c.SetReadDeadline(began.Add(d)); err != nil {
		return 0, err
	}
	b := make([]byte, 256<<10)
	var total int64
	for {
		n, err := c.Read(b)
		total += int64(n)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return float64(total) / time.Since(began).Seconds(), nil
		case err != nil && err != io.EOF:
			return 0, err
		case err != nil:
			return 0, errors.New("the connection was closed")
		}
	}
}
