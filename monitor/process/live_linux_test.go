package process

import (
	"bytes"
	"os"
	"runtime"
	"testing"
	"time"

	"porthole/monitor/story"
)

func TestLiveTellsWhatAProcessUses(t *testing.T) {
	o, err := Facts(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	before := Live(o).Used
	if before.Threads < 1 || before.Memory < 1<<20 || before.Memory > 8<<30 {
		t.Errorf("this test has %d threads and %d bytes of memory", before.Threads, before.Memory)
	}
	block := bytes.Repeat([]byte{1}, 64<<20)
	for deadline := time.Now().Add(10 * time.Second); Live(o).Used.CPU < before.CPU+100*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatalf("ten seconds at it, and it says %v after %v", Live(o).Used.CPU, before.CPU)
		}
	}
	if after := Live(o).Used; after.Memory < before.Memory+60<<20 {
		t.Errorf("64 MB more are %d bytes after %d", after.Memory, before.Memory)
	}
	runtime.KeepAlive(block)
	o.Start++
	if used := Live(o).Used; used != (story.Use{}) {
		t.Errorf("of another process with its number: %+v", used)
	}
}

func TestUseOfHostileStats(t *testing.T) {
	real := []byte(" S 1 1 1 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 7 0 12345 1000000 2048 18446744073709551615")
	want := story.Use{Threads: 7, Memory: 2048 * uint64(os.Getpagesize()), CPU: 4 * time.Second}
	if got := useOf(bytes.Fields(real)); got != want {
		t.Errorf("%+v; want %+v", got, want)
	}
	for _, text := range []string{"", "S", "S x x x", "S -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1"} {
		if got := useOf(bytes.Fields([]byte(text))); got != (story.Use{}) {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
