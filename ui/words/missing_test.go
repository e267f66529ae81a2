package words

import (
	"testing"

	"porthole/monitor"
)

func TestMissingFacts(t *testing.T) {
	inside := monitor.Owner{Inside: true}
	for _, test := range []struct{ got, want string }{
		{Path("/app", 9, monitor.Owner{}), "/app"},
		{Path("/app\x1b", 9, inside), "/app (inside its container or mount namespace)"},
		{Path("", 9, inside), ""},
		{FolderProblem(monitor.Owner{}), ""},
		{FolderProblem(inside), "This folder is inside the container or mount namespace of the process. Here, its path is another folder or none."},
		{Project(monitor.Owner{Project: "shop"}), "shop"},
		{Project(monitor.Owner{ProjectUnknown: monitor.UnknownDisk}), "unknown: the disk with its folder does not answer"},
		{Project(monitor.Owner{}), ""},
		{User("ada", ""), "ada"},
		{User("54321", monitor.UnknownNameService), "54321 (name unknown: the name service does not answer)"},
		{ContainerDetails(&monitor.Listener{CgroupInfo: monitor.CgroupInfo{Container: &monitor.Container{ID: "0123456789abcdef", NameUnknown: monitor.UnknownEngine}}}), "0123456789ab · name unknown: the container engine does not answer"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
