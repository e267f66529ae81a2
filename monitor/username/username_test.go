package username

import (
	"os"
	"os/user"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"porthole/monitor/lookup"
)

// replaceDirectory replaces the name service and forgets all names, inside a bubble.
func replaceDirectory(t *testing.T, find func(string) (*user.User, error)) {
	before, table := findUser, names
	findUser, names = find, newNames()
	readOnce = sync.OnceFunc(putLocal)
	t.Cleanup(func() { findUser, names = before, table })
}

func TestLocalUsers(t *testing.T) {
	if os.Getenv("OS") == "Windows_NT" {
		t.Skip("needs /etc/passwd")
	}
	synctest.Test(t, func(t *testing.T) {
		replaceDirectory(t, func(string) (*user.User, error) { select {} })
		if got := Of(0); got != "root" {
			t.Errorf("Of(0) = %q, want root without asking the name service", got)
		}
	})
}

func TestThisUser(t *testing.T) {
	u, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		t.Skip("this user has no name")
	}
	if got := Await(t.Context(), uint32(os.Getuid())); got != u.Username {
		t.Errorf("got %q, want %q", got, u.Username)
	}
}

// A name service that does not answer delays nobody; the name is there as soon as it
// answers.
func TestServiceThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		replaceDirectory(t, func(string) (*user.User, error) { <-block; return &user.User{Username: "ada"}, nil })
		const uid = 3_999_999_001
		begin := time.Now()
		for range 1000 {
			if got := Of(uid); got != "3999999001" {
				t.Fatalf("got %q, want the number", got)
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("waited for %v", took)
		}
		if got := Await(t.Context(), uid); got != "3999999001" || time.Since(begin) != lookup.Deadline {
			t.Errorf("Await = %q after %v, want the number after %v", got, time.Since(begin), lookup.Deadline)
		}
		close(block)
		synctest.Wait()
		if got := Of(uid); got != "ada" {
			t.Errorf("after the answer: %q", got)
		}
	})
}

// A name that was not found is looked up again later: the name service may not have been
// started yet.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		replaceDirectory(t, func(string) (*user.User, error) {
			if calls++; calls == 1 {
				return nil, user.UnknownUserIdError(1)
			}
			return &user.User{Username: "grace"}, nil
		})
		const uid = 3_999_999_002
		for range 3 {
			if got := Await(t.Context(), uid); got != "3999999002" || calls != 1 {
				t.Errorf("got %q after %d calls, want the number after one", got, calls)
			}
		}
		time.Sleep(retry)
		if got := Await(t.Context(), uid); got != "grace" {
			t.Errorf("after a minute: %q, want grace", got)
		}
	})
}
