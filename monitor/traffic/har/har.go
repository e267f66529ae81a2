// Package har saves and opens exchanges as HTTP Archives, which the network panels of
// browsers open too (HAR 1.2: http://www.softwareishard.com/blog/har-12-spec/).
//
// Exchanges that are not HTTP, such as messages of a WebSocket and queries, have a
// request with a made-up URL and the status 0, so that nothing is left out. What HAR has
// no field for is in fields whose names begin with "_", as the format permits.
package har

import "time"

// file is the whole file.
type file struct {
	Log log `json:"log"`
}

type log struct {
	Version string  `json:"version"`
	Creator program `json:"creator"`
	Entries []entry `json:"entries"`
	Comment string  `json:"comment,omitempty"`
}

type program struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// entry is an exchange. Times are in milliseconds; -1 means that a time does not apply.
type entry struct {
	Started    time.Time `json:"startedDateTime"`
	Time       float64   `json:"time"`
	Request    request   `json:"request"`
	Response   response  `json:"response"`
	Cache      struct{}  `json:"cache"`
	Timings    timings   `json:"timings"`
	ServerIP   string    `json:"serverIPAddress,omitempty"`
	Connection string    `json:"connection,omitempty"`
	Comment    string    `json:"comment,omitempty"`

	ID         uint64 `json:"_id,omitempty"`
	Parent     uint64 `json:"_parent,omitempty"`
	Kind       string `json:"_kind,omitempty"`      // "" for a request, "message" or "info"
	Direction  string `json:"_direction,omitempty"` // of a message: "to server" or "to client"
	Protocol   string `json:"_protocol,omitempty"`
	Command    string `json:"_command,omitempty"` // the path or command if the protocol has no URLs
	Status     string `json:"_status,omitempty"`
	Failed     bool   `json:"_failed,omitempty"`
	Problem    string `json:"_problem,omitempty"`
	Client     string `json:"_client,omitempty"` // address and port
	Server     string `json:"_server,omitempty"` // address and port
	Process    string `json:"_process,omitempty"`
	PID        int    `json:"_pid,omitempty"`
	Unfinished bool   `json:"_unfinished,omitempty"`
}

type request struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	Version     string    `json:"httpVersion"`
	Cookies     []cookie  `json:"cookies"`
	Headers     []pair    `json:"headers"`
	Query       []pair    `json:"queryString"`
	PostData    *postData `json:"postData,omitempty"`
	HeadersSize int64     `json:"headersSize"`
	BodySize    int64     `json:"bodySize"`

	Trailer []pair `json:"_trailer,omitempty"`
	message
}

type response struct {
	Status      int      `json:"status"`
	StatusText  string   `json:"statusText"`
	Version     string   `json:"httpVersion"`
	Cookies     []cookie `json:"cookies"`
	Headers     []pair   `json:"headers"`
	Content     content  `json:"content"`
	RedirectURL string   `json:"redirectURL"`
	HeadersSize int64    `json:"headersSize"`
	BodySize    int64    `json:"bodySize"`

	Trailer []pair `json:"_trailer,omitempty"`
	message
}

// message is what both have besides.
type message struct {
	Size    int64 `json:"_transferSize,omitempty"`
	Dropped bool  `json:"_bodyDropped,omitempty"`
	Lost    int64 `json:"_lostBytes,omitempty"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Path     string `json:"path,omitempty"`
	Domain   string `json:"domain,omitempty"`
	Expires  string `json:"expires,omitempty"`
	HTTPOnly bool   `json:"httpOnly,omitempty"`
	Secure   bool   `json:"secure,omitempty"`
}

type postData struct {
	MimeType string `json:"mimeType"`
	Params   []pair `json:"params"`
	Text     string `json:"text"`
	Encoding string `json:"_encoding,omitempty"` // "base64" if the body is not text
	Comment  string `json:"comment,omitempty"`
}

type content struct {
	Size        int64  `json:"size"`
	Compression int64  `json:"compression,omitempty"`
	MimeType    string `json:"mimeType"`
	Text        string `json:"text,omitempty"`
	Encoding    string `json:"encoding,omitempty"` // "base64" if the body is not text
	Comment     string `json:"comment,omitempty"`
}

type timings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

// milliseconds returns d with microseconds as decimals.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
