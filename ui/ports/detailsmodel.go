package ports

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/ancestry"
	"porthole/monitor/connection"
	"porthole/monitor/explain"
	"porthole/monitor/inuse"
	"porthole/monitor/orphan"
	"porthole/monitor/service"
	"porthole/ui/words"
)

// detailsModel is the content of the details pane: the selected listener as text.
type detailsModel struct {
	id               string // ID of the listener
	name, pid, about string
	ambiguity        string
	warnings         []string
	facts            [][2]string // label and value
	chain            string
	explanation      string // "" if collapsed
	address          string // address to open in a browser; "" if there is none
	folder           string
	folderProblem    string // why folder cannot be opened
	stop             bool   // show the Stop button
	web              bool   // it is known to speak HTTP
	ask              string // label of the link that asks what answers; "" if that is not possible
	closed           bool
}

// close marks the listener as closed. Its facts stay, but actions that need an open listener
// disappear. a is what is known about its port now.
func (m *detailsModel) close(a inuse.Answer, s explain.System) {
	m.closed, m.about = true, lang.L("closed")
	m.address, m.ambiguity, m.warnings = "", "", nil
	m.facts = slices.DeleteFunc(m.facts, func(f [2]string) bool { return f[0] == lang.L("Exposure") || f[0] == lang.L("Firewall") })
	if a.State() != inuse.Unknown {
		now := strings.TrimSpace(words.Sentence(a.Headline()) + " " + words.Uses(a, s))
		m.facts = slices.Insert(m.facts, 0, [2]string{lang.L("Port now"), now})
	}
}

// newDetails returns the details of l. ambiguous means that another process has the other loopback
// address of the port. live is the state of the process from the last probe.
func newDetails(l *monitor.Listener, ambiguous bool, live monitor.ProcessState, now time.Time) detailsModel {
	m := detailsModel{id: l.ID}
	o, known := l.Principal()
	why := ancestry.Explain(o, l.CgroupInfo, live)
	m.warnings = words.Warnings(l, o, why, live)
	m.name = words.OwnerName(l, o)
	if known {
		m.pid = words.PID(o.PID)
	}
	m.about = words.Description(l, o)
	if ambiguous {
		m.ambiguity = words.AmbiguousWarning()
	}
	add := func(label, value string) {
		if value != "" {
			m.facts = append(m.facts, [2]string{label, value})
		}
	}
	var addresses []string
	for _, s := range l.Sockets {
		if text := words.AddressPort(s, l.Port); !slices.Contains(addresses, text) {
			addresses = append(addresses, text)
		}
	}
	add(lang.L("Label"), l.Label)
	add(lang.L("Note"), l.Note)
	add(lang.L("Listening"), strings.Join(addresses, "\n"))
	add(lang.L("Exposure"), words.Exposure(l))
	add(lang.L("Firewall"), words.Firewall(live.Firewall))
	add(lang.L("Port range"), words.PortRange(l.Port))
	if known {
		add(lang.L("Command"), monitor.Clean(words.Command(o), 240))
		add(lang.L("Folder"), words.Path(o.Folder, 200, o))
		if o.ProjectUnknown != "" {
			add(lang.L("Project"), words.Project(o))
		}
		if o.UserUnknown != "" {
			add(lang.L("User"), words.User(o.User, o.UserUnknown))
		}
		add(lang.L("Started"), startedText(o, now))
		m.chain, m.folder, m.folderProblem = ancestryText(l, o, why, live, now), o.Folder, words.FolderProblem(o)
	} else {
		add(lang.L("User"), words.User(l.User, l.UserUnknown))
		add(lang.L("Owner"), lang.L(l.OwnerUnknown))
		add(lang.L("Unit"), monitor.Clean(l.Unit, 200))
		m.chain = words.UnitSentence(why)
	}
	add(lang.L("Container"), words.ContainerDetails(l))
	if l.Protocol == monitor.TCP && l.AcceptsLoopback() {
		m.address, m.web = words.ClientAddress(l), service.SpeaksHTTP(l)
	}
	return m
}

// startedText says when o was started and how long ago; "" if that is unknown.
func startedText(o monitor.Owner, now time.Time) string {
	if o.StartedAt.IsZero() {
		return ""
	}
	return lang.L("{{.When}} ({{.Ago}} ago)", map[string]any{"When": words.MomentAs(o.StartedAt, now, "15:04"), "Ago": words.Duration(now.Sub(o.StartedAt))})
}

// ancestryText returns why o runs and, if it may be orphaned, the evidence.
func ancestryText(l *monitor.Listener, o monitor.Owner, why ancestry.Explanation, live monitor.ProcessState, now time.Time) string {
	text := words.Ancestry(why, false)
	if f, ok := orphan.Judge(l, o, why, live, now); ok && words.Orphan(f) != "" {
		text += "\n" + words.Orphan(f)
	}
	return text
}

// addTotals adds the count of the listener's connections if it is known.
func (m *detailsModel) addTotals(totals map[string]connection.Totals, now time.Time) {
	if t, ok := totals[m.id]; ok {
		m.facts = append(m.facts, [2]string{lang.L("Connections"), words.Totals(t, now)})
		if len(t.Clients) > 0 {
			m.facts = append(m.facts, [2]string{lang.L("Last hour"), words.Visitors(t.Clients, now)})
		}
	}
}

func (m detailsModel) withoutFacts() detailsModel {
	m.facts = nil
	return m
}

// bars returns the warnings to show, including the ambiguity.
func (m detailsModel) bars() []string {
	if m.ambiguity == "" {
		return m.warnings
	}
	return append([]string{m.ambiguity}, m.warnings...)
}
