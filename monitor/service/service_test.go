package service

import (
	"strings"
	"testing"

	"porthole/monitor"
)

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		command, name, program string
		port                   uint16
		want                   string
		by                     monitor.ServiceBy
	}{
		{"node /srv/acme/node_modules/.bin/vite --port 3000", "node", "/usr/bin/node", 3000, "Vite", "command"},
		{"python3 manage.py runserver", "python3", "/usr/bin/python3", 8000, "Django", "command"},
		{"python3 -m http.server 8000", "python3", "/usr/bin/python3", 8000, "http.server", "command"},
		{"/usr/lib/postgresql/16/bin/postgres -D /data", "postgres", "", 5433, "PostgreSQL", "command"},
		{"", "nginx:", "", 80, "nginx", "command"},
		{"/usr/bin/docker-proxy -proto tcp -host-port 5432", "docker-proxy", "/usr/bin/docker-proxy", 5432, "docker-proxy", "program"},
		{"node server.js", "node", "/usr/bin/node", 5432, "", ""}, // the usual service of the port is another program
		{"node server.js", "node", "/usr/bin/node", 80, "HTTP", "port"},
		{"node server.js", "node", "/usr/bin/node", 62893, "", ""},
		{"server a b c d vite", "server", "", 62893, "", ""}, // too late in the command line
		{"", "", "", 62893, "", ""},
		{"/usr/sbin/mysqld", "mysqld", "/usr/sbin/mysqld", 3307, "MySQL", "program"},
		{"ssh -N -L 5433:db.internal:5432 bastion", "ssh", "/usr/bin/ssh", 5433, "ssh tunnel to db.internal:5432", "command"},
		{"ssh -N -L127.0.0.1:5433:[fd00::7]:5432 bastion", "ssh", "/usr/bin/ssh", 5433, "ssh tunnel to [fd00::7]:5432", "command"},
		{"ssh -L 1:a:2 -L [::1]:5433:b:3 bastion", "ssh", "/usr/bin/ssh", 5433, "ssh tunnel to b:3", "command"},
		{"ssh -D 1081 bastion", "ssh", "/usr/bin/ssh", 1081, "ssh SOCKS proxy", "command"},
		{"ssh -fNL 5433:db:5432 bastion", "ssh", "/usr/bin/ssh", 5433, "ssh tunnel to db:5432", "command"},
		{"ssh -NL5433:db:5432 bastion", "ssh", "/usr/bin/ssh", 5433, "ssh tunnel to db:5432", "command"},
		{"ssh -NTD 1081 bastion", "ssh", "/usr/bin/ssh", 1081, "ssh SOCKS proxy", "command"},
		{"ssh -o L -i -L bastion", "ssh", "/usr/bin/ssh", 5433, "ssh forward through bastion", "command"},
		{"ssh -L 5433:db:5432 ann@bastion", "ssh", "/usr/bin/ssh", 62893, "ssh forward through bastion", "command"}, // another port
		{"ssh -fN -p 2222 -J jump -i key ssh://ann@bastion", "ssh", "/usr/bin/ssh", 62893, "ssh forward through bastion", "command"},
		{"ssh bastion -L 5433:db:5432 sleep 1", "ssh", "/usr/bin/ssh", 5433, "ssh tunnel to db:5432", "command"},
		{"ssh bastion run -L 5433:db:5432", "ssh", "/usr/bin/ssh", 5433, "ssh forward through bastion", "command"}, // of the remote command
		{"ssh -oLocalForward=5433:db:5432 bastion", "ssh", "/usr/bin/ssh", 5433, "ssh tunnel to db:5432", "command"},
		{"ssh -o DynamicForward=1081 bastion", "ssh", "/usr/bin/ssh", 1081, "ssh SOCKS proxy", "command"},
		{"socat TCP-LISTEN:9999,fork,reuseaddr TCP:localhost:22", "socat", "/usr/bin/socat", 9999, "socat to localhost:22", "command"},
		{"socat -d UNIX-CONNECT:/run/docker.sock TCP4-LISTEN:2375,fork", "socat", "/usr/bin/socat", 2375, "socat to /run/docker.sock", "command"},
		{"porthole tap 3000", "porthole", "/usr/bin/porthole", 62893, "tap of 3000", "command"},
		{"/home/ann/bin/porthole tap --json --listen 8080 127.0.0.1:3000 status:5xx", "porthole", "/home/ann/bin/porthole", 8080, "tap of 127.0.0.1:3000", "command"},
		{"socat TCP-LISTEN:9999,fork EXEC:/bin/cat", "socat", "/usr/bin/socat", 9999, "socat", "command"},
		{"/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=5min 127.0.0.1:8081", "systemd-socket-", "/usr/lib/systemd/systemd-socket-proxyd", 8080, "systemd-socket-proxyd to 127.0.0.1:8081", "command"},
		{"busybox httpd -f -p 8080", "busybox", "/usr/bin/busybox", 8080, "BusyBox httpd", "command"},
		{"busybox nc -l -p 80", "busybox", "/usr/bin/busybox", 9999, "", ""},
		{"ruby -run -e httpd . -p 8080", "ruby", "/usr/bin/ruby3.1", 8080, "WEBrick", "command"},
		{"node /srv/shop/serve.js", "node", "/usr/bin/node", 3000, "", ""}, // a script of that name
		{"node /srv/shop/node_modules/react-scripts/scripts/start.js", "node", "/usr/bin/node", 3000, "React", "command"},
		{"node /srv/shop/node_modules/@angular/cli/bin/ng.js serve", "node", "/usr/bin/node", 4200, "Angular", "command"},
		{"bun run vite", "bun", "/home/ann/.bun/bin/bun", 5173, "Vite", "command"},
		{"deno run -A npm:vite", "deno", "/usr/bin/deno", 5173, "Vite", "command"},
		{"python3 -um http.server", "python3", "/usr/bin/python3.11", 8000, "http.server", "command"},
		{"python3 -c import_socket vite", "python3", "/usr/bin/python3.11", 8000, "", ""},
		{"java -cp /home/ann/neo4j-client/lib/keycloak.jar com.acme.Main", "java", "/usr/bin/java", 8080, "Java (Main)", "command"},
		{"java -jar /home/ann/neo4j/app.jar", "java", "/usr/bin/java", 8080, "Java (app.jar)", "command"},
		{"java -Djetty.home=/usr/share/jetty -jar start.jar", "java", "/usr/bin/java", 8080, "Jetty", "command"},
		{"java -Djetty.home=/x -Dsolr.solr.home=/y -jar start.jar", "java", "/usr/bin/java", 8983, "Solr", "command"},
		{"java -Dkafka.logs.dir=/x -cp a:b org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg", "java", "/usr/bin/java", 2181, "ZooKeeper", "command"},
		{"java -Dkafka.logs.dir=/x -Dlog4j.configuration=file:y -cp a:b kafka.Kafka server.properties", "java", "/usr/bin/java", 9092, "Kafka", "command"},
		{"java -Dkc.home.dir=/opt/keycloak -cp quarkus-run.jar io.quarkus.bootstrap.runner.QuarkusEntryPoint start", "java", "/usr/bin/java", 8080, "Keycloak", "command"},
		{"java -m org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch", "java", "/usr/bin/java", 9200, "Elasticsearch", "command"},
		{"ruby /usr/bin/bundle exec jekyll serve", "ruby", "/usr/bin/ruby3.1", 4000, "Jekyll", "command"},
		{"node server.js", "node", "/snap/acme/1/mynode", 3000, "", ""},
		{"esbuild --serve", "esbuild", "/srv/shop/node_modules/@esbuild/linux-x64/bin/esbuild", 8000, "esbuild", "program"},
		{"/usr/sbin/php-fpm8.2 --nodaemonize", "php-fpm8.2", "/usr/sbin/php-fpm8.2", 9000, "PHP-FPM", "program"},
		{"prometheus-blackbox-exporter", "prometheus-blac", "/usr/bin/prometheus-blackbox-exporter", 9115, "blackbox exporter", "program"},
		{"/usr/bin/node vault", "vault", "/usr/bin/node", 62893, "Vault", "command"}, // by its process title
		{"ssh -L", "ssh", "/usr/bin/ssh", 62893, "ssh", "command"},
		{"kubectl -n shop port-forward --address 0.0.0.0 svc/web 8085:80", "kubectl", "/usr/bin/kubectl", 8085, "kubectl port-forward to svc/web", "command"},
		{"kubectl port-forward", "kubectl", "/usr/bin/kubectl", 8085, "kubectl port-forward", "command"},
		{"node --inspect server.js", "node", "/usr/bin/node", 9229, "Node inspector", "command"},
		{"node --inspect=127.0.0.1:9300 node_modules/.bin/vite", "node", "/usr/bin/node", 9300, "Node inspector", "command"},
		{"node --inspect node_modules/.bin/vite", "node", "/usr/bin/node", 62893, "Vite", "command"},
		{"java -Xmx1g -Dx=y -a -b -c -cp lib org.elasticsearch.bootstrap.Elasticsearch", "java", "/usr/bin/java", 9201, "Elasticsearch", "command"},
		{"java -jar app.jar", "java", "/usr/bin/java", 62893, "Java (app.jar)", "command"},
		{"/home/a/.vscode-server/bin/1/node out/server-main.js", "node", "/home/a/.vscode-server/bin/1/node", 62893, "VS Code server", "command"},
	} {
		l := &monitor.Listener{Port: test.port, Owners: []monitor.Owner{{
			Name: test.name, Program: test.program, Command: strings.Fields(test.command),
		}}}
		if Describe(l); l.Service != test.want || l.ServiceBy != test.by {
			t.Errorf("%q on %d: got %q by %q, want %q by %q", test.command, test.port, l.Service, l.ServiceBy, test.want, test.by)
		}
	}
	next := &monitor.Listener{Port: 62893, Owners: []monitor.Owner{{Name: "MainThread", Command: []string{"next-server (v15.1.0)"}}}}
	if Describe(next); next.Service != "Next.js" {
		t.Errorf("title with a version: got %q, want Next.js", next.Service)
	}
	for title, want := range map[string]string{"ssh: /home/ann/.ssh/master [mux]": "ssh forward through 10.77.0.2", "ssh: /home/ann/.ssh/cm-ann@bastion:22 [mux]": "ssh forward through bastion"} {
		master := &monitor.Listener{Port: 5433, Owners: []monitor.Owner{{Name: "ssh", Program: "/usr/bin/ssh", Command: []string{title}, SSHServer: "10.77.0.2"}}}
		if Describe(master); master.Service != want {
			t.Errorf("%q: got %q, want %q", title, master.Service, want)
		}
	}
	l := &monitor.Listener{Port: 22}
	if Describe(l); l.Service != "SSH" {
		t.Errorf("port 22 with unknown owner: got %q, want SSH", l.Service)
	}
}

func TestWellKnown(t *testing.T) {
	for port, want := range map[uint16]string{
		22: "SSH", 25: "SMTP", 53: "DNS", 80: "HTTP", 443: "HTTPS", 631: "IPP", 3306: "MySQL", 5432: "PostgreSQL", 6379: "Redis", 27017: "MongoDB",
		// Registered names that nobody expects on ports that developers use for
		// anything.
		3000: "", 3001: "", 4000: "", 4200: "", 5000: "", 5001: "", 5173: "", 8000: "", 8080: "", 8081: "", 8443: "", 8888: "", 9000: "", 9090: "",
		0: "", 62893: "", 65535: "",
	} {
		if got := WellKnown(port); got != want {
			t.Errorf("port %d: got %q, want %q", port, got, want)
		}
	}
}

// Command lines are hostile, and the result is displayed.
func TestHostileCommand(t *testing.T) {
	long := strings.Repeat("x\n", 1<<20)
	for _, text := range []string{"", "\n", "[", "]:", "a\u202eb", "\xff", long, "--password=hunter22"} {
		for _, command := range [][]string{nil, {text}, {"ssh", "-L", "5433:" + text + ":1"}, {"ssh", "-L" + text}, {"ssh", "-D"}, {"ssh", text}, {"ssh: /home/ann/" + text + "@" + text + ":22 [mux]"}, {"ssh", "-o", "LocalForward 5433 " + text}, {"socat", text, "TCP:" + text},
			{"websockify", "6080", text + ":1"}, {"java", "-jar", text}, {"java", text}, {"x", "-m", text}, {"x", text}, {"x", "-s", text},
			{"kubectl", "port-forward", text}, {"kubectl", text, "port-forward"}, {"node", "--inspect=" + text}} {
			for _, program := range []string{"ssh", "kubectl", "node", "java", "socat", "python3", "ruby", "perl", "php", "beam.smp", "busybox", "couriertcpd", text + "_exporter", text} {
				l := &monitor.Listener{Port: 5433, Owners: []monitor.Owner{{Name: program, Program: program, Command: command}}}
				Describe(l)
				if l.Service != monitor.Clean(l.Service, 80) || strings.Contains(l.Service, "hunter22") {
					t.Errorf("%.20q with %.40q: %.80q is not safe to display", program, command, l.Service)
				}
			}
		}
	}
}
