package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"porthole/monitor/traffic"
)

// column describes a column of a result.
type column struct {
	name   string
	oid    uint32
	format int16
}

// maxColumns limits the names of columns that are kept.
const maxColumns = 1664 // MaxTupleAttributeNumber of PostgreSQL

// columnsOf reads RowDescription.
func columnsOf(m message) ([]column, error) {
	var r pgproto3.RowDescription
	if err := r.Decode(m.body); err != nil {
		if m.cut {
			return nil, nil
		}
		return nil, fmt.Errorf("decode RowDescription: %w", err)
	}
	columns := make([]column, 0, min(len(r.Fields), maxColumns))
	for _, f := range r.Fields[:min(len(r.Fields), maxColumns)] {
		columns = append(columns, column{string(f.Name), f.DataTypeOID, f.Format})
	}
	return columns, nil
}

// column returns what is known about a column.
func (p portal) column(i int) column {
	var c column
	if i < len(p.columns) {
		c = p.columns[i]
	}
	if len(p.binary) > 0 {
		c.format = format(p.binary, i)
	}
	return c
}

// format returns the format of a value: one code may be for all (Bind).
func format(codes []int16, i int) int16 {
	switch {
	case len(codes) == 1:
		return codes[0]
	case i < len(codes):
		return codes[i]
	}
	return pgproto3.TextFormat
}

// Types whose binary form is decoded (pg_type.dat of PostgreSQL).
const (
	oidBool, oidInt8, oidInt2, oidInt4, oidText    = 16, 20, 21, 23, 25
	oidFloat4, oidFloat8, oidVarchar, oidChar, oid = 700, 701, 1043, 1042, 26
	oidName, oidUnknown, oidJSON                   = 19, 705, 114
)

// appendValue appends a value of a row as COPY writes it.
func appendValue(to, value []byte, c column) []byte {
	if value == nil {
		return append(to, `\N`...)
	}
	if c.format == pgproto3.BinaryFormat {
		return append(to, binaryValue(value, c.oid)...)
	}
	return append(to, escape(value)...)
}

// escape escapes what would be taken for the end of a value or a row.
func escape(value []byte) []byte {
	if !bytes.ContainsAny(value, "\t\n\r\\") {
		return value
	}
	return []byte(strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(string(value)))
}

// binaryValue returns the text of a value in binary form; of unknown types in hex.
func binaryValue(v []byte, kind uint32) string {
	switch {
	case kind == oidBool && len(v) == 1:
		return map[byte]string{0: "f", 1: "t"}[v[0]]
	case kind == oidInt2 && len(v) == 2:
		return strconv.Itoa(int(int16(binary.BigEndian.Uint16(v))))
	case kind == oidInt4 && len(v) == 4:
		return strconv.Itoa(int(int32(binary.BigEndian.Uint32(v))))
	case kind == oid && len(v) == 4:
		return strconv.FormatUint(uint64(binary.BigEndian.Uint32(v)), 10)
	case kind == oidInt8 && len(v) == 8:
		return strconv.FormatInt(int64(binary.BigEndian.Uint64(v)), 10)
	case kind == oidFloat4 && len(v) == 4:
		return strconv.FormatFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(v))), 'g', -1, 32)
	case kind == oidFloat8 && len(v) == 8:
		return strconv.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64(v)), 'g', -1, 64)
	}
	switch kind {
	case oidText, oidVarchar, oidChar, oidName, oidUnknown, oidJSON:
		return string(escape(v))
	}
	return `\x` + hex.EncodeToString(v)
}

// argument returns a parameter as a literal.
func argument(v []byte, format int16) string {
	switch {
	case v == nil:
		return "NULL"
	case format == pgproto3.BinaryFormat && !traffic.Readable(v):
		return `'\x` + hex.EncodeToString(v[:min(len(v), maxArgument)]) + "'"
	}
	s := string(v[:min(len(v), maxArgument)])
	if len(v) > maxArgument {
		s += "…"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// text returns a string that ends with a zero.
func text(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

// comment matches white space and comments before a query.
var comment = regexp.MustCompile(`^(?:\s+|--[^\n]*(?:\n|$)|/\*(?s:.*?)\*/)+`)

// maxComment limits the search for the verb.
const maxComment = 4 << 10

// verb returns the first word of a query in upper case.
func verb(query string) string {
	start := query[:min(len(query), maxComment)]
	start = start[len(comment.FindString(start)):]
	end := strings.IndexFunc(start, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') })
	if end < 0 {
		end = len(start)
	}
	return strings.ToUpper(start[:min(end, 32)])
}

// password matches the password in CREATE ROLE and ALTER ROLE.
var password = regexp.MustCompile(`(?i)\bpassword\s+[eE]?'((?:[^']|'')+)'`)

// passwords returns the passwords in a query.
func passwords(query string) (found []string) {
	if len(query) > maxQuery || !strings.Contains(strings.ToLower(query), "password") {
		return nil
	}
	for _, m := range password.FindAllStringSubmatch(query, -1) {
		found = append(found, m[1])
	}
	return found
}
