package cli

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/traffic"
	"porthole/monitor/traffic/har"
	"porthole/ui/filter"
)

// This file prints exchanges for the commands tap, capture and traffic.

// trafficOptions are the flags that these commands share.
type trafficOptions struct {
	Options
	Bodies  bool
	HAR     string // a file to write
	PCAP    string // a file to write
	Version string // of Porthole, for files
	Words   filter.Exchanges
}

func (o *trafficOptions) addTo(c *cobra.Command) {
	o.addJSON(c, "print JSON Lines, one object per exchange")
	c.Flags().BoolVar(&o.Bodies, "body", false, "also print headers and bodies")
	c.Flags().StringVar(&o.HAR, "har", "", "write the exchanges of HTTP to `FILE` at the end, in the format HAR")
	c.Flags().BoolVar(&o.Unmasked, "unmasked", false, "do not mask passwords, cookies and tokens")
}

// filterHelp describes the words that select exchanges.
const filterHelp = `
FILTER is a word that must be in the method, path, host, status, protocol or client,
or one of these; a minus before it excludes what it matches:

  status:5xx  status:404  status:error
  method:post  path:/api  path:*users  slow:500ms
  client:curl  protocol:redis  body:text`

// printQueue is how many exchanges may wait for the output.
const printQueue = 10_000

// printer prints exchanges as they end. Slow output does not slow down the traffic.
type printer struct {
	o   trafficOptions
	out *bufio.Writer // lines that wait for further ones
	// summary and text are what is being printed. They are used again, because garbage delays
	// the traffic.
	summary traffic.Exchange
	text    []byte

	width  int // of the terminal, 0 if it is none
	styled bool
	queue  chan *traffic.Exchange
	done   chan struct{}
	err    error // of the output; read it after done

	mu      sync.Mutex
	missed  int
	printed int
}

// newPrinter returns a printer. failed is called once if the output fails, such as a pipe
// that was closed.
func newPrinter(o trafficOptions, failed func()) *printer {
	p := &printer{o: o, out: bufio.NewWriterSize(o.Stdout, printBuffer), queue: make(chan *traffic.Exchange, printQueue), done: make(chan struct{})}
	p.width, p.styled = terminalStyle(o.Stdout)
	go func() { // ends with close
		defer close(p.done)
		for e := range p.queue {
			if p.err != nil {
				continue
			}
			if p.err = p.print(e); p.err != nil {
				failed()
			}
		}
	}()
	return p
}

// printBuffer is how many bytes of lines are written at once if exchanges come fast.
const printBuffer = 32 << 10

// add prints e soon, if it is selected. It does not wait.
func (p *printer) add(e *traffic.Exchange) {
	if !p.o.Words.Matches(e) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.queue <- e:
		p.printed++
	default:
		p.missed++
	}
}

// wait is add for exchanges of a file, which can wait.
func (p *printer) wait(e *traffic.Exchange) {
	if !p.o.Words.Matches(e) {
		return
	}
	p.queue <- e
	p.printed++
}

// close waits until everything is printed.
func (p *printer) close() error {
	close(p.queue)
	<-p.done
	return p.err
}

// print writes e, at once if no other exchange waits. The error may be that of an exchange
// before.
func (p *printer) print(e *traffic.Exchange) error {
	switch {
	case p.o.Unmasked:
	case p.o.Bodies:
		e = traffic.Masked(e)
	default:
		traffic.MaskSummary(&p.summary, e)
		e = &p.summary
	}
	if p.o.JSON {
		if err := writeLine(p.out, exchangeJSONOf(e, p.o.Bodies)); err != nil {
			return err
		}
	} else {
		p.text = append(p.appendLine(p.text[:0], e), '\n')
		_, _ = p.out.Write(p.text) // Flush returns the error
		if p.o.Bodies {
			writeMessage(p.out, ">", &e.Request)
			writeMessage(p.out, "<", &e.Answer)
		}
	}
	if len(p.queue) > 0 {
		return nil
	}
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("write an exchange: %w", err)
	}
	return nil
}

// exchangeClient names the client: "curl (812)", or its address.
func exchangeClient(e *traffic.Exchange) string {
	if c := e.Conn.Process(); c.PID != 0 {
		return dash(monitor.Clean(c.Name, 60)) + " (" + strconv.Itoa(c.PID) + ")"
	}
	return e.Conn.Client.String()
}

// statusText returns the status for the narrow column, and its color.
func statusText(e *traffic.Exchange) (text, color string) {
	switch {
	case e.Code >= 500, e.Failed && e.Code == 0:
		color = "31" // red
	case e.Code >= 400, e.Problem != "":
		color = "33" // yellow
	}
	switch {
	case e.Code != 0:
		return strconv.Itoa(e.Code), color
	case e.Failed:
		return "error", color
	}
	return dash(monitor.Clean(e.Status, 60)), color
}

// maxWhat limits the text about an exchange where the width of the output is unknown.
const maxWhat = 2000

// whatText returns the method and the path or command, and what went wrong.
func whatText(e *traffic.Exchange) string {
	if e.Method != "" && e.Problem == "" && e.Lost() == 0 && (e.Code != 0 || !e.Failed) && plainWords(e.Method) && plainWords(e.Path) && len(e.Path) < maxWhat/2 {
		return strings.TrimSuffix(e.Method+" "+e.Path, " ") // most are
	}
	parts := []string{e.Method, e.Path}
	switch {
	case e.Kind == traffic.Event && e.Method == "":
		parts = append([]string{e.Protocol}, parts...)
	case e.Method == "":
		parts = append([]string{e.Protocol + ":"}, parts...)
	}
	if e.Code == 0 && e.Failed {
		parts = append(parts, "! "+e.Status)
	}
	if e.Problem != "" {
		parts = append(parts, "! "+e.Problem)
	}
	if n := e.Lost(); n > 0 {
		parts = append(parts, fmt.Sprintf("! %s are missing", sizeText(uint64(n))))
	}
	return monitor.Clean(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), maxWhat)
}

// plainWords reports whether s has only visible characters of ASCII, so that it needs no
// cleaning.
func plainWords(s string) bool { return ascii(s) && strings.IndexByte(s, ' ') < 0 }

// elapsedText returns d with two or three digits: "340 µs", "1.2 ms", "3.4 s".
func elapsedText(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d min", int(d.Minutes()))
}

// writeMessage writes the header and body of a message, each line after a mark.
func writeMessage(out io.Writer, mark string, m *traffic.Message) {
	line := func(s string) { fmt.Fprintf(out, "    %s %s\n", mark, monitor.Clean(s, 4000)) }
	if m.Head != nil {
		line(m.StartLine())
	}
	for _, f := range append(m.Header(), m.Trailer...) {
		line(f.Name + ": " + f.Value)
	}
	content, err := m.Shown(0)
	switch {
	case m.Dropped:
		line("(the body was dropped to make room for newer ones)")
	case len(content) > 0 && traffic.Readable(content):
		for text := range strings.Lines(string(content)) {
			line(strings.TrimRight(text, "\r\n"))
		}
	case len(content) > 0:
		for text := range strings.Lines(hex.Dump(content[:min(len(content), maxHex)])) {
			line(strings.TrimRight(text, "\n"))
		}
	}
	switch rest := m.BodySize - int64(len(m.Body)); {
	case err != nil:
		line("(" + err.Error() + ")")
	case rest > 0 && !m.Dropped:
		line(fmt.Sprintf("(%s more)", sizeText(uint64(rest))))
	}
}

// maxHex is how many bytes of a body are printed as hex.
const maxHex = 4 << 10

// recording is the part of tap, capture and traffic behind the source: it decodes,
// prints and saves.
type recording struct {
	o        trafficOptions
	store    *traffic.Store
	recorder *traffic.Recorder
	printer  *printer
	stop     func()
	done     chan struct{} // closed by finish
}

// begin starts a recording. end is called if the output fails.
func (o trafficOptions) begin(protocols []traffic.Protocol, end func()) *recording {
	r := &recording{o: o, store: traffic.NewStore(o.limits()), done: make(chan struct{})}
	go paceGC(r.done)
	r.recorder = traffic.NewRecorder(r.store, protocols)
	r.printer = newPrinter(o, end)
	r.stop = r.store.Follow(r.printer.add)
	return r
}

// limits returns what is kept, as the settings say.
func (o trafficOptions) limits() traffic.Limits {
	s, err := settings.Open(settings.Path()).Load()
	if err != nil {
		o.note(fmt.Errorf("%w; using the default settings", err))
	}
	return s.TrafficLimits()
}

// finish ends a recording: it prints the exchanges that last, writes the HAR file and
// says what is missing.
func (r *recording) finish() error {
	close(r.done)
	r.recorder.Shutdown()
	r.stop()
	for _, e := range r.store.List() {
		if e.Ended.IsZero() {
			r.printer.add(e)
		}
	}
	err := r.printer.close()
	stats := r.store.Stats()
	note := func(format string, args ...any) {
		_, _ = fmt.Fprintf(r.o.Stderr, "porthole: "+format+"\n", args...) // stderr is the only place for it
	}
	if r.printer.missed > 0 {
		note("%d exchanges were not printed: the output was too slow", r.printer.missed)
	}
	if n := r.recorder.Undecoded(); n > 0 {
		note("%s were not decoded: they were lost, or decoding was too slow", sizeText(uint64(n)))
	}
	if r.o.HAR != "" {
		if harErr := r.writeHAR(); harErr != nil {
			return harErr
		}
		if stats.DroppedExchanges > 0 {
			note("the first %d exchanges are missing in %s: only %d are kept", stats.DroppedExchanges, r.o.HAR, stats.Exchanges)
		}
	}
	return err
}

// writeHAR writes the exchanges that are kept and selected.
func (r *recording) writeHAR() error {
	var selected []*traffic.Exchange
	for _, e := range r.store.List() {
		if r.o.Words.Matches(e) {
			selected = append(selected, e)
		}
	}
	var out bytes.Buffer
	if err := har.Write(&out, selected, har.Options{Version: r.o.Version, Unmasked: r.o.Unmasked}); err != nil {
		return fmt.Errorf("write %s: %w", r.o.HAR, err)
	}
	if err := os.WriteFile(r.o.HAR, out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("save the exchanges: %w", err)
	}
	return nil
}
