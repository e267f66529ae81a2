package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"porthole/internal/traffictest"
	"porthole/monitor/traffic"
)

// talk decodes what both sides send. Each line begins with > for the client or < for the
// server; \r\n follows each word. size is how many bytes arrive together, 0 for all.
func talk(size int, lines ...string) []*traffic.Exchange {
	var pieces []traffictest.Piece
	for _, line := range lines {
		dir := traffic.ToServer
		if line[0] == '<' {
			dir = traffic.ToClient
		}
		pieces = append(pieces, traffictest.Piece{Dir: dir, Bytes: []byte(strings.ReplaceAll(line[1:], " ", "\r\n") + "\r\n")})
	}
	return traffictest.Decode(Protocol(), size, pieces...)
}

// summary is one line about an exchange.
func summary(e *traffic.Exchange) string {
	out := fmt.Sprintf("%s %s -> %s", e.Method, e.Path, e.Status)
	if e.Kind == traffic.Event {
		out = "event " + out
	}
	if e.Failed {
		out += " (failed)"
	}
	if e.Problem != "" {
		out += " " + e.Problem
	}
	return out
}

func TestRedis(t *testing.T) {
	lines := []string{
		">*1 $4 PING", "<+PONG",
		">*3 $3 SET $4 name $3 ann", ">*2 $3 get $4 name", "<+OK", "<$3 ann", // pipelined
		">*2 $3 GET $2 no", "<$-1",
		">*2 $4 INCR $4 name", "<-ERR",
		">*1 $6 DBSIZE", "<:42",
		">*4 $6 LRANGE $1 l $1 0 $2 -1", "<*2 $1 a *2 :1 $0 ", // nested
		">*2 $7 HGETALL $1 h", "<%1 $1 k #t",
		">*3 $5 HELLO $1 3 $3 foo", "<!5 ERR!!",
		">*2 $9 SUBSCRIBE $4 news", "<>3 $9 subscribe $4 news :1", "<>3 $7 message $4 news $2 hi",
		">PING", "<+PONG",
	}
	want := []string{
		"PING  -> PONG", "SET name ann -> OK", "GET name -> 3 bytes", "GET no -> nil", "INCR name -> ERR (failed)", "DBSIZE  -> 42",
		"LRANGE l 0 -1 -> 2 elements", "HGETALL h -> 1 element", "HELLO 3 foo -> ERR!! (failed)", "SUBSCRIBE news -> 3 elements",
		"event MESSAGE news -> 3 elements", "PING  -> PONG",
	}
	bodies := map[string]string{
		"SET": "SET \"name\" \"ann\"\nOK", "LRANGE": "LRANGE \"l\" \"0\" \"-1\"\n1) \"a\"\n2) 1) (integer) 1\n   2) \"\"", "HGETALL": "HGETALL \"h\"\n1) \"k\"\n=> (true)",
	}
	for _, size := range []int{0, 1, 3} {
		got := talk(size, lines...)
		for i, e := range got {
			if i >= len(want) || summary(e) != want[i] {
				t.Errorf("in pieces of %d: exchange %d: got %q, want %q", size, i, summary(e), want[min(i, len(want)-1)])
			}
			if body, ok := bodies[e.Method]; ok && string(e.Request.Body)+"\n"+string(e.Answer.Body) != body {
				t.Errorf("%s: got the bodies %q, want %q", e.Method, string(e.Request.Body)+"\n"+string(e.Answer.Body), body)
			}
			if e.Protocol != Name || e.Ended.IsZero() {
				t.Errorf("exchange %d: got the protocol %q and the end %v", i, e.Protocol, e.Ended)
			}
		}
		if len(got) != len(want) {
			t.Errorf("in pieces of %d: got %d exchanges, want %d", size, len(got), len(want))
		}
		if got[1].Request.Size != 32 || got[1].Answer.Size != 5 {
			t.Errorf("SET: got the sizes %d and %d, want 32 and 5", got[1].Request.Size, got[1].Answer.Size)
		}
	}
}

func TestPasswordsAreMasked(t *testing.T) {
	for _, e := range talk(0, ">*2 $4 AUTH $8 hunter22", "<+OK", ">*5 $5 HELLO $1 3 $4 AUTH $3 ann $8 hunter22", "<+OK",
		">*4 $6 CONFIG $3 SET $11 requirepass $8 hunter22", "<+OK", ">*4 $3 ACL $7 SETUSER $3 ann $9 >hunter22", "<+OK") {
		if !strings.Contains(e.Path, "hunter22") || !strings.Contains(string(e.Request.Body), "hunter22") {
			t.Errorf("%s: got %q, want the password before masking", e.Method, e.Path)
		}
		m := traffic.Masked(e)
		if all := m.Path + string(m.Request.Body) + fmt.Sprint(m.Secrets); strings.Contains(all, "hunter22") {
			t.Errorf("%s: the password is readable: %s", e.Method, all)
		}
	}
}

// What is not Redis, or not valid, is shown as text.
func TestFallback(t *testing.T) {
	for _, lines := range [][]string{{">GET /?x HTTP/1.1"}, {">*1 :1"}, {">*x"}, {">*2 $3 GET $-5"}, {">*1 $4 PING", "<?garbage"}, {">*99999999999 $1 a"}} {
		got := talk(0, lines...)
		if len(got) == 0 || got[len(got)-1].Protocol == Name && got[len(got)-1].Problem == "" {
			t.Errorf("%q: got %d exchanges, want one as text or with a problem", lines, len(got))
		}
	}
}

func TestReplyOff(t *testing.T) {
	got := talk(0, ">*3 $6 CLIENT $5 REPLY $3 OFF", ">*3 $3 SET $1 a $1 b", ">*3 $6 CLIENT $5 REPLY $2 ON", "<+OK", ">*1 $4 PING", "<+PONG")
	if len(got) != 4 || summary(got[1]) != "SET a b -> " || summary(got[3]) != "PING  -> PONG" {
		for _, e := range got {
			t.Error(summary(e))
		}
	}
}

func TestMonitorAndLoss(t *testing.T) {
	got := talk(0, ">*1 $7 MONITOR", "<+OK", "<+1339518083.107412", "<+1339518087.877697")
	if len(got) != 3 || summary(got[2]) != "event MONITOR 1339518087.877697 -> 1339518087.877697" {
		t.Errorf("got %d exchanges, the last %q", len(got), summary(got[len(got)-1]))
	}

	store := traffic.NewStore(traffic.Limits{})
	r := traffic.NewRecorder(store, []traffic.Protocol{Protocol()})
	defer r.Shutdown()
	id := r.Open(traffic.Conn{})
	now := time.Now()
	r.Data(id, traffic.ToServer, now, []byte("*1\r\n$4\r\nPING\r\n"))
	r.Lost(id, traffic.ToClient, now, 100)
	r.Data(id, traffic.ToClient, now, []byte("rest\r\n"))
	r.Close(id, traffic.ToClient, now, errors.New("reset"))
	r.Flush()
	if got := store.List(); len(got) < 1 || got[0].Lost() != 100 || got[0].Problem == "" {
		t.Errorf("after a loss: got %+v, want 100 lost bytes and a problem", got)
	}
}

func FuzzRedis(f *testing.F) {
	f.Add([]byte("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"), []byte("+OK\r\n%1\r\n+a\r\n*-1\r\n"), uint64(1))
	f.Add([]byte("*1\r\n$4\r\nPING\r\nPING\r\n"), []byte("$?\r\n;4\r\nabcd\r\n;0\r\n*?\r\n:1\r\n.\r\n|1\r\n+k\r\n:1\r\n>2\r\n+a\r\n_\r\n"), uint64(2))
	f.Fuzz(func(t *testing.T, client, server []byte, seed uint64) {
		traffictest.Fuzz(t, Protocol(), client, server, seed)
	})
}
