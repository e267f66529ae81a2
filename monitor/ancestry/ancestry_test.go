package ancestry

import (
	"strings"
	"testing"
	"unicode/utf8"

	"porthole/internal/sample"
	"porthole/monitor"
)

func TestExplain(t *testing.T) {
	npm := []string{"sh|sh -c vite", "npm run dev|npm run dev", "zsh|-zsh", "gnome-terminal-|/usr/libexec/gnome-terminal-server", "systemd|/lib/systemd/systemd --user", "systemd|/sbin/init"}
	for _, test := range []struct {
		name     string
		parents  []string
		ended    []int
		origin   monitor.CgroupInfo
		want     string
		orphaned bool
		job      bool // of a shell that has ended
	}{
		{name: "npm", parents: npm, want: "Started by npm run dev in zsh, in GNOME Terminal"},
		{name: "npm, terminal closed", parents: npm, ended: []int{4}, orphaned: true,
			want: "Orphaned: started by npm run dev, whose terminal has closed"},
		{name: "npm that ended itself", parents: npm, ended: []int{5, 6}, want: "Started by npm run dev in zsh, in GNOME Terminal"},
		{name: "npm by its file", parents: []string{"node|node /usr/bin/npm run dev", "bash|bash", "kitty|kitty"}, want: "Started by npm run dev in bash, in kitty"},
		{name: "npm-cli.js", parents: []string{"node|node /usr/lib/npm/bin/npm-cli.js start", "fish|fish", "foot|foot"}, want: "Started by npm start in fish, in foot"},
		{name: "shell alone", parents: []string{"bash|/bin/bash", "konsole|/usr/bin/konsole"}, want: "Started in bash, in Konsole"},
		{name: "bash --login -i", parents: []string{"bash|bash --login -i", "xterm|xterm"}, want: "Started in bash, in xterm"},
		{name: "a script", parents: []string{"bash|bash ./dev/start.sh --fast", "zsh|zsh", "alacritty|alacritty"}, want: "Started by start.sh in zsh, in Alacritty"},
		{name: "the shell closed", parents: []string{"bash|bash", "systemd|systemd"}, ended: []int{2}, orphaned: true,
			want: "Orphaned: started in bash, which has closed"},
		{name: "tmux terminal multiplexer", parents: []string{"bash|bash", "tmux: server|tmux new", "bash|bash", "xterm|xterm"}, ended: []int{1, 2},
			want: "Started in bash, in tmux"},
		{name: "ssh", parents: []string{"bash|-bash", "sshd|sshd:\u00a0ann@pts/0", "sshd|sshd:\u00a0/usr/sbin/sshd\u00a0-D"}, want: "Started in bash, in an SSH session"},
		{name: "closed ssh session", parents: []string{"python3|python3 run.py", "sshd|sshd:\u00a0ann@pts/0"}, ended: []int{1}, orphaned: true,
			want: "Orphaned: started in an SSH session, which has closed"},
		{name: "VS Code", parents: []string{"zsh|/usr/bin/zsh -i", "code|/usr/share/code/code --type=utility"}, want: "Started in zsh, in VS Code"},
		{name: "VS Code far away", parents: []string{"node|/home/a/.vscode-server/bin/1/node server.js"}, want: "Started in VS Code"},
		{name: "JetBrains", parents: []string{"bash|/bin/bash --rcfile /opt/goland/plugins/terminal/bash-integration.bash -i", "java|/opt/goland/jbr/bin/java com.intellij.idea.Main"}, want: "Started in bash, in a JetBrains IDE"},
		{name: "VS Code's bash", parents: []string{"bash|/bin/bash --init-file /usr/share/code/resources/app/out/vs/workbench/contrib/terminal/common/scripts/shellIntegration-bash.sh", "code|/usr/share/code/code"}, want: "Started in bash, in VS Code"},
		{name: "VS Code's fish", parents: []string{"fish|/usr/bin/fish --init-command source_it", "code|/usr/share/code/code"}, want: "Started in fish, in VS Code"},
		{name: "VS Code's PowerShell", parents: []string{"pwsh|pwsh -noexit -command try_it", "code|/usr/share/code/code"}, want: "Started in PowerShell, in VS Code"},
		{name: "a script after flags", parents: []string{"bash|bash -o pipefail -eu dev.sh", "zsh|zsh"}, want: "Started by dev.sh in zsh"},
		{name: "screen", parents: []string{"bash|bash", "screen|SCREEN -S web", "systemd|/sbin/init"}, want: "Started in bash, in screen"},
		{name: "podman", parents: []string{"conmon|/usr/bin/conmon --api-version 1 -c 0123", "systemd|/lib/systemd/systemd --user"},
			origin: monitor.CgroupInfo{ContainerID: "0123456789abcdef0123"}, want: "Runs in the container 0123456789ab"},
		{name: "go run", parents: []string{"go|go run . -v", "bash|bash", "tilix|tilix"}, want: "Started by go run . in bash, in Tilix"},
		{name: "make over npm", parents: []string{"npm run dev|npm run dev", "make|make web", "zsh|zsh", "tilix|tilix"}, want: "Started by npm run dev in zsh, in Tilix"},
		{name: "cargo", parents: []string{"cargo|/home/a/.cargo/bin/cargo run --release", "bash|bash"}, want: "Started by cargo run --release in bash"},
		{name: "cron", parents: []string{"sh|/bin/sh -c /opt/report", "cron|/usr/sbin/CRON -f", "systemd|/sbin/init"}, want: "Started by /opt/report, under cron"},
		{name: "pm2", parents: []string{"PM2 v5.3.0: God|PM2 v5: God Daemon", "systemd|/sbin/init"}, want: "Started by pm2"},
		{name: "supervisord", parents: []string{"supervisord|/usr/bin/python3 /usr/bin/supervisord"}, want: "Started by supervisord"},
		{name: "a unit", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "postgresql.service"}, want: "Started by systemd as postgresql.service"},
		{name: "python3 supervisord", parents: []string{"python3|python3 /usr/bin/supervisord -n", "bash|bash"}, want: "Started by supervisord"},
		{name: "supervisord from an entry point", parents: []string{"sh|sh -c serve", "supervisord|/usr/bin/python3 /usr/bin/supervisord -c sup.conf", "bash|bash /entrypoint.sh"}, want: "Started by serve, under supervisord"},
		{name: "runit from a shell that closed", parents: []string{"runsv|runsv web", "runsvdir|runsvdir rs", "bash|bash"}, ended: []int{1}, want: "Started by runit"},
		{name: "pm2's title cut by the length of its command line", parents: []string{"PM2 v5.4.2:|PM2\u00a0v5.4.2:", "bash|bash /entrypoint.sh"}, want: "Started by pm2"},
		{name: "monit, which is no parent", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "monit.service"}, want: "Started by monit"},
		{name: "supervisord, after its shell ended", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "supervisor.service"}, want: "Started by supervisord"},
		{name: "pm2 under its unit", parents: []string{"PM2 v5.3.0: God|PM2 v5.3.0: God Daemon (/root/.pm2)", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "pm2-root.service"}, want: "Started by pm2"},
		{name: "runit", parents: []string{"runsv|runsv web", "runsvdir|runsvdir -P /etc/service", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "runit.service"}, want: "Started by runit"},
		{name: "s6", parents: []string{"s6-supervise|s6-supervise web", "s6-svscan|s6-svscan /run/service"}, want: "Started by s6"},
		{name: "foreman", parents: []string{"ruby|ruby /usr/bin/foreman start", "bash|bash", "kitty|kitty"}, want: "Started by foreman start in bash, in kitty"},
		{name: "foreman's title", parents: []string{"sh|sh -c web", "foreman: master|foreman:\u00a0master", "bash|bash", "kitty|kitty"}, want: "Started by foreman in bash, in kitty"},
		{name: "nodemon", parents: []string{"node|node /usr/bin/nodemon app.js", "bash|bash", "kitty|kitty"}, want: "Started by nodemon app.js in bash, in kitty"},
		{name: "nodemon through a shell", parents: []string{"sh|sh -c node,app.js", "node|/usr/bin/node /usr/local/lib/node_modules/nodemon/bin/nodemon.js app.js", "bash|bash"}, want: "Started by nodemon app.js in bash"},
		{name: "nohup after its shell ended", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "session-3.scope"}, job: true, orphaned: true,
			want: "Orphaned: the session leader has exited"},
		{name: "nohup in a terminal's scope", parents: []string{"systemd|/lib/systemd/systemd --user", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "vte-spawn-1.scope"}, job: true, orphaned: true,
			want: "Orphaned: the session leader has exited"},
		{name: "a job in a service", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "web.service"}, job: true, want: "Started by systemd as web.service"},
		{name: "the sshd daemon", parents: []string{"sshd|sshd:\u00a0/usr/sbin/sshd\u00a0-D\u00a0[listener]\u00a00\u00a0of\u00a010-100\u00a0startups", "systemd|/sbin/init"}, ended: []int{2}, want: "Started by sshd"},
		{name: "the sshd daemon before version 8", parents: []string{"sshd|/usr/sbin/sshd -D", "systemd|/sbin/init"}, ended: []int{2}, want: "Started by sshd"},
		{name: "a restarted sshd", parents: []string{"bash|-bash", "sshd|sshd:\u00a0ann@pts/0", "sshd|/usr/sbin/sshd -D"}, ended: []int{1}, want: "Started in bash, in an SSH session"},
		{name: "an ssh session without a terminal", parents: []string{"bash|-bash", "sshd-session|sshd-session:\u00a0ann@notty"}, want: "Started in bash, in an SSH session"},
		{name: "a master", parents: []string{"node|node cluster.js", "node|node cluster.js", "systemd|/sbin/init"}, want: "Child of systemd: it is a service, or the process that started it has exited"},
		{name: "a master of a program", parents: []string{"node|node cluster.js", "runner|runner", "systemd|/sbin/init"}, want: "Started by runner"},
		{name: "a socket unit", origin: monitor.CgroupInfo{Unit: "gpsd.socket"}, want: "gpsd.socket: systemd starts gpsd.service at the first connection"},
		{name: "a socket unit of a user", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "web.socket"}, want: "web.socket: systemd starts web.service at the first connection"},
		{name: "a unit below its master", parents: []string{"nginx|nginx: master process", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "nginx.service"}, want: "Started by systemd as nginx.service"},
		{name: "a unit below a script", parents: []string{"sh|/bin/sh /opt/start.sh", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "web.service"}, want: "Started by start.sh, under web.service"},
		{name: "a user's unit", parents: []string{"systemd|/lib/systemd/systemd --user", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "web.service"}, want: "Started by systemd as web.service"},
		{name: "a user's systemd is no unit", parents: []string{"systemd|/lib/systemd/systemd --user", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "user@1000.service"},
			want: "Child of systemd (user): it is a service, or the process that started it has exited"},
		{name: "docker-proxy", parents: []string{"dockerd|dockerd", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "docker.service", Container: &monitor.Container{Name: "web", Published: true}}, want: "Publishes a port of the container web"},
		{name: "rootlessport of an unknown container", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Container: &monitor.Container{Published: true}}, want: "Publishes a port of a container"},
		{name: "a socket unit", parents: nil, origin: monitor.CgroupInfo{Unit: "gpsd.socket"}, want: "gpsd.socket: systemd starts gpsd.service at the first connection"},
		{name: "a socket unit of another service", parents: nil, origin: monitor.CgroupInfo{Unit: "web.socket", Activates: "web-blue.service"}, want: "web.socket: systemd starts web-blue.service at the first connection"},
		{name: "a socket unit with Accept=yes", parents: nil, origin: monitor.CgroupInfo{Unit: "echo.socket", Activates: "echo@.service", PerConnection: true}, want: "echo.socket: systemd starts echo@.service for each connection"},
		{name: "a supervisor's unit", parents: []string{"supervisord|/usr/bin/python3 /usr/bin/supervisord", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "supervisor.service"}, want: "Started by supervisord"},
		{name: "cron's unit", parents: []string{"sh|/bin/sh -c /opt/report", "cron|/usr/sbin/CRON -f", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "cron.service"}, want: "Started by /opt/report, under cron"},
		{name: "a shell in a unit", parents: []string{"bash|bash", "ttyd|ttyd bash", "systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "ttyd.service"}, want: "Started in bash"},
		{name: "a scope is not a service", parents: []string{"systemd|/sbin/init"}, origin: monitor.CgroupInfo{Unit: "session-2.scope"},
			want: "Started in the session session-2.scope by a process that has exited"},
		{name: "the user's systemd", parents: []string{"systemd|/lib/systemd/systemd --user", "systemd|/sbin/init"},
			want: "Child of systemd (user): it is a service, or the process that started it has exited"},
		{name: "a worker of a service", parents: []string{"nginx|nginx: master process", "systemd|/sbin/init"}, want: "Started by nginx"},
		{name: "container", parents: []string{"containerd-shim|containerd-shim-runc-v2"}, want: "Runs in the container 0123456789ab",
			origin: monitor.CgroupInfo{ContainerID: "0123456789abcdef0123"}},
		{name: "nothing known", want: "Started by an unknown process"},
		{name: "a secret", parents: []string{"npm|npm run dev --token=hunter22"}, want: "Started by npm run dev"},
		{name: "a secret in a script", parents: []string{"sh|sh -c --password=hunter22", "bash|bash"}, want: "Started by --password=••• in bash"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ended := map[int]bool{}
			for _, pid := range test.ended {
				ended[pid] = true
			}
			w := Explain(monitor.Owner{PID: 99, Name: "node", Parents: sample.Parents(test.parents...)}, test.origin, monitor.ProcessState{EndedParents: ended, ShellEnded: test.job})
			if got := w.Sentence().String(); got != test.want || w.Orphaned != test.orphaned {
				t.Errorf("got %q, orphaned %v; want %q, %v", got, w.Orphaned, test.want, test.orphaned)
			}
			if len(w.Chain) != len(test.parents)+1 || w.Chain[len(w.Chain)-1].PID != 99 {
				t.Errorf("got chain %+v, want the %d parents and the process last", w.Chain, len(test.parents))
			}
			for _, l := range w.Chain {
				if l.Ended != ended[l.PID] {
					t.Errorf("process %d: got ended %v, want %v", l.PID, l.Ended, ended[l.PID])
				}
			}
		})
	}
}

// Processes choose their own names.
func TestHostileParents(t *testing.T) {
	long := strings.Repeat("x\n", 1<<20)
	for _, text := range []string{"", "\n", "\x1b[31mred", "exe\u202egnp", "bad\xff\xfe", long, "-", ":", "/", "sh"} {
		for _, command := range [][]string{nil, {}, {""}, {text}, {"sh", "-c", text}, {"sh", text}, {"npm", "run", text}, {"node", "npm", text}, {text, "--password", text}} {
			w := Explain(monitor.Owner{PID: 9, Name: text, Parents: []monitor.Parent{{PID: 5, Name: text, Command: command}}},
				monitor.CgroupInfo{Unit: text, ContainerID: text}, monitor.ProcessState{SessionLeaderEnded: true})
			words := []string{w.Sentence().String()}
			for _, l := range w.Chain {
				words = append(words, l.Name, l.Title)
			}
			for _, s := range words {
				if s == "" || s != monitor.Clean(s, 400) || utf8.RuneCountInString(s) > 200 {
					t.Fatalf("name %.20q, command %.40q: %.80q is not safe to display", text, command, s)
				}
			}
		}
	}
}

// The unit of the process counts, not that of another owner of its listener.
func TestUnitOfTheProcess(t *testing.T) {
	o := monitor.Owner{PID: 99, Name: "web", Unit: "web.service", Parents: sample.Parents("systemd|/sbin/init")}
	if got, want := Explain(o, monitor.CgroupInfo{Unit: "other.service"}, monitor.ProcessState{}).Sentence().String(), "Started by systemd as web.service"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// "Started by starter" does not explain charon: both are from the same package.
func TestHelpersOfServers(t *testing.T) {
	for _, test := range []struct{ name, parent string }{{"charon", "starter"}, {"firebird", "fbguard"}, {"couriertcpd", "courierlogger"}, {"mariadbd", "mysqld_safe"}, {"squid", "squid"}} {
		o := monitor.Owner{PID: 99, Name: test.name, Parents: sample.Parents(test.parent+"|/usr/sbin/"+test.parent, "systemd|/sbin/init")}
		want := "Child of systemd: it is a service, or the process that started it has exited"
		if got := Explain(o, monitor.CgroupInfo{}, monitor.ProcessState{}).Sentence().String(); got != want {
			t.Errorf("%s below %s: got %q, want %q", test.name, test.parent, got, want)
		}
		o.Unit = "server.service"
		if got, want := Explain(o, monitor.CgroupInfo{}, monitor.ProcessState{}).Sentence().String(), "Started by systemd as server.service"; got != want {
			t.Errorf("%s below %s: got %q, want %q", test.name, test.parent, got, want)
		}
	}
}
