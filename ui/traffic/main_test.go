package traffic

import (
	"testing"

	"porthole/ui/uitest"
)

func TestMain(m *testing.M) { uitest.Main(m) }
