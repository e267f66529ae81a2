package ui

import (
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"porthole/monitor"
	"porthole/monitor/history"
	"porthole/ui/probe"
	uitheme "porthole/ui/theme"
	"porthole/ui/uitest"
	"porthole/ui/widgets"
)

// storyOf returns the window of one process that listens on 62893.
func storyOf(t *testing.T, service string, by monitor.ServiceBy, project, branch string) *processWindow {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(uitheme.Theme{})
	now := time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)
	l := &monitor.Listener{ID: "1", Protocol: monitor.TCP, Port: 62893, Service: service, ServiceBy: by,
		Owners: []monitor.Owner{{PID: 47733, Start: 1, Name: "node", User: "you", Project: project, Branch: branch,
			StartedAt: now.Add(-12 * time.Minute), Command: []string{"node", "node_modules/.bin/vite"}}},
		Sockets: []monitor.HeldSocket{{Socket: monitor.Socket{Address: netip.MustParseAddr("127.0.0.1")}, Owners: []int{47733}}}}
	p := newProcessWindow(app, l, monitor.Snapshot{Listeners: []*monitor.Listener{l}}, &desk{}, nil, func() processContext { return processContext{User: "you"} }, func() time.Time { return now })
	t.Cleanup(p.window.Close)
	return p
}

func TestTheProcessWindowSaysWhatItIs(t *testing.T) {
	for _, c := range []struct {
		service         string
		by              monitor.ServiceBy
		project, branch string
		want            string
	}{
		{"Vite", monitor.ByCommand, "acme-web", "main", "Vite of acme-web (git: main)"},
		{"Vite", monitor.ByCommand, "acme-web", "", "Vite of acme-web"},
		{"Redis", monitor.ByProgram, "", "main", "Redis"},
		{"hbci", monitor.ByPort, "acme-web", "main", "acme-web (git: main)"}, // the port alone is a guess
		{"hbci", monitor.ByPort, "", "", ""},
		{"", "", "a\u202eb\n", "x\x1b[31m", "a b (git: x [31m)"},
	} {
		p := storyOf(t, c.service, c.by, c.project, c.branch)
		if p.what.Text != c.want || p.what.Visible() != (c.want != "") {
			t.Errorf("%+v: %q, shown %v", c, p.what.Text, p.what.Visible())
		}
	}
}

func TestTheProcessWindowSaysHowSureItIsOfTheService(t *testing.T) {
	for by, want := range map[monitor.ServiceBy]string{
		monitor.ByProgram: "Vite (by its program)", monitor.ByCommand: "Vite (by its command)", monitor.ByPort: "Vite (only usual for this port)",
	} {
		p, said := storyOf(t, "Vite", by, "", ""), false
		uitest.EachVisible(p.window.Content(), func(o fyne.CanvasObject) {
			if text, ok := o.(*widgets.CopyText); ok && text.Text == want {
				said = true
			}
		})
		if !said {
			t.Errorf("the window does not say %q", want)
		}
	}
}

// A long command is shown whole, and its last secret masked until it is asked for.
func TestALongCommandIsShownWhole(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(8080, "java", 10)
	l.Owners[0].Command = []string{"java", "-cp", strings.Repeat("/opt/lib/library.jar:", 700), "--password=geheim"}
	d.see(l)
	d.OpenProcess(l)
	p := d.processes[processKey(l)]
	end := func() string { return p.command.Text[len(p.command.Text)-20:] }
	if got := end(); !strings.HasSuffix(got, "--password=•••") || len(p.command.Text) < 14_000 {
		t.Errorf("of a long command %d letters are shown, at the end %q", len(p.command.Text), got)
	}
	buttonOf(p, "Show secrets").OnTapped()
	if got := end(); !strings.HasSuffix(got, "--password=geheim") {
		t.Errorf("with its secrets it ends in %q", got)
	}
}

func TestTheProcessWindowOffersWhatCanBeDone(t *testing.T) {
	p := storyOf(t, "Vite", monitor.ByCommand, "acme-web", "main")
	d := p.actions.(*desk)
	labels := func(rows ...*monitor.Listener) (all []string) {
		buttons := p.buttons().(*fyne.Container).Objects
		p.update(monitor.Snapshot{Listeners: rows})
		for _, o := range buttons {
			if b := o.(*widgets.Button); b.Visible() {
				all = append(all, b.Text)
				b.OnTapped()
			}
		}
		return all
	}
	p.row.Addresses = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	d.T = t
	d.Want("buttons", labels(p.row), []string{"Open in browser", "Copy URL", "Copy command", "Explain", "Inspect traffic", "Show environment"}) // its folder is not known
	d.Want("asked", d.Asked, []string{"browse 127.0.0.1:62893", "copy the URL of 127.0.0.1:62893", "copy node node_modules/.bin/vite", "inspect 62893", "environment of 47733"})
	p.row.Protocol, p.owner.Folder, p.owner.Command, d.Asked = monitor.UDP, "/src", nil, nil
	d.Want("buttons of UDP", labels(p.row), []string{"Open folder", "Explain", "Inspect traffic", "Show environment"})
	d.Want("asked", d.Asked, []string{"folder /src", "inspect 62893"})
	p.row.Protocol = monitor.TCP
	d.Want("buttons when it listens no more", labels(), []string{"Open folder", "Explain", "Inspect traffic", "Show environment"})
	d.Want("buttons when it listens again", labels(p.row)[:2], []string{"Open in browser", "Copy URL"})
}

// What a process uses is told anew at each look, and moves nothing.
func TestTheProcessWindowSaysWhatItUses(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.see(a)
	d.OpenProcess(a)
	p := d.processes[processKey(a)]
	if p.resources.Text != "–" {
		t.Errorf("before a look it says %q", p.resources.Text)
	}
	look := func(after time.Duration, u monitor.Resources) string {
		d.At = d.At.Add(after)
		d.ShowProbe(probe.Result{At: d.At, Processes: map[probe.ProcessID]monitor.ProcessState{{PID: 10, Start: 7}: {Resources: u}}})
		return p.resources.Text
	}
	for _, step := range []struct {
		after time.Duration
		used  monitor.Resources
		want  string
	}{
		{time.Second, monitor.Resources{Threads: 12, Memory: 48_200_000, CPU: time.Minute}, "12 threads · 48 MB of memory"},
		{100 * time.Millisecond, monitor.Resources{Threads: 12, Memory: 48_200_000, CPU: time.Minute + 10*time.Millisecond}, "12 threads · 48 MB of memory"},
		{1900 * time.Millisecond, monitor.Resources{Threads: 1, Memory: 812_000, CPU: time.Minute + 60*time.Millisecond}, "1 thread · 812 kB of memory · 3 % of a core"},
		{time.Second, monitor.Resources{Threads: 1, Memory: 1_240_000_000, CPU: time.Minute + 3060*time.Millisecond}, "1 thread · 1.2 GB of memory · 300 % of a core"},
		{2 * time.Second, monitor.Resources{Threads: 1, Memory: 1000, CPU: time.Minute + 3070*time.Millisecond}, "1 thread · 1 kB of memory · less than 1 % of a core"},
		{time.Second, monitor.Resources{Threads: 1, CPU: time.Minute + 3070*time.Millisecond}, "1 thread · 0 % of a core"},
		{time.Second, monitor.Resources{}, "–"}, // it has ended
	} {
		before := p.body.MinSize()
		if got := look(step.after, step.used); got != step.want || p.body.MinSize() != before {
			t.Errorf("%+v: %q, from %v to %v; want %q in the same place", step.used, got, before, p.body.MinSize(), step.want)
		}
	}
	d.Disconnect()
	if got := look(time.Second, monitor.Resources{Threads: 3}); got != "–" {
		t.Errorf("when nobody watches: %q", got)
	}
}

func TestSecretsAreShownWhereTheyAreAskedFor(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	a.Owners[0].Command = []string{"node", "--token=hunter2", "x\x1b[31m"}
	d.see(a, uitest.Listening(4000, "node", 11))
	d.OpenProcess(a)
	p := d.processes[processKey(a)]
	press := func(label string) {
		t.Helper()
		b := buttonOf(p, label)
		if b == nil {
			t.Fatalf("there is no button %q", label)
		}
		b.OnTapped()
	}
	if p.command.Text != "node --token=••• x [31m" {
		t.Errorf("at first %q", p.command.Text)
	}
	press("Show secrets")
	if p.command.Text != "node --token=hunter2 x [31m" {
		t.Errorf("asked for: %q", p.command.Text)
	}
	press("Copy command")
	d.Want("copied", d.Asked, []string{"copy node --token=••• x [31m"})
	press("Hide secrets")
	if p.command.Text != "node --token=••• x [31m" {
		t.Errorf("hidden again: %q", p.command.Text)
	}
	other := d.Last.Listeners[1]
	d.OpenProcess(other)
	if buttonOf(d.processes[processKey(other)], "Show secrets") != nil {
		t.Error("where there are no secrets it offers to show them")
	}
}

func TestTheEnvironmentIsShownWhereItIsAskedFor(t *testing.T) {
	d := newDesk(t)
	d.SetStatus(Status{User: "ada"})
	a, b := uitest.Listening(3000, "node", 10), uitest.Listening(4000, "node", 11)
	b.Owners[0].User = "bob"
	d.see(a, b)
	d.OpenProcess(b)
	if buttonOf(d.processes[processKey(b)], "Show environment") != nil {
		t.Error("it offers another user's environment")
	}
	d.OpenProcess(a)
	p := d.processes[processKey(a)]
	box, low := p.environment, p.body.MinSize().Height
	button := buttonOf(p, "Show environment")
	button.OnTapped()
	d.Want("asked", d.Asked, []string{"environment of 10"})
	if box.object.Visible() {
		t.Error("it is shown before it is known")
	}
	d.AnswerEnvironment([]string{"A=1", "API_TOKEN=•••"}, "")
	if box.text.Text != "A=1\nAPI_TOKEN=•••" || !box.object.Visible() || button.Text != "Hide environment" || p.body.MinSize().Height < low+environmentHeight {
		t.Errorf("%q, visible %v, button %q, height %v after %v", box.text.Text, box.object.Visible(), button.Text, p.body.MinSize().Height, low)
	}
	button.OnTapped()
	if box.text.Text != "" || box.object.Visible() || p.body.MinSize().Height != low {
		t.Errorf("hidden: %q, visible %v, height %v; want %v", box.text.Text, box.object.Visible(), p.body.MinSize().Height, low)
	}
	button.OnTapped()
	button.OnTapped()
	d.AnswerEnvironment([]string{"A=1"}, "")
	if box.text.Text != "" || box.object.Visible() {
		t.Error("an answer that comes late is shown")
	}
	button.OnTapped()
	d.AnswerEnvironment(nil, "It has ended")
	if box.text.Text != "It has ended" {
		t.Errorf("a problem: %q", box.text.Text)
	}
}

// A process with hundreds of listeners has some listed, first the one that was asked
// for, which is the one that the buttons are about.
func TestAProcessWindowIsAboutTheListenerThatWasOpened(t *testing.T) {
	d := newDesk(t)
	var all []*monitor.Listener
	for port := range uint16(300) {
		all = append(all, uitest.Listening(3000+port, "node", 10))
	}
	d.see(all...)
	d.OpenProcess(all[100])
	p := d.processes["10 7"]
	lines := strings.Split(p.listening.Text, "\n")
	if len(lines) != maxAddresses+1 || !strings.HasPrefix(lines[0], "127.0.0.1:3100 ") || !strings.HasPrefix(lines[1], "127.0.0.1:3000 ") || lines[maxAddresses] != "… and 280 more" {
		t.Errorf("it lists %q", lines)
	}
	buttonOf(p, "Open in browser").OnTapped()
	d.Want("asked", d.Asked, []string{"browse 127.0.0.1:3100"})
	d.see(all[:100]...)
	buttonOf(p, "Open in browser").OnTapped()
	d.Want("asked", d.Asked, []string{"browse 127.0.0.1:3100", "browse 127.0.0.1:3099"})
}

// On a small screen the window is smaller than its story: keys scroll it, and the
// button that has the keyboard is seen.
func TestAProcessWindowFitsTheScreenAndScrolls(t *testing.T) {
	d := newDesk(t)
	d.FitScreen = func(s fyne.Size) fyne.Size { return s.Min(fyne.NewSize(640, 300)) }
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	d.OpenProcess(l)
	p := d.processes["10 7"]
	canvas := p.window.Canvas()
	if canvas.Size().Height > 300 {
		t.Fatalf("the window is %v high", canvas.Size().Height)
	}
	uitest.Press(p.window, fyne.KeyPageDown)
	down := p.scroll.Offset.Y
	uitest.Press(p.window, fyne.KeyUp)
	if down == 0 || p.scroll.Offset.Y >= down {
		t.Errorf("PageDown scrolls to %v, Up to %v", down, p.scroll.Offset.Y)
	}
	p.scroll.ScrollToTop()
	for range p.keyButtons {
		canvas.FocusNext()
		b, ok := canvas.Focused().(*widgets.Button)
		if !ok {
			t.Fatalf("%T has the keyboard", canvas.Focused())
		}
		top := fyne.CurrentApp().Driver().AbsolutePositionForObject(b).Y
		if top < 0 || top+b.Size().Height > canvas.Size().Height {
			t.Errorf("%q has the keyboard at %v to %v of %v", b.Text, top, top+b.Size().Height, canvas.Size().Height)
		}
	}
}

// What is answered after the window has closed would build its parts anew.
func TestAClosedProcessWindowTakesNoAnswers(t *testing.T) {
	m := &uitest.FakeHistory{Past: []history.Event{uitest.Event(1, 20*time.Hour, monitor.Closed, 3000, "python3", "api")}}
	d := deskWith(t, m)
	d.SetStatus(Status{User: "ada"})
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	d.OpenProcess(l)
	p := d.processes[processKey(l)]
	buttonOf(p, "Show environment").OnTapped()
	p.window.Close()
	m.Answer()
	d.AnswerEnvironment([]string{"A=1"}, "")
	if p.pastOwners.Text != "" || p.environment.text.Text != "" {
		t.Errorf("it shows %q and %q", p.pastOwners.Text, p.environment.text.Text)
	}
}

// buttonOf is the button of p with that label; nil where there is none.
func buttonOf(p *processWindow, label string) *widgets.Button {
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

// What did not work is said where it was asked for, and not for ever.
func TestTheProcessWindowSaysWhatDidNotWork(t *testing.T) {
	d := newDesk(t)
	a := uitest.Listening(3000, "node", 10)
	d.see(a)
	d.OpenProcess(a)
	p := d.processes[processKey(a)]
	low := p.body.MinSize().Height
	d.ShowNotice("Wireshark is not installed")
	if p.notice.Segment.Text != "Wireshark is not installed" || !p.notice.Object.Visible() {
		t.Errorf("it says %q, visible %v", p.notice.Segment.Text, p.notice.Object.Visible())
	}
	d.At = d.At.Add(widgets.NoticeTime)
	d.Tick()
	if p.notice.Object.Visible() || p.body.MinSize().Height != low {
		t.Error("it is said for ever")
	}
}

// Process windows that were closed are forgotten, and end what they began. Their
// memory is measured by make cost: Fyne's software driver keeps every widget.
func TestProcessWindowsLeaveNothingBehind(t *testing.T) {
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	before, wanted := runtime.NumGoroutine(), len(d.ProbeRequest().Processes)
	for range 200 {
		d.OpenProcess(l)
		d.Tick()
		d.processes["10 7"].window.Close()
	}
	if len(d.processes) != 0 {
		t.Errorf("%d process windows are open", len(d.processes))
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	if got := len(d.ProbeRequest().Processes); got != wanted {
		t.Errorf("%d processes are looked at; want %d, as before", got, wanted)
	}
}

// Nothing of ours may hold a closed process window: what it showed would stay for
// as long as the window of the program is open. Fyne reads when it starts how long
// its caches keep what is not shown any more, hence a process of its own.
func TestAClosedProcessWindowIsGivenBack(t *testing.T) {
	if os.Getenv("FYNE_CACHE") == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), "FYNE_CACHE=20ms")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	d := newDesk(t)
	l := uitest.Listening(3000, "node", 10)
	d.see(l)
	var closed []weak.Pointer[processWindow]
	for range 20 {
		d.OpenProcess(l)
		d.Tick()
		p := d.processes[processKey(l)]
		p.window.Canvas().Capture()
		closed = append(closed, weak.Make(p))
		p.window.Close()
	}
	kept := func() (n int) {
		d.window.Canvas().Capture() // Fyne looks through its caches where it paints, every ten seconds
		runtime.GC()
		for _, p := range closed {
			if p.Value() != nil {
				n++
			}
		}
		return n
	}
	for range 50 {
		if kept() == 0 {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.Errorf("%d of %d closed process windows are still held", kept(), len(closed))
}
