package monitor

import (
	"slices"
	"strings"
	"testing"
)

func TestMaskCommand(t *testing.T) {
	for _, test := range []struct{ command, want []string }{
		{args("server --password=hunter2"), args("server --password=•••")},
		{args("server --password hunter2 --port 62893"), args("server --password ••• --port 62893")},
		{args("server -token hunter2 file"), args("server -token ••• file")},
		{args("server --db-passwd hunter2"), args("server --db-passwd •••")},
		{args("server --api-key hunter2"), args("server --api-key •••")},
		{args("server --password --port 80"), args("server --password --port 80")}, // a flag is not a value
		{args("env API_KEY=hunter2 node"), args("env API_KEY=••• node")},
		{args("env AWS_SECRET_ACCESS_KEY=hunter2"), args("env AWS_SECRET_ACCESS_KEY=•••")},
		{args("env PGPASSWORD=hunter2"), args("env PGPASSWORD=•••")},
		{args("java -Dtoken=hunter2 -Ddb.password=hunter2"), args("java -Dtoken=••• -Ddb.password=•••")},
		{args("app postgres://user:hunter2@db:5432/shop"), args("app postgres://user:•••@db:5432/shop")},
		{args("app redis://:hunter2@cache"), args("app redis://:•••@cache")},
		{args("app postgres://user:hun@ter2@db/shop"), args("app postgres://user:•••@db/shop")},
		{args("app http://h/?a=1&access_token=hunter2&b=2"), args("app http://h/?a=1&access_token=•••&b=2")},
		{[]string{"curl", "-H", "Authorization: Bearer hunter2hunter2"}, []string{"curl", "-H", "Authorization: Bearer •••"}},
		{[]string{"curl", "-H", "Authorization: Basic dXNlcjpodW50ZXIy"}, []string{"curl", "-H", "Authorization: Basic •••"}},
		{[]string{"curl", "-H", "X-Auth-Token: hunter2"}, []string{"curl", "-H", "X-Auth-Token: •••"}},
		{args("sudo -u db mysql -phunter2 shop"), args("sudo -u db mysql -p••• shop")},
		{args("nohup redis-cli -a hunter2 ping"), args("nohup redis-cli -a ••• ping")},
		{[]string{"sh", "-c", "cd /srv && mysql -u root -phunter2 shop | less -p1"}, []string{"sh", "-c", "cd /srv && mysql -u root -p••• shop | less -p1"}},
		{[]string{"bash", "-c", "exec sshpass -p hunter2 ssh h"}, []string{"bash", "-c", "exec sshpass -p ••• ssh h"}},
		{[]string{"bash", "-c", "redis-cli -h h -a hunter2 ping; curl -u ada:hunter2 h"}, []string{"bash", "-c", "redis-cli -h h -a ••• ping; curl -u ada:••• h"}},
		{args("gh ghp_0123456789abcdefghijABCDEFGHIJ"), args("gh •••")},
		{args("llm sk-0123456789abcdefghij"), args("llm •••")},
		{args("aws AKIAIOSFODNN7EXAMPLE"), args("aws •••")},
		{args("redis-server --requirepass hunter2"), args("redis-server --requirepass •••")},
		{[]string{"sh", "-c", "redis-server --requirepass hunter2"}, []string{"sh", "-c", "redis-server --requirepass •••"}},
		{args("app --dbpass=hunter2"), args("app --dbpass=•••")},
		{args("env SECRET_KEY_BASE=hunter2 STRIPE_KEY=hunter2 rails s"), args("env SECRET_KEY_BASE=••• STRIPE_KEY=••• rails s")},
		{args("app --password -hunter2!"), args("app --password •••")},
		{[]string{"sh", "-c", "exec env API_TOKEN='hunter2 hunter3' app"}, []string{"sh", "-c", "exec env API_TOKEN=••• app"}},
		{args("git clone https://0123456789abcdef0123@host/x"), args("git clone https://•••@host/x")},
		{args("app amqp://user:hun/ter2@mq/vhost"), args("app amqp://user:•••@mq/vhost")},
		{[]string{"curl", "-H", "Cookie: sid=hunter2; b=1"}, []string{"curl", "-H", "Cookie: •••"}},
		{args("curl -u ada:hunter2 http://h/"), args("curl -u ada:••• http://h/")},
		{args("curl --user=ada:hunter2 http://h/"), args("curl --user=ada:••• http://h/")},
		{args("/usr/bin/mysql -u root -phunter2 shop"), args("/usr/bin/mysql -u root -p••• shop")},
		{args("sshpass -p hunter2 ssh host"), args("sshpass -p ••• ssh host")},
		{args("redis-cli -a hunter2 ping"), args("redis-cli -a ••• ping")},
		// The value is the whole argument: the shell removed its quotes.
		{[]string{"app", "--password=hunter2 hunter3"}, []string{"app", "--password=•••"}},
		{[]string{"app", "DB_PASSWORD=hunter2,hunter3&hunter4;hunter5"}, []string{"app", "DB_PASSWORD=•••"}},
		// A line within one argument.
		{[]string{"sh", "-c", "exec app --token=hunter2 --port=80"}, []string{"sh", "-c", "exec app --token=••• --port=80"}},
		{nil, nil},
		{[]string{}, []string{}},
	} {
		before := slices.Clone(test.command)
		got := MaskCommand(test.command)
		if !slices.Equal(got, test.want) || (got == nil) != (test.want == nil) {
			t.Errorf("MaskCommand(%q) = %q, want %q", test.command, got, test.want)
		}
		if !slices.Equal(test.command, before) {
			t.Errorf("MaskCommand changed its argument to %q", test.command)
		}
	}
}

func TestMaskKeepsOtherText(t *testing.T) {
	for _, command := range [][]string{
		args("server --keyboard=us"),
		args("server monkey=1"),
		args("server --port 62893"),
		args("node /path/to/token-ring/server.js"),
		args("node /srv/secret/server.js --watch"),
		args("browser http://localhost:3000/"),
		args("browser http://auth:3000/login?user=me"),
		args("ssh git@github.com:owner/name.git"),
		args("app --pass-through yes"),
		args("app --compass=north --tokenizer=fast --author=me"),
		args("proxy -container-ip 172.17.0.2 -container-port 80"),
		args("app mailto:me@example.org"),
		args("server -p 8080 -p8080 --passive --bypass=no --trespass 1"),
		args("docker run -u 1000:1000 -p 8080:80 x"),
		args("curl -u ada http://127.0.0.1:8080/@x"),
		args("mysql -u root -p shop"),
		{"sh", "-c", "mysql -u root -p shop"},
		{"sh", "-c", "curl http://127.0.0.1/a-u b:c"},
		args("git clone https://ada@host/x"),
		args("env HOTKEY=f1 KEYBOARD=us server"),
		args("browser http://localhost:3000/@vite/client"),
	} {
		if got := MaskCommand(command); !slices.Equal(got, command) {
			t.Errorf("MaskCommand(%q) = %q, want no change", command, got)
		}
	}
}

func TestMaskText(t *testing.T) {
	for text, want := range map[string]string{
		"connect to postgres://u:p@h":     "connect to postgres://u:•••@h",
		"Authorization: Bearer abcdefghi": "Authorization: Bearer •••",
		"token=abc":                       "token=•••",
		"listening on 127.0.0.1:62893":    "listening on 127.0.0.1:62893",
		"":                                "",
	} {
		if got := MaskText(text); got != want {
			t.Errorf("MaskText(%q) = %q, want %q", text, got, want)
		}
	}
}

func args(line string) []string { return strings.Fields(line) }

// One argument can contain a whole command line, or JSON.
func TestMaskTextWithinArgument(t *testing.T) {
	for _, text := range []string{
		"server --password hunter2 --port 80", `--config={"password":"hunter2"}`, `--set='password=hunter2'`,
		"export X='PASSWORD=hunter2'", "(TOKEN=hunter2 app)", "Authorization: Token hunter2hunter2",
		`{"password":"a\"hunter2"}`, `{"password": "a b\\hunter2"}`, // a value with escaped characters
		// JSON as a string in JSON, once and twice, with spaces, escaped quotes and line ends in the value
		`{"echo":"{\"password\":\"hunter2\"}"}`, `{"echo":"{\"password\": \"a b hunter2\",\"port\":80}"}`,
		`{"echo":"{\"password\":\"a\\\"hunter2\"}"}`, `{"echo":"{\"password\":\"a\\n hunter2\"}"}`, `{"echo":"{\"token\":\"a\\\\ hunter2\"}"}`,
		`{"a":"{\"b\":\"{\\\"password\\\":\\\"a hunter2\\\"}\"}"}`, `{"echo":"{\"password\":\"a b hunter2`,
	} {
		if got := MaskText(text); strings.Contains(got, "hunter2") {
			t.Errorf("MaskText(%q) = %q", text, got)
		}
	}
	for _, text := range []string{"server --port 80", "--token-ring yes", "http://localhost:3000/@scope/pkg", "author: someone"} {
		if got := MaskText(text); got != text {
			t.Errorf("MaskText(%q) = %q; want no change", text, got)
		}
	}
}

func TestMaskVariable(t *testing.T) {
	for entry, want := range map[string]string{
		"GITHUB_TOKEN=hunter2":             "GITHUB_TOKEN=•••",
		"TOKENS=a b":                       "TOKENS=•••",
		"MYSQL_PASS=hunter2":               "MYSQL_PASS=•••",
		"DBPASS=hunter2":                   "DBPASS=•••",
		"PGPASSWORD=hun=ter2":              "PGPASSWORD=•••",
		"my_secret_thing=a\nb c":           "my_secret_thing=•••",
		"STRIPE_KEY=hunter2":               "STRIPE_KEY=•••",
		"AWS_ACCESS_KEY_ID=hunter2":        "AWS_ACCESS_KEY_ID=•••",
		"SENTRY_DSN=https://hunter2@x/1":   "SENTRY_DSN=•••",
		"npm_config__auth=hunter2":         "npm_config__auth=•••",
		"DATABASE_URL=pg://u:hunter2@h/d":  "DATABASE_URL=pg://u:•••@h/d",
		"ARGS=--password hunter2 --port 1": "ARGS=--password ••• --port 1",
		"X=ghp_0123456789abcdefghijABCDEF": "X=•••",
		"EMPTY_TOKEN=":                     "EMPTY_TOKEN=",
		"password=hunter2":                 "password=•••",
		// Values that are not secrets stay readable.
		"PWD=/src/acme": "PWD=/src/acme",
		"OLDPWD=/src":   "OLDPWD=/src",
		"SSH_AUTH_SOCK=/run/user/1000/keyring/ssh": "SSH_AUTH_SOCK=/run/user/1000/keyring/ssh",
		"PATH=/usr/bin:/bin":                       "PATH=/usr/bin:/bin",
		"XAUTHORITY=/home/ann/.Xauthority":         "XAUTHORITY=/home/ann/.Xauthority",
		"COMPASS=north":                            "COMPASS=•••", // better one too many than one too few
		"DATABASE_URL=pg://h/d":                    "DATABASE_URL=pg://h/d",
		"no variable":                              "no variable",
		"":                                         "",
		"=":                                        "=",
	} {
		if got := MaskVariable(entry); got != want {
			t.Errorf("MaskVariable(%q) = %q, want %q", entry, got, want)
		}
	}
}
