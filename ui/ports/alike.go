package ports

import "porthole/monitor"

// showDistinguishing shows the columns without which rows would look alike: the address
// if rows have the same port, the branch if a project runs in two worktrees, and the
// command if one program of a project runs with several. A column stays until the window
// is closed, so that columns do not come and go.
func (p *Page) showDistinguishing() {
	p.alike = false
	type port struct {
		protocol monitor.Protocol
		number   uint16
	}
	type program struct{ process, project, branch string }
	ports, programs, branches := map[port]*portRow{}, map[program]*portRow{}, map[program]string{}
	for _, r := range p.rows {
		if r.mark == closed {
			continue
		}
		number := port{r.listener.Protocol, r.listener.Port}
		if other := ports[number]; other != nil && other.address != r.address {
			p.table.ShowColumn("address")
		}
		ports[number] = r
		if r.project == "" {
			continue
		}
		in := program{r.process, r.project, ""}
		if branch, known := branches[in]; known && branch != r.branch {
			p.table.ShowColumn("branch")
		}
		branches[in] = r.branch
		in.branch = r.branch
		if other := programs[in]; other != nil && other.group != r.group && other.commandText() != r.commandText() {
			p.table.ShowColumn("command")
		}
		programs[in] = r
	}
}
