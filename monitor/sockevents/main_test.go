package sockevents

import (
	"testing"

	"porthole/monitor/process/child"
)

func TestMain(m *testing.M) { child.Main(m, child.Roles(map[string]func(){})) }
