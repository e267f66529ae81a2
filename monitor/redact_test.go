package monitor

import (
	"slices"
	"strings"
	"testing"
)

func TestRedactCommand(t *testing.T) {
	for _, test := range []struct{ command, want []string }{
		{args("node /home/ada/acme/server.js --port 3000"), args("node /home/ada/acme/server.js --port 3000")},
		{args("python3 -m http.server 8000 --bind 127.0.0.1"), args("python3 -m http.server 8000 --bind 127.0.0.1")},
		{args("node node_modules/.bin/vite --port 62893 --token s3cret --host localhost --strictPort"), args("node node_modules/.bin/vite --port 62893 --token ••• --host localhost --strictPort")},
		{args("npm run dev:api"), args("npm run dev:api")},
		{args("uvicorn shop.main:app --host 0.0.0.0 --reload"), args("uvicorn shop.main:app --host 0.0.0.0 --reload")},
		{args("docker run -p 127.0.0.1:8080:80 -e X=hunter2"), args("docker run -p 127.0.0.1:8080:80 -e X=•••")},
		{args("docker run -p 8080:80 --name ada"), args("docker run -p 8080:80 --name •••")},
		{args("app postgres://u:hunter2@db:5432/shop http://h:80/ https://h/hook/hunter2"), args("app postgres://db:5432/••• http://h:80/ https://h/•••")},
		{[]string{"nginx: master process /usr/sbin/nginx -g daemon off;"}, []string{"nginx: master process /usr/sbin/nginx -g daemon •••"}},
		{[]string{"sh", "-c", "cd /srv && exec app --x hunter2 hunter3 --port 80"}, []string{"sh", "-c", "cd /srv && exec app --x ••• --port 80"}},
		{[]string{"app", "--password", "run dev server"}, []string{"app", "--password", "•••"}},
		{[]string{"app", "--password", "run"}, []string{"app", "--password", "•••"}},
		{args("app --pin 1234 --code=1234"), args("app --pin ••• --code=1234")},
		{args("app --config /etc/app.conf --workers=4 -phunter2"), args("app --config /etc/app.conf --workers=4 •••")},
		{args("app hunter2 unknown word"), args("app ••• ••• •••")},
		{nil, nil},
		{[]string{}, []string{}},
	} {
		before := slices.Clone(test.command)
		got := RedactCommand(test.command)
		if !slices.Equal(got, test.want) || (got == nil) != (test.want == nil) {
			t.Errorf("RedactCommand(%q) = %q, want %q", test.command, got, test.want)
		}
		if !slices.Equal(test.command, before) {
			t.Errorf("RedactCommand changed its argument to %q", test.command)
		}
	}
}

// Nothing that looks like a generated secret survives, wherever it stands, and what is
// redacted once does not change.
func FuzzRedactCommand(f *testing.F) {
	const canary = "zQ7xK9hunterB2pW"
	for _, command := range secretForms {
		line := strings.Join(command, "\x00")
		before, after, _ := strings.Cut(line, "S3cretXyz")
		f.Add(before, after)
	}
	f.Add("/srv/", "/app.js")
	f.Add("app\x00--", "=1")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		command := strings.Split(before+canary+after, "\x00")
		got := RedactCommand(command)
		if len(got) != len(command) {
			t.Fatalf("RedactCommand(%q) has %d elements, want %d", command, len(got), len(command))
		}
		if strings.Contains(strings.Join(got, ""), canary) {
			t.Errorf("RedactCommand(%q) = %q shows the secret", command, got)
		}
		if again := RedactCommand(got); !slices.Equal(again, got) {
			t.Errorf("RedactCommand(%q) = %q, want no change", got, again)
		}
	})
}
