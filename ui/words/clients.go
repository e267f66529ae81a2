package words

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"porthole/monitor"
	"porthole/monitor/connection"
)

// clientRow is one client with all its connections.
type clientRow struct {
	name  string
	order int // processes first, then unknown local ones, then other machines
	pid   int
	count int
	rate  connection.Rate
}

// clientRows groups connections by client.
func clientRows(all []connection.Conn, meter *connection.Meter) []clientRow {
	var rows []clientRow
	at := map[string]int{}
	for _, p := range all {
		r := clientOf(p)
		i, ok := at[r.name]
		if !ok {
			i = len(rows)
			at[r.name], rows = i, append(rows, r)
		}
		rate := meter.Rate(p.ID)
		rows[i].count++
		rows[i].rate.Received += rate.Received
		rows[i].rate.Sent += rate.Sent
	}
	slices.SortStableFunc(rows, func(a, b clientRow) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.pid, b.pid), cmp.Compare(a.name, b.name))
	})
	return rows
}

// clientOf names the client of a connection: its process, its user or its address.
func clientOf(p connection.Conn) clientRow {
	switch name := monitor.Clean(p.Client.Name, 40); {
	case p.Client.PID != 0 && name == "":
		return clientRow{name: lang.L("process {{.PID}}", map[string]any{"PID": p.Client.PID}), pid: p.Client.PID}
	case p.Client.PID != 0:
		return clientRow{name: name + " " + strconv.Itoa(p.Client.PID), pid: p.Client.PID}
	case p.User != "":
		return clientRow{name: lang.L("unknown (user {{.User}})", map[string]any{"User": monitor.Clean(p.User, 40)}), order: 1}
	}
	return clientRow{name: p.Remote.Addr().String(), order: 2}
}

// Speed formats bytes per second in powers of 1000: "0 B/s", "1.2 kB/s", "41 kB/s".
func Speed(bytes float64) string {
	n := func(v float64) map[string]any {
		digits := 0
		if v < 9.95 {
			digits = 1
		}
		return map[string]any{"N": Decimal(v, digits)}
	}
	switch {
	case bytes < 999.5:
		return lang.L("{{.N}} B/s", map[string]any{"N": Decimal(max(bytes, 0), 0)})
	case bytes < 999.5e3:
		return lang.L("{{.N}} kB/s", n(bytes/1e3))
	case bytes < 999.5e6:
		return lang.L("{{.N}} MB/s", n(bytes/1e6))
	}
	return lang.L("{{.N}} GB/s", n(bytes/1e9))
}

// ConnectionsTitle returns the title above n connections.
func ConnectionsTitle(n int) string {
	return lang.L("Connections ({{.Count}})", map[string]any{"Count": Number(n)})
}

// Totals returns the counts of a listener's connections in three lines: since it opened or
// since Porthole counts, in the last minute, and the bytes.
func Totals(t connection.Totals, now time.Time) string {
	data := map[string]any{"Count": amount(t.Connections, t.AtLeast), "When": MomentAs(t.Since, now, "15:04")}
	total := lang.L("{{.Count}} since it opened", data)
	if !t.SinceOpened {
		total = lang.L("{{.Count}} counted since {{.When}}", data)
	}
	data["Count"] = amount(t.LastMinute.Connections, t.LastMinute.AtLeast)
	bytes := "↓" + Size(t.Received) + " ↑" + Size(t.Sent)
	if t.AtLeast {
		bytes = lang.L("at least {{.Number}}", map[string]any{"Number": bytes})
	}
	return total + "\n" + lang.L("{{.Count}} in the last minute", data) + "\n" + bytes
}

// Visitors returns a line for each client of the last hour: "psql 812 · 2 conns · 14:02".
func Visitors(all []connection.Visitor, now time.Time) string {
	var lines []string
	for _, v := range all[:min(len(all), MaxClients)] {
		who := lang.L("not identified")
		switch {
		case v.Address.IsValid():
			who = v.Address.String()
		case v.Name != "":
			who = monitor.Clean(v.Name, 40) + " " + strconv.Itoa(v.PID)
		case v.User != "":
			who = lang.L("unknown (user {{.User}})", map[string]any{"User": monitor.Clean(v.User, 40)})
		}
		conns := lang.N("{{.Count}} conns", v.Connections, map[string]any{"Count": Number(v.Connections)})
		lines = append(lines, who+" · "+conns+" · "+v.Last.In(now.Location()).Format("15:04"))
	}
	if more := len(all) - MaxClients; more > 0 {
		lines = append(lines, lang.N("+ {{.Count}} more", more, map[string]any{"Count": Number(more)}))
	}
	return strings.Join(lines, "\n")
}

// amount formats n, which may be a lower limit.
func amount(n uint64, atLeast bool) string {
	text := Number(int(n))
	if atLeast {
		return lang.L("at least {{.Number}}", map[string]any{"Number": text})
	}
	return text
}

// MaxClients is the number of clients that are listed; the others are counted.
const MaxClients = 8

// ClientLines returns a line for each client: name, connections and transfer rate, seen
// from the listener. speeds means that rates are known; with both, received and sent
// rates have separate columns.
func ClientLines(all []connection.Conn, meter *connection.Meter, speeds, both bool) [][4]string {
	rows := clientRows(all, meter)
	if len(rows) == 0 {
		return [][4]string{{lang.L("No clients")}}
	}
	var lines [][4]string
	for _, r := range rows[:min(len(rows), MaxClients)] {
		line := [4]string{r.name, lang.N("{{.Count}} conns", r.count, map[string]any{"Count": Number(r.count)})}
		switch {
		case speeds && both:
			line[2], line[3] = "↓"+Speed(r.rate.Received), "↑"+Speed(r.rate.Sent)
		case speeds:
			line[2] = Speed(r.rate.Total())
		}
		lines = append(lines, line)
	}
	if more := len(rows) - MaxClients; more > 0 {
		lines = append(lines, [4]string{lang.N("+ {{.Count}} more", more, map[string]any{"Count": Number(more)})})
	}
	return lines
}
