package pictures

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"porthole/monitor"
	"porthole/monitor/connection"
	"porthole/monitor/history"
	"porthole/monitor/watch"
	"porthole/ui/probe"
	"porthole/ui/uitest"
)

// workday is the machine of a developer, ada, as the pictures in the documentation show it: several
// projects and worktrees, system services and containers. It is a typical case;
// uitest.SampleListeners has the edge cases.
type workday struct {
	At        time.Time
	Listeners []*monitor.Listener
	Selected  *monitor.Listener // the watched server on port 62893
	Exposed   *monitor.Listener // a development server that listens on every address
	Watches   watch.Rules
	History   *uitest.FakeHistory
}

// server describes a listener of one of ada's projects.
type server struct {
	port      uint16
	pid       int
	command   []string
	addresses []string // default: 127.0.0.1
	project   string
	branch    string
	service   string
	up        time.Duration
	parents   []monitor.Parent // nearest first
}

// newWorkday returns the workday, as it is at 15:53 UTC.
func newWorkday() *workday {
	w := &workday{At: time.Date(2026, 11, 24, 15, 53, 0, 0, time.UTC)}
	terminal := []monitor.Parent{{PID: 3120, Name: "zsh"}, {PID: 2874, Name: "gnome-terminal-server"}, {PID: 1911, Name: "systemd", Command: []string{"/usr/lib/systemd/systemd", "--user"}}, {PID: 1, Name: "systemd"}}
	npm := append([]monitor.Parent{{PID: 48077, Name: "npm", Command: []string{"npm", "run", "dev"}}}, terminal...)
	editor := []monitor.Parent{{PID: 4410, Name: "zsh"}, {PID: 4022, Name: "code"}, {PID: 1911, Name: "systemd", Command: []string{"/usr/lib/systemd/systemd", "--user"}}, {PID: 1, Name: "systemd"}}
	other := []monitor.Parent{{PID: 49870, Name: "bash"}, {PID: 49802, Name: "konsole"}, {PID: 1911, Name: "systemd", Command: []string{"/usr/lib/systemd/systemd", "--user"}}, {PID: 1, Name: "systemd"}}
	both := []string{"127.0.0.1", "::1"}
	w.Listeners = []*monitor.Listener{
		w.unit(22, "root", "ssh.service", "OpenSSH", "0.0.0.0", "::"),
		w.unit(631, "root", "cups.service", "CUPS", "127.0.0.1", "::1"),
		w.published(5432, "shop-db-1", "postgres:17", "172.18.0.2:5432"),
		w.published(6379, "shop-cache-1", "redis:7", "172.18.0.3:6379"),
		w.published(8025, "shop-mail-1", "axllent/mailpit", "172.18.0.4:8025"),
	}
	for _, s := range []server{
		{3000, 48101, []string{"node", "src/server.js"}, nil, "shop-api", "main", "", 2 * time.Hour, npm},
		{3001, 51377, []string{"node", "src/server.js", "--port", "3001"}, nil, "shop-api-returns", "feature/returns", "", 18 * time.Minute, editor},
		{4321, 47210, []string{"node", "node_modules/.bin/astro", "dev"}, nil, "handbook", "main", "Astro", 3 * time.Hour, npm},
		{5173, 48199, []string{"node", "node_modules/.bin/vite"}, both, "shop-web", "main", "Vite", 2 * time.Hour, npm},
		{8000, 50121, []string{"python3", "manage.py", "runserver", "0.0.0.0:8000"}, []string{"0.0.0.0"}, "timesheet", "main", "Django", 47 * time.Minute, other},
		{8080, 50999, []string{"java", "-jar", "build/libs/warehouse.jar"}, nil, "warehouse", "main", "Spring Boot", 5 * time.Hour, terminal},
		{8888, 46003, []string{"python3", "-m", "jupyter", "lab"}, nil, "forecast", "main", "Jupyter", 4 * time.Hour, terminal},
		{9229, 48101, []string{"node", "src/server.js"}, nil, "shop-api", "main", "Node.js inspector", 2 * time.Hour, npm},
		{62893, 52744, []string{"python3", "-m", "uvicorn", "payments.app:app", "--port", "62893", "--api-key", "rk-2f7c91"}, both, "payments", "feature/refunds", "Uvicorn", 12 * time.Minute, editor},
	} {
		w.Listeners = append(w.Listeners, w.listener(s))
	}
	for _, l := range w.Listeners {
		switch l.Port {
		case 62893:
			w.Selected = l
		case 8000:
			w.Exposed = l
		}
	}
	vite, _ := watch.ParsePattern("vite")
	w.Watches = append(watch.Default(),
		watch.Rule{Name: "Shop API", Ports: monitor.Ports{{First: 3000, Last: 3001}}},
		watch.Rule{Name: "Database", Ports: monitor.Ports{{First: 5432, Last: 5432}}, NotifyOn: watch.OnClose},
		watch.Rule{Name: "Vite", Match: vite, Off: true})
	w.History = &uitest.FakeHistory{Past: w.events()}
	return w
}

func (w *workday) listener(s server) *monitor.Listener {
	l := uitest.Listening(s.port, s.command[0], s.pid, s.addresses...)
	l.Project, l.Service, l.Since = s.project, s.service, w.At.Add(-s.up)
	if s.service != "" {
		l.ServiceBy = monitor.ByCommand
	}
	o := &l.Owners[0]
	o.Command, o.StartedAt, o.Parents, o.Program = s.command, l.Since.Add(-2*time.Second), s.parents, "/usr/bin/"+s.command[0]
	o.Project, o.Branch, o.Folder = s.project, s.branch, "/home/ada/src/"+s.project
	return l
}

// published returns the listener of docker-proxy for a published port of a container.
func (w *workday) published(port uint16, name, image, inside string) *monitor.Listener {
	l := uitest.Listening(port, "", 0)
	l.User, l.Since = "root", w.At.Add(-6*time.Hour)
	l.Container = &monitor.Container{Name: name, Image: image, Address: inside, Published: true}
	return l
}

// unit returns the listener of a systemd unit of another user.
func (w *workday) unit(port uint16, user, name, service string, addresses ...string) *monitor.Listener {
	l := uitest.Listening(port, "", 0, addresses...)
	l.User, l.Unit, l.Since = user, name, w.At.Add(-31*time.Hour)
	l.Service, l.ServiceBy = service, monitor.ByPort
	return l
}

// events returns the events of yesterday and today, oldest first: servers that opened and closed
// several times.
func (w *workday) events() []history.Event {
	var all []history.Event
	const h, m = time.Hour, time.Minute
	for _, x := range []struct {
		port           uint16
		opened, closed time.Duration // durations before now; closed 0: still open
	}{
		{5432, 30 * h, 24*h + 9*m}, {3000, 29*h + 10*m, 25 * h}, {5173, 29 * h, 23*h + 40*m}, {8080, 27 * h, 23 * h},
		{5432, 6 * h, 0}, {6379, 6 * h, 0}, {8025, 6 * h, 0}, {3000, 5*h + 20*m, 3*h + 5*m}, {8080, 5 * h, 0}, {8888, 4 * h, 0},
		{62893, 3*h + 30*m, 3 * h}, {4321, 3 * h, 0}, {3000, 2*h + 40*m, 2*h + 2*m}, {62893, 2*h + 20*m, 96 * m}, {3000, 2 * h, 0}, {5173, 2 * h, 0},
		{62893, 80 * m, 31 * m}, {8000, 47 * m, 0}, {62893, 29 * m, 13 * m}, {3001, 18 * m, 0}, {62893, 12 * m, 0},
	} {
		i := slices.IndexFunc(w.Listeners, func(l *monitor.Listener) bool { return l.Port == x.port })
		l := w.Listeners[i]
		offset := time.Duration(x.port%53) * time.Second // avoids events on the full minute
		e := history.Event{At: w.At.Add(offset - x.opened), Kind: monitor.Opened, Port: l.Port, Addresses: l.Addresses, Exposure: l.Exposure, Listener: fmt.Sprint(l.ID, x.opened)}
		if o, ok := l.Principal(); ok {
			e.Owner = history.Owner{PID: o.PID, Name: o.Name, User: o.User, Project: o.Project, Service: l.Service, Program: o.Program, Folder: o.Folder, Command: monitor.MaskCommand(o.Command)}
			if x.closed > 0 {
				e.Owner.PID -= int(x.opened / m) // an earlier process
			}
		} else if l.Container != nil {
			e.Owner = history.Owner{User: l.User, Container: l.Container.Name}
		}
		all = append(all, e)
		if x.closed > 0 {
			e.Kind, e.OpenedAt, e.Duration = monitor.Closed, e.At, x.opened-x.closed
			e.At = e.At.Add(e.Duration)
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b history.Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Port, b.Port)) })
	for i := range all {
		all[i].ID = int64(i + 1)
	}
	return all
}

// probe returns the result of the nth probe: the clients of the watched server, with more bytes
// each time, and the resources of its process.
func (w *workday) probe(n int) probe.Result {
	r := probe.Result{At: w.At.Add(time.Duration(2*n) * time.Second), Counts: map[string]int{}, States: map[string]connection.State{}, Processes: map[probe.ProcessID]monitor.ProcessState{}}
	for _, l := range w.Listeners {
		r.Counts[l.ID] = map[uint16]int{3000: 2, 3001: 1, 5173: 4, 5432: 6, 6379: 3, 8000: 1, 8888: 2, 62893: 3}[l.Port]
	}
	total := func(base, change int) (sum uint64) { // the sum of rates that go up and down
		for i := range n {
			sum += uint64(base + change*(i*i*13%31)/5)
		}
		return sum
	}
	conn := func(id monitor.SocketID, from string, pid int, name string, received, sent uint64) connection.Conn {
		return connection.Conn{ID: id, Local: netip.MustParseAddrPort("127.0.0.1:62893"), Remote: netip.MustParseAddrPort(from), User: "ada",
			Client: connection.Client{PID: pid, Name: name}, Received: received, Sent: sent}
	}
	r.States[w.Selected.ID] = connection.State{BytesKnown: true, QueueKnown: true, QueueLimit: 2048, Conns: []connection.Conn{
		conn(1, "127.0.0.1:50312", 6120, "firefox", total(1900, 300), total(30_000, 9_000)),
		conn(2, "127.0.0.1:50340", 48101, "node", total(620, 40), total(3_400, 900)),
		conn(3, "127.0.0.1:50388", 53011, "curl", total(240, 0), total(900, 0)),
	}}
	phone := conn(4, "192.168.178.41:51844", 0, "", total(300, 20), total(2_400, 600))
	phone.User, phone.Local = "", netip.MustParseAddrPort("192.168.178.20:8000")
	r.States[w.Exposed.ID] = connection.State{BytesKnown: true, QueueKnown: true, QueueLimit: 10, Conns: []connection.Conn{phone}}
	for _, l := range []*monitor.Listener{w.Selected, w.Exposed} {
		o, _ := l.Principal()
		p := monitor.ProcessState{Resources: monitor.Resources{
			Threads: 9, Memory: 74 << 20, CPU: 3900*time.Millisecond + time.Duration(n)*40*time.Millisecond}}
		if l == w.Exposed { // its terminal was closed
			p.EndedParents = map[int]bool{o.Parents[0].PID: true, o.Parents[1].PID: true}
		}
		r.Processes[probe.IDOf(o)] = p
	}
	return r
}
