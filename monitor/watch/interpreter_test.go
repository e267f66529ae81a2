package watch

import (
	"strings"
	"testing"

	"porthole/monitor"
)

// A listener that closes and opens again is a restart only if the same service owns it.
// Two programs of one interpreter are two services.
func TestSameServiceOfInterpreters(t *testing.T) {
	for _, test := range []struct {
		program, before, after string
		want                   bool
	}{
		{"node", "node server.js", "node server.js", true},
		{"node", "node server.js", "node ./server.js", true},
		{"node", "node server.js", "node /shop/server.js", true},
		{"node", "node server.js", "node --inspect server.js", true},
		{"node", "node server.js", "node -r dotenv server.js --verbose", true},
		{"node", "node server.js 3000", "node server.js 3001", true},
		{"node", "node server.js", "node other.js", false},
		{"node", "node a/server.js", "node b/server.js", false},
		{"python3.11", "python3 -m http.server 8000", "python3 -m http.server 8000", true},
		{"python3.11", "python3 -m http.server 8000", "python3 -m http.server 9000 --bind 127.0.0.1", true},
		{"python3.11", "python3 -m http.server 8000", "python3 app.py", false},
		{"python3.11", "python3 -m http.server", "python3 -m uvicorn", false},
		{"python3.11", "python3 manage.py runserver 127.0.0.1:8000", "python3 manage.py runserver", true},
		{"python3.11", "python3 /usr/bin/gunicorn shop:app -w 4", "python3 /usr/bin/gunicorn shop:app -w 2", true},
		{"python3.11", "python3 /usr/bin/gunicorn shop:app", "python3 /usr/bin/gunicorn blog:app", false},
		{"java", "java -Xmx1g -jar shop.jar", "java -Xmx2g -jar shop.jar", true},
		{"java", "java -jar shop.jar", "java -jar blog.jar", false},
		{"java", "java -cp lib com.acme.Shop", "java -cp lib com.acme.Blog", false},
		{"php", "php -S localhost:8000 -t public", "php -S localhost:8000 -t public", true},
		{"php", "php -S localhost:8000 -t public", "php -S localhost:8000 -t admin", false},
		{"deno", "deno run -A main.ts", "deno run -A other.ts", false},
		{"nginx", "nginx -c a.conf", "nginx -c b.conf", true}, // not an interpreter: comparing the program is enough
	} {
		listener := func(command string) *monitor.Listener {
			l := newListener("a", 3000, test.program, "/shop")
			l.Owners[0].Command = strings.Fields(command)
			return l
		}
		if got := SameService(listener(test.before), listener(test.after)); got != test.want {
			t.Errorf("%q, then %q: same service is %t, want %t", test.before, test.after, got, test.want)
		}
	}
	title := func(title string) *monitor.Listener {
		l := newListener("a", 3000, "python3.11", "/shop")
		l.Owners[0].Command = []string{title}
		return l
	}
	if !SameService(title("gunicorn: worker 1"), title("gunicorn: worker 12")) || SameService(title("gunicorn: master [shop]"), title("gunicorn: master [blog]")) {
		t.Error("titles: want the same service with another number, and another service with another name")
	}
}

// Two worktrees of one project differ in their folders.
func TestSameServiceOfWorktrees(t *testing.T) {
	a, b := newListener("a", 3000, "node", "/shop"), newListener("b", 3000, "node", "/shop-fix")
	if SameService(a, b) {
		t.Error("servers of two worktrees are the same service")
	}
}

// A service is root until it becomes another user; a program of root that is in no
// service, or in another one, is not the same.
func TestSameServiceOfUsers(t *testing.T) {
	for _, test := range []struct {
		user, unit, userAfter, unitAfter string
		want                             bool
	}{
		{"vcache", "varnish.service", "vcache", "varnish.service", true},
		{"vcache", "varnish.service", "root", "varnish.service", true},
		{"root", "varnish.service", "vcache", "varnish.service", true},
		{"vcache", "varnish.service", "ann", "varnish.service", false},
		{"vcache", "varnish.service", "root", "other.service", false},
		{"ann", "session-1.scope", "root", "session-1.scope", false},
		{"ann", "", "root", "", false},
	} {
		listener := func(user, unit string) *monitor.Listener {
			l := newListener("a", 6081, "varnishd", "/")
			l.Owners[0].User, l.Owners[0].Unit = user, unit
			return l
		}
		if got := SameService(listener(test.user, test.unit), listener(test.userAfter, test.unitAfter)); got != test.want {
			t.Errorf("%+v: got %t", test, got)
		}
	}
}

func TestOtherScriptIsOwnerChange(t *testing.T) {
	p := newScript(t, Rule{Ports: monitor.Ports{{First: 3000, Last: 3000}}, NotifyOn: OnOpen | OnClose | OnOwnerChange})
	before, after := newListener("a", 3000, "node", "/shop"), newListener("b", 3000, "node", "/shop")
	before.Owners[0].Command, after.Owners[0].Command = []string{"node", "a.js"}, []string{"node", "b.js"}
	p.events("", eventOf(monitor.Closed, before))
	p.events("owner_changed 3000", eventOf(monitor.Opened, after))
}
