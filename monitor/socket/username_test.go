package socket

import (
	"os/user"
	"testing"
	"time"
)

// A directory server that does not answer costs one user's name, not the poll; the name
// is there as soon as it answers.
func TestUserNameOfAServerThatHangs(t *testing.T) {
	block := make(chan struct{})
	before := lookUpUser
	lookUpUser = func(string) (*user.User, error) { <-block; return &user.User{Username: "ada"}, nil }
	t.Cleanup(func() { lookUpUser = before })
	const uid = 3_999_999_001
	if got := userName(uid); got != "3999999001" {
		t.Errorf("got %q from a server that hangs, want the number", got)
	}
	begin := time.Now()
	for range 1000 {
		userName(uid) // does not wait again
	}
	if took := time.Since(begin); took >= 1000*nameDeadline {
		t.Errorf("1000 calls took %v while the server hangs", took)
	}
	close(block)
	for deadline := time.Now().Add(10 * time.Second); userName(uid) != "ada"; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the late name is not used")
		}
	}
}

// A name that was not found is looked up again later: the directory server may not have
// been started yet.
func TestUserNameIsRetried(t *testing.T) {
	calls := 0
	before := lookUpUser
	lookUpUser = func(string) (*user.User, error) {
		if calls++; calls == 1 {
			return nil, user.UnknownUserIdError(1)
		}
		return &user.User{Username: "grace"}, nil
	}
	t.Cleanup(func() { lookUpUser = before })
	const uid = 3_999_999_002
	first := userName(uid)
	userNames.Lock()
	keepUser(uid, userEntry{}) // as if nameRetry had passed
	userNames.Unlock()
	if second := userName(uid); first != "3999999002" || second != "grace" {
		t.Errorf("got %q, then %q; want the number, then grace", first, second)
	}
}
