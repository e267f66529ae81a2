package store

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"porthole/monitor"
	"porthole/monitor/history"
)

// references are the row IDs that an event refers to.
type references struct {
	boot, owner int64
	before      any
}

// referencesOf returns the references of e and inserts missing rows.
func (b *batchWriter) referencesOf(e history.Event) (references, error) {
	var i references
	var err error
	if i.boot, err = b.bootRow(e.Boot); err != nil {
		return i, err
	}
	if i.owner, err = b.ownerRow(e.Owner); err != nil {
		return i, err
	}
	if e.OwnerBefore != nil {
		i.before, err = b.ownerRow(*e.OwnerBefore)
	}
	return i, err
}

// bootRow returns the row ID of a boot.
func (b *batchWriter) bootRow(boot string) (int64, error) {
	if id, ok := b.boots[boot]; ok {
		return id, nil
	}
	var id int64
	_, err := b.exec(b.ctx, "INSERT INTO boots (boot) VALUES (?) ON CONFLICT DO NOTHING", boot)
	if err == nil {
		err = b.queryRow(b.ctx, "SELECT id FROM boots WHERE boot = ?", &id, boot)
	}
	if err != nil {
		return 0, fmt.Errorf("store boot: %w", err)
	}
	b.boots[boot] = id
	return id, nil
}

// ownerRow returns the row ID of an owner. The PID is stored with the event, so
// that all processes of one service share a row.
func (b *batchWriter) ownerRow(o history.Owner) (int64, error) {
	o.PID = 0
	text, err := json.Marshal(o)
	if err != nil {
		return 0, fmt.Errorf("store owner: %w", err)
	}
	key := sha256.Sum256(text)
	if id, ok := b.owners[key]; ok {
		return id, nil
	}
	command := ""
	if len(o.Command) > 0 {
		text, err := json.Marshal(o.Command)
		if err != nil {
			return 0, fmt.Errorf("store owner: %w", err)
		}
		command = string(text)
	}
	words := strings.ToLower(strings.Join([]string{o.Name, o.Project, o.User, o.Service, o.Unit, o.Container, strings.Join(o.Command, " ")}, "\n"))
	_, err = b.exec(b.ctx, `INSERT INTO owners (key, name, user, project, service, program, folder, command, unit, container, inferred, words)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
		key[:16], o.Name, o.User, o.Project, o.Service, o.Program, o.Folder, command, o.Unit, o.Container, o.Inferred, words)
	var id int64
	if err == nil {
		err = b.queryRow(b.ctx, "SELECT id FROM owners WHERE key = ?", &id, key[:16])
	}
	if err != nil {
		return 0, fmt.Errorf("store owner: %w", err)
	}
	if len(b.owners) >= maxOwners {
		clear(b.owners)
	}
	b.owners[key] = id
	return id, nil
}

const insertEvent = `INSERT INTO events (at, kind, unobserved, protocol, port, addresses, loopback, exposure, listener, boot,
	owner, pid, owner_before, pid_before, exposure_before, opened_at, already_open, duration, stopped,
	exit_status, signal, core_dumped, out_of_memory, attempts, client, health) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`

// insert stores an event and returns its ID.
func (b *batchWriter) insert(e history.Event, i references) (int64, error) {
	var pidBefore, openedAt, duration any
	if e.OwnerBefore != nil {
		pidBefore = e.OwnerBefore.PID
	}
	if !e.OpenedAt.IsZero() {
		openedAt = e.OpenedAt.UnixMicro()
		if e.Kind == monitor.Closed {
			duration = e.Duration.Microseconds()
		}
	}
	if e.Kind == monitor.Attempted || e.Kind == monitor.Healthy {
		duration = e.Duration.Microseconds()
	}
	addresses := addressText(e.Addresses)
	r, err := b.exec(b.ctx, insertEvent, e.At.UnixMicro(), string(e.Kind), false, string(e.Protocol), e.Port, addresses,
		e.AcceptsLoopback(), string(e.Exposure), e.Listener, i.boot, i.owner, e.Owner.PID, i.before, pidBefore, string(e.ExposureBefore), openedAt, e.AlreadyOpen, duration, e.Stopped,
		e.Exit.Status, e.Exit.Signal, e.Exit.CoreDumped, e.Exit.OutOfMemory,
		e.Attempts, e.Client.Text(), e.Health.Text())
	if err != nil {
		return 0, fmt.Errorf("store event: %w", err)
	}
	b.events++
	return r.LastInsertId()
}

// addressText joins addresses with spaces.
func addressText(addresses []netip.Addr) string {
	words := make([]string, len(addresses))
	for i, a := range addresses {
		words[i] = a.String()
	}
	return strings.Join(words, " ")
}

// parseAddresses parses what addressText returned.
func parseAddresses(text string) []netip.Addr {
	var out []netip.Addr
	for word := range strings.FieldsSeq(text) {
		if a, err := netip.ParseAddr(word); err == nil { // always true: insert wrote it
			out = append(out, a)
		}
	}
	return out
}

// loopback reports whether one of the addresses accepts loopback connections.
func loopback(addresses string) bool {
	return slices.ContainsFunc(parseAddresses(addresses), monitor.AcceptsLoopback)
}

// micros returns t in microseconds since 1970; 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
