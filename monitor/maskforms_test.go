package monitor

import (
	"slices"
	"strings"
	"testing"
)

// secretForms are command lines in which S3cretXyz is a secret.
var secretForms = [][]string{
	args("redis-server --masterauth S3cretXyz"), args("mitmdump --proxyauth u:S3cretXyz"), args("tailscale up --authkey tskey-S3cretXyz"), args("app tskey-S3cretXyz"),
	args("app --dsn=u:S3cretXyz@tcp(db:3306)/x"), args("app u:S3cretXyz@tcp(db:3306)/x"), args("env DATA_SOURCE_NAME=exporter:S3cretXyz@(localhost:3306)/ app"),
	{"curl", "-H", "Authorization: S3cretXyz"}, args("mcp-remote --header Authorization:S3cretXyz"), {"sh", "-c", `curl -H "Authorization: S3cretXyz" h`},
	args("app -pS3cretXyz"), args("app -p S3cretXyz"), args("app -u admin:S3cretXyz"), args("app --user admin:S3cretXyz"), args("app -a S3cretXyz"),
	args("git clone https://S3cretXyz@github.com/x"), args("app http://h/?sig=S3cretXyz"), args("app https://hooks.slack.com/services/T0/B0/S3cretXyz"),
	args("app sk_live_S3cretXyz"), args("docker run -e MYSQL_ROOT_PW=S3cretXyz x"), args("app --pw=S3cretXyz"), args("app --otp S3cretXyz"), args("app --pin S3cretXyz"),
	args("app --pin 1234 S3"), args("app --key=S3cretXyz"), args("app jdbc:oracle:thin:u/S3cretXyz@db"), args("app --wallet-seed S3cretXyz"), args("app --cookie S3cretXyz"),
	args("app --license S3cretXyz"), args("app --session S3cretXyz"), args("msbuild /p:Password=S3cretXyz"), args("app PASSWORD S3cretXyz"), args("app --url u:S3cretXyz@host"),
	args("app --pat S3cretXyz"), args("app --hash S3cretXyz"), args("ss-local -k S3cretXyz"), args("microsocks -P S3cretXyz"), args("ttyd -c user:S3cretXyz bash"),
	args("gost -L user:S3cretXyz@:8080"), args("plink -L 8080:h:80 u@h -pw S3cretXyz"), args("curl -sSu user:S3cretXyz h"), args("curl -usr:S3cretXyz h"), args("app --jwt S3cretXyz"), args("app --passcode S3cretXyz"),
	args("app --hmac-key S3cretXyz"), args("app --encryption-key=S3cretXyz"), args("app --signing-key S3cretXyz"), args("app --session-key S3cretXyz"),
	args("app --api-keys S3cretXyz"), args("app --tokens S3cretXyz"), args("app --creds S3cretXyz"), args("app --credentials=S3cretXyz"), args("redis-server --requirepass -S3cretXyz"),
	{"sh", "-c", "app --password=foo,S3cretXyz"}, {"sh", "-c", "app --pin S3cretXyz"}, {"sh", "-c", "app --requirepass -S3cretXyz"},
	args("app --salt S3cretXyz"), args("app --dsn S3cretXyz"), args("app --password=S3cretXyz"), args("app --token S3cretXyz"),
}

func TestSecretFormsAreMasked(t *testing.T) {
	for _, command := range secretForms {
		for name, mask := range map[string]func([]string) []string{"MaskCommand": MaskCommand, "RedactCommand": RedactCommand} {
			if got := mask(command); strings.Contains(strings.Join(got, " "), "S3cretXyz") || slices.Contains(got, "1234") {
				t.Errorf("%s(%q) = %q", name, command, got)
			}
		}
	}
	for _, entry := range []string{
		"MYSQL_ROOT_PW=S3cretXyz", "SMTP_PW=S3cretXyz", "GH_PAT=S3cretXyz", "JWT=S3cretXyz", "STRIPE_SK=S3cretXyz", "X=sk_live_S3cretXyz", "WEBHOOK=S3cretXyz", "WEBHOOK_URL=https://h/S3cretXyz",
		"X=https://hooks.slack.com/services/T/B/S3cretXyz", "BASIC=S3cretXyz", "TS_AUTHKEY=S3cretXyz", "DATA_SOURCE_NAME=exporter:S3cretXyz@(localhost:3306)/", "LICENSE=S3cretXyz", "DB_CREDS=S3cretXyz",
	} {
		if got := MaskVariable(entry); strings.Contains(got, "S3cretXyz") {
			t.Errorf("MaskVariable(%q) = %q", entry, got)
		}
	}
}

// Words that often stand beside the names and forms above stay readable.
func TestHarmlessValuesStayReadable(t *testing.T) {
	for _, command := range [][]string{
		args("nginx --key /etc/ssl/private/site.key --cert site.pem"), args("vite --https-key=certs/dev.key"), args("app --hash sha256 --session off"),
		args("docker run -u app:staff -p 127.0.0.1:8080:80/tcp nginx:1.27@sha256:0123"), args("ssh -N -L 8080:db:5432 ann@host"), args("npx npm:pkg@1.2 dev"),
		args("uwsgi --user www-data:www-data"), args("mkdir -p build"), args("java -jar app.jar -Xmx512m"), args("socat TCP-LISTEN:8080,fork TCP:db:5432"),
		args("python3 -m http.server 8000"), args("rails server -p 3000 -b 0.0.0.0"), args("postgres: ann shop 127.0.0.1(5432) idle"),
		args("app keys patch pinned session.js --patch --sign --hashing --spin"),
	} {
		if got := MaskCommand(command); !slices.Equal(got, command) {
			t.Errorf("MaskCommand(%q) = %q, want no change", command, got)
		}
	}
	for _, entry := range []string{"DESKTOP_SESSION=gnome", "XDG_SESSION_TYPE=wayland", "XDG_SESSION_ID=2", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus", "SESSION_MANAGER=local/x"} {
		if got := MaskVariable(entry); got != entry {
			t.Errorf("MaskVariable(%q) = %q, want no change", entry, got)
		}
	}
}
