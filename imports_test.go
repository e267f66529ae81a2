package main

import (
	"cmp"
	"os"
	"os/exec"
	"strings"
	"testing"

	"porthole/assets"
)

// Packages import each other in one direction: main → app → ui → monitor, and app →
// monitor. A module that needs a GL driver, a bus, a disk or processes is imported in one
// place.
func TestImportDirections(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), ": ")
		packages++
		for imported := range strings.FieldsSeq(imports) {
			if rule := broken(pkg, imported); rule != "" {
				t.Errorf("%s imports %s: %s", pkg, imported, rule)
			}
		}
	}
	if packages < 15 {
		t.Errorf("go list printed %d packages, want at least 15", packages)
	}
}

// only lists imports with the packages that may have them. Both include subpackages.
var only = []struct{ imported, by string }{
	{"fyne.io/fyne/v2/app", "porthole/app/window porthole/e2e/bare"},
	{"fyne.io/fyne/v2/driver", "porthole/app/window porthole/ui porthole/e2e/bare"},
	{"github.com/go-gl/glfw", "porthole/app/window"},
	{"fyne.io/systray", "porthole/app/tray"},
	{"github.com/jezek/xgb", "porthole/app/desktop porthole/e2e"},
	{"github.com/gen2brain/beeep", "porthole/app/notify"},
	{"github.com/esiqveland/notify", "porthole/app/notify"},
	{"github.com/godbus/dbus", "porthole/app/notify porthole/app/desktop porthole/app/tray porthole/monitor/firewall porthole/internal/fakebus porthole/e2e"},
	{"github.com/mdlayher/netlink", "porthole/monitor/firewall"},
	{"github.com/shirou/gopsutil", "porthole/monitor/process porthole/monitor/socket porthole/monitor/connection/source"},
	{"github.com/spf13/cobra", "porthole/app porthole/packaging/man"},
	{"go.yaml.in/yaml", "porthole/app/settings porthole/monitor/tunnel"},
	{"github.com/adrg/xdg", "porthole/app/paths porthole/app/autostart porthole/app/window porthole/internal/testhome"},
	{"modernc.org/sqlite", "porthole/monitor/history/store"},
}

// uiMay are the packages of Porthole that ui may import.
const uiMay = "porthole/ui porthole/assets porthole/monitor"

// rooms are the packages of ui that each package of ui may import. Packages that are not
// listed may import none.
var rooms = map[string]string{
	"porthole/ui":          "porthole/ui", // any
	"porthole/ui/table":    "porthole/ui/tooltip",
	"porthole/ui/uitest":   "porthole/ui/tooltip",
	"porthole/ui/theme":    "porthole/ui/table",
	"porthole/ui/tray":     "porthole/ui/words",
	"porthole/ui/widgets":  "porthole/ui/table porthole/ui/theme porthole/ui/tooltip porthole/ui/words",
	"porthole/ui/ports":    pageMay,
	"porthole/ui/history":  pageMay,
	"porthole/ui/watches":  pageMay,
	"porthole/ui/settings": pageMay,
	"porthole/ui/process":  pageMay,
	"porthole/ui/stop":     pageMay,
	"porthole/ui/traffic":  pageMay,
}

// pageMay are the packages of ui that a page may import. Other pages are not among them.
const pageMay = "porthole/ui/filter porthole/ui/probe porthole/ui/table porthole/ui/theme porthole/ui/tooltip porthole/ui/widgets porthole/ui/words"

// pages are the packages that only ui and app/window may import.
const pages = "porthole/ui/ports porthole/ui/history porthole/ui/watches porthole/ui/settings porthole/ui/process porthole/ui/stop porthole/ui/traffic"

// widgetless packages of ui may import the packages fyne and lang, but no widgets.
const widgetless = "porthole/ui/filter porthole/ui/probe porthole/ui/tray porthole/ui/words"

// testOnly packages are imported by tests only.
const testOnly = "porthole/ui/uitest porthole/monitor/process/child porthole/internal/await porthole/internal/dockertest " +
	"porthole/internal/freeport porthole/internal/namespaces porthole/internal/rawsocket porthole/internal/sample porthole/internal/testhome porthole/internal/traffictest"

// pure packages get all data as arguments.
const pure = "porthole/monitor/ancestry porthole/monitor/codingagent porthole/monitor/warning porthole/monitor/explain"

// lowLevel packages read facts from the system.
var lowLevel = map[string]bool{
	"porthole/monitor/process": true, "porthole/monitor/owner": true, "porthole/monitor/socket": true, "porthole/monitor/connection/source": true,
}

// broken returns the rule that an import breaks, or "".
func broken(pkg, imported string) string {
	for _, o := range only {
		if within(imported, o.imported) && strings.HasPrefix(pkg, "porthole") && !withinAny(pkg, o.by) {
			return "only " + o.by + " may import it"
		}
	}
	switch {
	case !strings.HasPrefix(imported, "porthole/"):
		if within(pkg, "porthole/ui") && pkg != "porthole/ui/uitest" && (imported == "os/exec" || imported == "net" || imported == "os") {
			return "ui uses no files, no network and no processes"
		}
		if withinAny(pkg, widgetless) && within(imported, "fyne.io/fyne/v2") && imported != "fyne.io/fyne/v2" && imported != "fyne.io/fyne/v2/lang" {
			return "it is used without a window, so it imports no widgets"
		}
		if withinAny(pkg, pure) && (imported == "os/exec" || imported == "net" || imported == "os") {
			return "pure packages make no system calls"
		}
		return ""
	case within(imported, "porthole/app") && pkg != "porthole" && pkg != "porthole/packaging/man" && !within(pkg, "porthole/app"):
		return "only main, app and packaging/man import app"
	case within(pkg, "porthole/ui") && !withinAny(imported, uiMay):
		return "ui imports only ui, assets and monitor"
	case withinAny(imported, testOnly) && !withinAny(pkg, testOnly):
		return "only tests import it"
	case within(pkg, "porthole/ui") && within(imported, "porthole/ui"):
		if !withinAny(imported, rooms[pkg]) {
			return "of ui it imports only " + cmp.Or(rooms[pkg], "itself")
		}
		return ""
	case withinAny(imported, pages) && pkg != "porthole/app/window":
		return "only ui and app/window import pages"
	case within(pkg, "porthole/ui") && (strings.HasSuffix(imported, "/process") || strings.HasSuffix(imported, "/socket") || strings.HasSuffix(imported, "/owner") || strings.HasSuffix(imported, "/stop") || strings.HasSuffix(imported, "/source") || strings.HasSuffix(imported, "/firewall")):
		return "ui gets its data from monitor and reads nothing from the system"
	case pkg == "porthole/monitor/ancestry" && imported != "porthole/monitor" && imported != "porthole/monitor/codingagent":
		return "ancestry is pure and imports only monitor and codingagent"
	case pkg == "porthole/monitor/warning" && imported != "porthole/monitor" && imported != "porthole/monitor/ancestry" && imported != "porthole/monitor/service":
		return "warning is pure and imports only monitor, ancestry and service"
	case pkg == "porthole/monitor/explain" && imported != "porthole/monitor" && imported != "porthole/monitor/service":
		return "explain is pure and imports only monitor and service"
	case lowLevel[pkg] && withinAny(imported, "porthole/monitor/ancestry porthole/monitor/warning porthole/monitor/explain"):
		return "packages that read facts do not import packages that explain them"
	case pkg == "porthole/monitor":
		return "monitor imports none of its subpackages"
	case within(pkg, "porthole/monitor") && !within(imported, "porthole/monitor"):
		return "monitor imports only monitor"
	}
	return ""
}

// within reports whether path is root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func withinAny(path, roots string) bool {
	for root := range strings.FieldsSeq(roots) {
		if within(path, root) {
			return true
		}
	}
	return false
}

func TestImportRules(t *testing.T) {
	for _, c := range [][2]string{
		{"porthole/monitor", "porthole/monitor/socket"},
		{"porthole/monitor/watch", "porthole/ui"},
		{"porthole/ui", "porthole/app/ipc"},
		{"porthole/ui", "porthole/monitor/process"},
		{"porthole/ui", "porthole/monitor/connection/source"},
		{"porthole/ui", "porthole/monitor/stop"},
		{"porthole/ui/words", "porthole/monitor/firewall"},
		{"porthole/ui", "os/exec"},
		{"porthole/ui/words", "fyne.io/fyne/v2/canvas"},
		{"porthole/ui/tray", "fyne.io/fyne/v2/widget"},
		{"porthole/ui/words", "porthole/ui/widgets"},
		{"porthole/ui/filter", "porthole/ui/tray"},
		{"porthole/ui/table", "porthole/ui/theme"},
		{"porthole/ui/widgets", "porthole/ui/ports"},
		{"porthole/ui/ports", "porthole/ui/history"},
		{"porthole/ui/ports", "porthole/ui"},
		{"porthole/ui/process", "porthole/ui/stop"},
		{"porthole/ui/history", "porthole/monitor/process"},
		{"porthole/ui/window", "porthole/ui/words"}, // a room that is not in the table
		{"porthole/ui", "porthole/ui/uitest"}, {"porthole/app/cli", "porthole/monitor/process/child"},
		{"porthole/app/cli", "porthole/internal/testhome"},
		{"porthole/app/agent", "porthole/ui/ports"},
		{"porthole/monitor/ancestry", "porthole/monitor/process"},
		{"porthole/monitor/ancestry", "os"},
		{"porthole/monitor/warning", "porthole/monitor/process"},
		{"porthole/monitor/warning", "os"},
		{"porthole/monitor/process", "porthole/monitor/ancestry"},
		{"porthole/monitor/explain", "porthole/monitor/socket"},
		{"porthole/monitor/explain", "os"},
		{"porthole/ui/table", "fyne.io/fyne/v2/app"},
		{"porthole/app/agent", "fyne.io/systray"},
		{"porthole/ui", "github.com/shirou/gopsutil/v3/process"},
	} {
		if broken(c[0], c[1]) == "" {
			t.Errorf("%s may import %s; want a rule against it", c[0], c[1])
		}
	}
	for _, c := range [][2]string{
		{"porthole/app/window", "fyne.io/fyne/v2/app"},
		{"porthole/app/window", "porthole/ui/stop"},
		{"porthole/ui", "porthole/ui/process"},
		{"porthole/ui/ports", "porthole/ui/widgets"},
		{"porthole/ui/words", "fyne.io/fyne/v2/lang"},
	} {
		if rule := broken(c[0], c[1]); rule != "" {
			t.Errorf("%s may not import %s: %s", c[0], c[1], rule)
		}
	}
}

// About lists exactly the modules that are linked.
func TestLicencesAreThoseOfLinkedModules(t *testing.T) {
	c := exec.Command("bash", "packaging/licence-kinds.sh")
	c.Env = append(os.Environ(), "TAGS=gles,no_emoji") // as it is shipped
	want, err := c.Output()
	if err != nil {
		t.Fatalf("licence-kinds.sh: %v", err)
	}
	if assets.Licences() != string(want) {
		t.Errorf("assets/licences.txt is stale: packaging/licence-kinds.sh >assets/licences.txt\n%s", want)
	}
}
