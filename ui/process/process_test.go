package process

import (
	"image/color"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/history"
	"porthole/ui/probe"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
	"porthole/ui/words"
)

// newTestWindow returns the window of a process that listens on 62893.
func newTestWindow(t *testing.T, service string, by monitor.ServiceBy, project, branch string) *Window {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(uitheme.Theme{})
	now := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	l := &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: 62893, Service: service, ServiceBy: by,
		Owners: []monitor.Owner{{PID: 47733, Start: 1, Name: "node", User: "you", Project: project, Branch: branch,
			StartedAt: now.Add(-12 * time.Minute), Command: []string{"node", "node_modules/.bin/vite"}}},
		Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{Address: netip.MustParseAddr("127.0.0.1")}, Owners: []int{47733}}}}
	p := New(app, l, monitor.Snapshot{Listeners: []*monitor.Listener{l}}, newDesk(t), nil, func() Context { return Context{User: "you"} }, func() time.Time { return now })
	t.Cleanup(p.window.Close)
	return p
}

func TestProcessWindowDescribesProcess(t *testing.T) {
	for _, c := range []struct {
		service         string
		by              monitor.ServiceBy
		project, branch string
		want            string
	}{
		{"Vite", monitor.ByCommand, "acme-web", "main", "Vite in acme-web (git: main)"},
		{"Vite", monitor.ByCommand, "acme-web", "", "Vite in acme-web"},
		{"Redis", monitor.ByProgram, "", "main", "Redis"},
		{"hbci", monitor.ByPort, "acme-web", "main", "acme-web (git: main)"}, // the service is only a guess from the port
		{"hbci", monitor.ByPort, "", "", ""},
		{"", "", "a\u202eb\n", "x\x1b[31m", "a b (git: x [31m)"},
	} {
		p := newTestWindow(t, c.service, c.by, c.project, c.branch)
		if p.description.Segment.Text != c.want || p.description.Object.Visible() != (c.want != "") {
			t.Errorf("%+v: got %q (visible %v)", c, p.description.Segment.Text, p.description.Object.Visible())
		}
	}
}

func TestProcessWindowShowsSourceOfService(t *testing.T) {
	for by, want := range map[monitor.ServiceBy]string{
		monitor.ByProgram: "Vite (from the program)", monitor.ByCommand: "Vite (from the command)", monitor.ByPort: "Vite (guess from the port)",
	} {
		p, shown := newTestWindow(t, "Vite", by, "", ""), false
		uitest.EachVisible(p.window.Content(), func(o fyne.CanvasObject) {
			if text, ok := o.(*widgets.CopyText); ok && text.Text == want {
				shown = true
			}
		})
		if !shown {
			t.Errorf("the window does not show %q", want)
		}
	}
}

// A long command is not truncated, and a secret at its end is masked until requested.
func TestLongCommandIsNotTruncated(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(8080, "java", 10)
	l.Owners[0].Command = []string{"java", "-cp", strings.Repeat("/opt/lib/library.jar:", 700), "--password=geheim"}
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes[Key(l)]
	end := func() string { return p.command.Text[len(p.command.Text)-20:] }
	if got := end(); !strings.HasSuffix(got, "--password=•••") || len(p.command.Text) < 14_000 {
		t.Errorf("got %d characters that end in %q, want at least 14000 and a masked password", len(p.command.Text), got)
	}
	findButton(p, "Show secrets").OnTapped()
	if got := end(); !strings.HasSuffix(got, "--password=geheim") {
		t.Errorf("with secrets: got the end %q, want --password=geheim", got)
	}
}

func TestProcessWindowButtons(t *testing.T) {
	p := newTestWindow(t, "Vite", monitor.ByCommand, "acme-web", "main")
	d := p.actions.(*desk)
	labels := func(rows ...*monitor.Listener) (all []string) {
		buttons := p.buttons().(*fyne.Container).Objects
		p.Update(monitor.Update{Snapshot: monitor.Snapshot{Listeners: rows}})
		for _, o := range buttons {
			if b := o.(*widgets.Button); b.Visible() {
				all = append(all, b.Text)
				b.OnTapped()
			}
		}
		return all
	}
	p.listener.Addresses = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	d.T = t
	d.Want("buttons", labels(p.listener), []string{"Open in browser", "Copy URL", "What answers there?", "Copy command", "Explain", "Show traffic…", "Inspect traffic", "Show environment"}) // its folder is unknown
	d.Want("asked", d.Asked, []string{"browse 127.0.0.1:62893", "copy the URL of 127.0.0.1:62893", "what answers on 62893", "copy node node_modules/.bin/vite", "inspect 62893", "environment of 47733"})
	p.listener.Protocol, p.owner.Folder, p.owner.Command, d.Asked = monitor.UDP, "/src", nil, nil
	d.Want("buttons of UDP", labels(p.listener), []string{"Open folder", "Explain", "Inspect traffic", "Show environment"})
	d.Want("asked", d.Asked, []string{"folder /src", "inspect 62893"})
	p.listener.Protocol = monitor.TCP
	d.Want("buttons after it stopped listening", labels(), []string{"Open folder", "Explain", "Show environment"})
	d.Want("buttons after it listens again", labels(p.listener)[:2], []string{"Open in browser", "Copy URL"})
}

// Resources are updated with each poll, without changing the layout.
func TestProcessWindowShowsResources(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.showSnapshot(a)
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	if p.resources.Text != "–" {
		t.Errorf("before a probe: got %q, want –", p.resources.Text)
	}
	poll := func(after time.Duration, u monitor.Resources) string {
		d.At = d.At.Add(after)
		d.ShowProbe(probe.Result{At: d.At, Processes: map[probe.ProcessID]monitor.ProcessState{{PID: 10, Start: 7}: {Resources: u}}})
		return p.resources.Text
	}
	for _, step := range []struct {
		after time.Duration
		used  monitor.Resources
		want  string
	}{
		{time.Second, monitor.Resources{Threads: 12, Memory: 48_200_000, CPU: time.Minute}, "12 threads · 48 MB memory"},
		{100 * time.Millisecond, monitor.Resources{Threads: 12, Memory: 48_200_000, CPU: time.Minute + 10*time.Millisecond}, "12 threads · 48 MB memory"},
		{1900 * time.Millisecond, monitor.Resources{Threads: 1, Memory: 812_000, CPU: time.Minute + 60*time.Millisecond}, "1 thread · 812 kB memory · 3% of a core"},
		{time.Second, monitor.Resources{Threads: 1, Memory: 1_240_000_000, CPU: time.Minute + 3060*time.Millisecond}, "1 thread · 1.2 GB memory · 300% of a core"},
		{2 * time.Second, monitor.Resources{Threads: 1, Memory: 1000, CPU: time.Minute + 3070*time.Millisecond}, "1 thread · 1 kB memory · less than 1% of a core"},
		{time.Second, monitor.Resources{Threads: 1, CPU: time.Minute + 3070*time.Millisecond}, "1 thread · 0% of a core"},
		{time.Second, monitor.Resources{}, "–"}, // the process has exited
	} {
		before := p.body.MinSize()
		if got := poll(step.after, step.used); got != step.want || p.body.MinSize() != before {
			t.Errorf("%+v: got %q and size %v, want %q and size %v", step.used, got, p.body.MinSize(), step.want, before)
		}
	}
	d.each((*Window).Disconnect)
	if got := poll(time.Second, monitor.Resources{Threads: 3}); got != "–" {
		t.Errorf("after monitoring stopped: got %q, want –", got)
	}
}

func TestSecretsAreShownOnRequest(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].Command = []string{"node", "--token=hunter2", "x\x1b[31m"}
	d.showSnapshot(a, uitest.Listening(4000, "node", 11))
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	press := func(label string) {
		t.Helper()
		b := findButton(p, label)
		if b == nil {
			t.Fatalf("there is no button %q", label)
		}
		b.OnTapped()
	}
	if p.command.Text != "node --token=••• x [31m" {
		t.Errorf("at first: got %q, want a masked token", p.command.Text)
	}
	press("Show secrets")
	if p.command.Text != "node --token=hunter2 x [31m" {
		t.Errorf("after Show secrets: got %q, want the token", p.command.Text)
	}
	press("Copy command")
	d.Want("copied", d.Asked, []string{`copy node '--token=•••' $'x\033[31m'`})
	press("Hide secrets")
	if p.command.Text != "node --token=••• x [31m" {
		t.Errorf("after Hide secrets: got %q, want a masked token", p.command.Text)
	}
	other := d.Last.Listeners[1]
	d.OpenProcess(other)
	if findButton(d.processes[Key(other)], "Show secrets") != nil {
		t.Error("got a button Show secrets for a command without secrets")
	}
}

func TestEnvironmentIsShownOnRequest(t *testing.T) {
	d := newDesk(t)
	d.context.User = "ada"
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(4000, "node", 11)
	b.Owners[0].User = "bob"
	d.showSnapshot(a, b)
	d.OpenProcess(b)
	if findButton(d.processes[Key(b)], "Show environment") != nil {
		t.Error("got a button for the environment of another user's process")
	}
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	box, low := p.environment, p.body.MinSize().Height
	button := findButton(p, "Show environment")
	button.OnTapped()
	d.Want("asked", d.Asked, []string{"environment of 10"})
	if box.object.Visible() {
		t.Error("the box is visible before the environment arrived")
	}
	d.AnswerEnvironment([]string{"A=1", "API_TOKEN=•••"}, "")
	if box.text.Text != "A=1\nAPI_TOKEN=•••" || !box.object.Visible() || button.Text != "Hide environment" || p.body.MinSize().Height < low+environmentHeight {
		t.Errorf("got %q, visible %v, button %q, height %v after %v", box.text.Text, box.object.Visible(), button.Text, p.body.MinSize().Height, low)
	}
	button.OnTapped()
	if box.text.Text != "" || box.object.Visible() || p.body.MinSize().Height != low {
		t.Errorf("hidden: got %q, visible %v, height %v, want height %v", box.text.Text, box.object.Visible(), p.body.MinSize().Height, low)
	}
	button.OnTapped()
	button.OnTapped()
	d.AnswerEnvironment([]string{"A=1"}, "")
	if box.text.Text != "" || box.object.Visible() {
		t.Error("an answer that arrived after hiding is shown")
	}
	button.OnTapped()
	d.AnswerEnvironment(nil, "The process has exited")
	if box.text.Text != "The process has exited" {
		t.Errorf("got %q, want the problem", box.text.Text)
	}
}

// Of hundreds of listeners only some are listed, first the one that the window was opened
// for. The buttons act on that one.
func TestProcessWindowListsOpenedListenerFirst(t *testing.T) {
	d := newDesk(t)
	var all []*monitor.Listener
	for port := range uint16(300) {
		all = append(all, uitest.Listening(3000+port, "node", 10))
	}
	d.showSnapshot(all...)
	d.OpenProcess(all[100])
	p := d.processes["10 7"]
	lines := strings.Split(p.listening.Text, "\n")
	if len(lines) != maxAddresses+1 || !strings.HasPrefix(lines[0], "127.0.0.1:3100 ") || !strings.HasPrefix(lines[1], "127.0.0.1:3000 ") || lines[maxAddresses] != "… and 280 more" {
		t.Errorf("got %q, want 3100 first, then 3000, and 280 more", lines)
	}
	findButton(p, "Open in browser").OnTapped()
	d.Want("asked", d.Asked, []string{"browse 127.0.0.1:3100"})
	d.showSnapshot(all[:100]...)
	findButton(p, "Open in browser").OnTapped()
	d.Want("asked", d.Asked, []string{"browse 127.0.0.1:3100", "browse 127.0.0.1:3099"})
}

// On a small screen the window is smaller than its content: keys scroll it, and the
// focused button is always visible.
func TestProcessWindowFitsScreenAndScrolls(t *testing.T) {
	d := newDesk(t)
	d.maxSize = fyne.NewSize(640, 300)
	l := uitest.Listening(3000, "node", 10)
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes["10 7"]
	canvas := p.window.Canvas()
	if canvas.Size().Height > 300 {
		t.Fatalf("got height %v, want at most 300", canvas.Size().Height)
	}
	uitest.Press(p.window, fyne.KeyPageDown)
	down := p.scroll.Offset.Y
	uitest.Press(p.window, fyne.KeyUp)
	if down == 0 || p.scroll.Offset.Y >= down {
		t.Errorf("PageDown scrolled to %v, then Up to %v", down, p.scroll.Offset.Y)
	}
	p.scroll.ScrollToTop()
	for range p.keyButtons {
		canvas.FocusNext()
		b, ok := canvas.Focused().(*widgets.Button)
		if !ok {
			t.Fatalf("focused: got %T, want a button", canvas.Focused())
		}
		top := fyne.CurrentApp().Driver().AbsolutePositionForObject(b).Y
		if top < 0 || top+b.Size().Height > canvas.Size().Height {
			t.Errorf("the focused button %q is at %v to %v, outside the height %v", b.Text, top, top+b.Size().Height, canvas.Size().Height)
		}
	}
}

// Showing an answer in a closed window would create its renderers again.
func TestClosedProcessWindowIgnoresAnswers(t *testing.T) {
	m := &uitest.FakeHistory{Past: []history.Event{uitest.Event(1, 20*time.Hour, monitor.Closed, 3000, "python3", "api")}}
	d := newDeskWithHistory(t, m)
	d.context.User = "ada"
	l := uitest.Listening(3000, "node", 10)
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes[Key(l)]
	findButton(p, "Show environment").OnTapped()
	p.window.Close()
	m.Answer()
	d.AnswerEnvironment([]string{"A=1"}, "")
	if p.pastOwners.Text != "" || p.environment.text.Text != "" {
		t.Errorf("got past owners %q and environment %q, want none", p.pastOwners.Text, p.environment.text.Text)
	}
}

// findButton returns the button of p with a label, or nil.
func findButton(p *Window, label string) *widgets.Button {
	var find func(o fyne.CanvasObject) *widgets.Button
	find = func(o fyne.CanvasObject) *widgets.Button {
		switch o := o.(type) {
		case *widgets.Button:
			if o.Text == label {
				return o
			}
		case *container.Scroll:
			return find(o.Content)
		case *fyne.Container:
			for _, x := range o.Objects {
				if b := find(x); b != nil {
					return b
				}
			}
		}
		return nil
	}
	return find(p.window.Content())
}

// A failure is shown in the window where the action was requested, for a while.
func TestProcessWindowShowsNoticeForAWhile(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.showSnapshot(a)
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	low := p.body.MinSize().Height
	d.each(func(p *Window) { p.ShowNotice("Wireshark is not installed") })
	if p.notice.Segment.Text != "Wireshark is not installed" || !p.notice.Object.Visible() {
		t.Errorf("got notice %q, visible %v", p.notice.Segment.Text, p.notice.Object.Visible())
	}
	d.At = d.At.Add(widgets.NoticeTime)
	d.each((*Window).Tick)
	if p.notice.Object.Visible() || p.body.MinSize().Height != low {
		t.Error("the notice is still visible after NoticeTime")
	}
}

func TestProcessWindowShowsPastOwners(t *testing.T) {
	e := uitest.Event(1, 20*time.Hour, monitor.Closed, 3000, "python3", "api")
	e.OpenedAt = e.At.Add(-9 * time.Hour)
	m := &uitest.FakeHistory{Past: []history.Event{e}}
	d := newDeskWithHistory(t, m)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(8080, "java", 20)
	d.showSnapshot(a, b)
	d.OpenProcess(a)
	d.OpenProcess(b)
	m.Answer()
	for _, p := range d.processes {
		want := map[int]string{10: "yesterday 10:53–19:53  python3 · api", 20: ""}[p.owner.PID]
		if p.pastOwners.Text != want || p.pastOwnersBox.Visible() != (want != "") {
			t.Errorf("PID %d: got %q (visible %v), want %q", p.owner.PID, p.pastOwners.Text, p.pastOwnersBox.Visible(), want)
		}
		if want != "" && p.pastOwnersBox.Position().Y < p.listening.Position().Y+p.listening.Size().Height {
			t.Errorf("past owners are at %v, above the addresses", p.pastOwnersBox.Position())
		}
	}
}

func TestProcessWindowShowsClients(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.showSnapshot(a)
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	if p.clientsBox.Visible() || p.queueBox.Visible() {
		t.Error("clients or the accept queue are visible before a probe")
	}
	st := connection.State{BytesKnown: true, QueueKnown: true, QueueLength: 1, QueueLimit: 511, Conns: []connection.Conn{
		uitest.Conn(1, 7, "curl\n\u202e", 0, 0), uitest.Conn(2, 7, "curl\n\u202e", 0, 0), uitest.Conn(3, 0, "10.0.0.9", 0, 0),
		{ID: 4, User: "bob", Remote: netip.MustParseAddrPort("127.0.0.1:1")}}}
	d.answerProbe(a, st, monitor.ProcessState{})
	for i := range st.Conns {
		st.Conns[i].Received, st.Conns[i].Sent = 500, 41_200
	}
	d.answerProbe(a, st, monitor.ProcessState{})
	d.Want("clients", clientLines(p.clients), []string{
		"curl 7 2 conns ↓1.0 kB/s ↑82 kB/s", "unknown (user bob) 1 conn ↓500 B/s ↑41 kB/s", "10.0.0.9 1 conn ↓500 B/s ↑41 kB/s"})
	if p.clientsTitle.Text != "Connections (4)" || !p.queueBox.Visible() || p.queue.Segment.Text != "accept queue 1 of 511 · registered (1024–49151)" || len(p.spark.values) != 1 {
		t.Errorf("got title %q, queue %q, chart values %v", p.clientsTitle.Text, p.queue.Segment.Text, p.spark.values)
	}
	d.answerProbe(a, connection.State{}, monitor.ProcessState{}) // byte counts unknown
	d.Want("clients without connections", clientLines(p.clients), []string{"No clients"})
	if p.spark.raster.Visible() || p.queueBox.Visible() {
		t.Error("the chart or the accept queue is visible although it is unknown")
	}
	d.ShowProbe(probe.Result{At: d.At, Counts: map[string]int{}}) // connections cannot be read
	d.Want("clients after a probe without connections", clientLines(p.clients), []string{"No clients"})
}

// Without traffic the window must not be painted every second.
func TestNeedsRepaint(t *testing.T) {
	for _, c := range []struct {
		before, values []float64
		want           bool
	}{
		{nil, []float64{0}, true}, {[]float64{0}, []float64{0, 0}, true}, {[]float64{0, 0}, []float64{0, 0, 0}, false},
		{[]float64{0, 0}, []float64{0, 0, 1}, true}, {[]float64{0, 1}, []float64{1, 0}, true}, {[]float64{1, 0}, []float64{0, 0}, true},
		{[]float64{0, 1}, []float64{0, 1}, false}, {[]float64{0, 0}, nil, true},
	} {
		if got := needsRepaint(c.before, c.values); got != c.want {
			t.Errorf("needsRepaint(%v, %v) = %t, want %t", c.before, c.values, got, c.want)
		}
	}
}

// The newest value is at the right edge, the highest at the top.
func TestSparkDraw(t *testing.T) {
	newDesk(t) // for the theme
	s := newSpark()
	inked := func(img interface {
		At(x, y int) color.Color
	}, x0, x1, y0, y1 int) bool {
		for x := x0; x < x1; x++ {
			for y := y0; y < y1; y++ {
				if _, _, _, a := img.At(x, y).RGBA(); a > 0 {
					return true
				}
			}
		}
		return false
	}
	if inked(s.draw(100, 30), 0, 100, 0, 30) {
		t.Error("without values something is drawn, want nothing")
	}
	s.values = append(make([]float64, connection.HistoryLength/2-1), 1e6)
	img := s.draw(100, 30)
	if inked(img, 0, 45, 0, 30) || !inked(img, 55, 90, 26, 30) || inked(img, 55, 90, 0, 20) || !inked(img, 97, 100, 0, 4) {
		t.Error("half a minute of zeros and a final peak are drawn wrong")
	}
	for _, size := range [][2]int{{0, 0}, {1, 1}, {2, 4}, {3000, 2}, {5, 3000}} {
		s.draw(size[0], size[1])
	}
}

func TestBoxesStackInNarrowWindow(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.showSnapshot(a)
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	d.answerProbe(a, connection.State{Conns: []connection.Conn{uitest.Conn(1, 7, "curl", 0, 0)}}, monitor.ProcessState{})
	if at := p.clientsBox.Position(); at.X < 200 || at.Y != 0 {
		t.Errorf("wide window: got clients at %v, want them at the right", at)
	}
	p.window.Resize(fyne.NewSize(460, 640))
	if at := p.clientsBox.Position(); at.X != 0 || at.Y < 40 {
		t.Errorf("narrow window: got clients at %v, want them below", at)
	}
}

func TestProcessWindowExplainsPorts(t *testing.T) {
	d := newDesk(t)
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(9229, "node", 10, "::1")
	d.showSnapshot(a, b)
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	p.window.Resize(fyne.NewSize(760, 704))
	p.showExplanations()
	text := uitest.CopyableOver(p.window)
	if one, two, ok := strings.Cut(text, "\n\n"); !ok || !strings.Contains(one, "Port 3000 is a registered port") || !strings.Contains(two, "::1 is the IPv6 loopback address") {
		t.Errorf("got %q, want explanations of 3000 and ::1", text)
	}
	uitest.Press(p.window, fyne.KeyEscape)
	d.showSnapshot()
	p.showExplanations()
	if text := uitest.CopyableOver(p.window); !strings.HasSuffix(text, "Nothing listens there.") {
		t.Errorf("after the process exited: got %q", text)
	}
}

func TestProcessWindowSaysHowTheProcessEnded(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.showSnapshot(l)
	d.OpenProcess(l)
	for _, p := range d.processes {
		p.Update(monitor.Update{Events: []monitor.Event{
			{Kind: monitor.Closed, Listener: uitest.Listening(3001, "ruby", 11), Exit: monitor.ExitStatus(4)}, // another process
			{Kind: monitor.Closed, Listener: l, Exit: monitor.Exit{Signal: "SIGSEGV", CoreDumped: true}},
		}})
		d.ShowProbe(probe.Result{At: d.At, Processes: map[probe.ProcessID]monitor.ProcessState{probe.IDOf(p.owner): {Ended: true}}})
		if want := "Exited " + words.Moment(d.At, d.At) + ": it was killed by SIGSEGV (core dumped)"; p.status.Text != want {
			t.Errorf("got status %q, want %q", p.status.Text, want)
		}
		p.window.Close()
	}
}

func TestProcessWindowStaysOpenAfterListenersClose(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.showSnapshot(l)
	d.OpenProcess(l)
	d.showSnapshot()
	for _, p := range d.processes {
		wantStatus := func(want string) {
			t.Helper()
			if want += words.Moment(d.At, d.At); !p.status.Visible() || p.status.Text != want || p.listening.Text != "–" {
				t.Errorf("got status %q (visible %t), listening on %q, want %q and –", p.status.Text, p.status.Visible(), p.listening.Text, want)
			}
		}
		wantStatus("No longer listening since ")
		key := probe.IDOf(p.owner)
		if w := d.ProbeRequest(); len(w.Processes) != 1 || !w.Processes[0].Same(p.owner) {
			t.Errorf("got probe request %+v, want the process", w.Processes)
		}
		d.ShowProbe(probe.Result{At: d.At, Processes: map[probe.ProcessID]monitor.ProcessState{key: {}}})
		wantStatus("Still running, but not listening since ")
		d.At = d.At.Add(time.Hour)
		d.ShowProbe(probe.Result{At: d.At, Processes: map[probe.ProcessID]monitor.ProcessState{key: {Ended: true}}})
		wantStatus("Exited ")
		if w := d.ProbeRequest(); len(w.Processes) != 0 {
			t.Errorf("got probe request %+v for an exited process, want none", w.Processes)
		}
		p.window.Close()
	}
	if len(d.processes) != 0 {
		t.Error("a closed process window was not removed")
	}
}

func TestProcessWindowShowsWarnings(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].Parents = []monitor.Parent{{PID: 5, Name: "npm run dev", Command: []string{"npm run dev"}}, {PID: 4, Name: "zsh"}}
	d.showSnapshot(a)
	d.OpenProcess(a)
	p := d.processes[Key(a)]
	if len(p.warnings.Sentences) != 0 || p.warnings.Object.Visible() {
		t.Errorf("got warnings %q, want none", p.warnings.Sentences)
	}
	if want := "Started by npm run dev in zsh\nzsh (4, shell) › npm run dev (5, script) › node (10)"; p.ancestry.Text != want {
		t.Errorf("ancestry: got %q, want %q", p.ancestry.Text, want)
	}
	d.answerProbe(a, connection.State{QueueKnown: true, QueueLength: 3, QueueLimit: 2}, monitor.ProcessState{EndedParents: map[int]bool{4: true}, ProgramDeleted: true, Preload: "/tmp/x.so\n"})
	want := []string{
		"Orphaned: started by npm run dev, whose terminal has closed. Stop it if it is no longer needed.",
		"The accept queue is full (3 of 2), so new connections fail. The limit is usually net.core.somaxconn. Raise it, or restart the process if this persists.",
		"The program file was deleted or replaced after the process started. Restart it to run the current version.",
		"LD_PRELOAD loads extra code into the process (/tmp/x.so). Check that you trust this library.",
	}
	d.Want("process window", p.warnings.Sentences, want)
	if want := "zsh (4, shell, exited) › npm run dev (5, script) › node (10)"; p.ancestry.Text != want {
		t.Errorf("ancestry: got %q, want %q", p.ancestry.Text, want)
	}
	if len(p.warnings.Object.Objects) != len(want) {
		t.Errorf("got %d warning bars, want %d", len(p.warnings.Object.Objects), len(want))
	}
	d.answerProbe(a, connection.State{QueueKnown: true, QueueLimit: 2}, monitor.ProcessState{})
	if p.warnings.Object.Visible() {
		t.Error("warnings are still visible after their causes are gone")
	}
}

func TestProcessWindowWarnsOfAmbiguousLocalhost(t *testing.T) {
	d := newDesk(t)
	four, six := uitest.Listening(3000, "node", 10), uitest.Listening(3000, "deno", 20, "::1")
	other := uitest.Listening(3000, "caddy", 30, "127.0.0.2")
	d.showSnapshot(four, six)
	d.OpenProcess(four)
	if p := d.processes[Key(four)]; len(p.warnings.Sentences) != 1 || p.warnings.Sentences[0] != words.AmbiguousWarning() {
		t.Errorf("got warnings %q, want the one about localhost", p.warnings.Sentences)
	}
	d.showSnapshot(other, six)
	if p := d.processes[Key(four)]; len(p.warnings.Sentences) != 0 {
		t.Errorf("after it closed: got warnings %q, want none", p.warnings.Sentences)
	}
}

func TestProcessWindowNamesContainer(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(8080, "docker-proxy", 10)
	c := monitor.Container{ID: "0123456789abcdef", Name: "web", Image: "acme/web:1", Address: "172.17.0.2:80"}
	l.Container, l.Service, l.ServiceBy = &c, c.Description(), monitor.ByProgram
	d.showSnapshot(l)
	d.OpenProcess(l)
	if p := d.processes[Key(l)]; p.description.Segment.Text != "container web (image acme/web:1)" {
		t.Errorf("got %q, want the container and its image", p.description.Segment.Text)
	}
}

// A wide window has two columns; a narrow one has everything below each other.
func TestTwoColumns(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.showSnapshot(l)
	d.OpenProcess(l)
	p := d.processes[Key(l)]
	section := func(label string) fyne.Position {
		for _, text := range uitest.Texts(p.window.Content()) {
			if text.Text == label {
				return fyne.CurrentApp().Driver().AbsolutePositionForObject(text)
			}
		}
		t.Fatalf("there is no %q", label)
		return fyne.Position{}
	}
	for width, columns := range map[float32]int{760: 1, 1200: 2} {
		p.window.Resize(fyne.NewSize(width, 704))
		why, process := section("Why is it running?"), section("Process")
		beside := process.X > width/2 && process.Y == why.Y
		below := process.X == why.X && process.Y > why.Y
		if (columns == 2) != beside || (columns == 1) != below {
			t.Errorf("width %v: got %q at %v and %q at %v, want %d columns", width, "Why is it running?", why, "Process", process, columns)
		}
	}
}

// At 200 % on a screen of 1280 pixels the window can be 640 wide.
func TestLongTextsFitNarrowWindow(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	l.Service, l.Project = "Vite", "a-project-with-quite-a-long-name"
	l.Owners[0].Project, l.Owners[0].Branch = l.Project, "feature/checkout-with-three-steps-and-every-payment-provider"
	d.showSnapshot(l)
	d.OpenProcess(l)
	if got := d.processes[Key(l)].window.Content().MinSize().Width; got > 640 {
		t.Errorf("got minimum width %v, want at most 640", got)
	}
}

func TestTooltipOfCutClient(t *testing.T) {
	list := widgets.NewClientList(true)
	const name = "a-client-with-a-name-that-does-not-fit 4711"
	list.Show([][4]string{{name, "1 conn", "", ""}, {"curl 12", "1 conn", "", ""}})
	list.Object.Resize(fyne.NewSize(300, 40))
	list.Object.Layout.Layout(list.Object.Objects, list.Object.Size())
	for y, want := range map[float32]string{5: name, 25: "", 45: ""} {
		if got := list.CutAt(fyne.NewPos(10, y)); got != want {
			t.Errorf("at %v: got %q, want %q", y, got, want)
		}
	}
}

// The folder of a process in another mount namespace is another folder here.
func TestFolderInAnotherMountNamespace(t *testing.T) {
	p := newTestWindow(t, "Vite", monitor.ByCommand, "", "")
	p.owner.Folder, p.owner.Inside, p.owner.ProjectUnknown = "/app", true, monitor.UnknownDisk
	for _, o := range p.buttons().(*fyne.Container).Objects {
		if b := o.(*widgets.Button); b.Text == "Open folder" && (!b.Disabled() || !strings.Contains(b.Tip, "mount namespace")) {
			t.Errorf("Open folder is enabled: %t, its tip is %q; want it disabled, and the reason", !b.Disabled(), b.Tip)
		}
	}
	var facts []string
	for _, o := range p.factList().(*fyne.Container).Objects {
		if text, ok := o.(*widgets.CopyText); ok {
			facts = append(facts, text.Text)
		}
	}
	for _, want := range []string{"/app (inside its container or mount namespace)", "unknown: the disk with its folder does not answer"} {
		if !slices.Contains(facts, want) {
			t.Errorf("got facts %q, want %q among them", facts, want)
		}
	}
}
