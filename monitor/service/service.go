// Package service names what a listener is for: from what the command line of
// its owner gives away, else from the port.
package service

import (
	"path/filepath"
	"slices"
	"strings"

	"porthole/monitor"
)

// Describe fills in l.Service. It is pure but for that, and leaves l alone
// where nothing is known.
func Describe(l *monitor.Listener) {
	if p, ok := l.Principal(); ok {
		if l.Service = fromCommand(p); l.Service != "" {
			return
		}
	}
	l.Service = wellKnown[l.Port]
}

// sign is a word that gives a service away: the last element of the program,
// or of one of the first arguments.
type sign struct{ word, service string }

var signs = []sign{
	{"vite", "Vite"}, {"next", "Next.js"}, {"next-server", "Next.js"}, {"nuxt", "Nuxt"}, {"webpack", "webpack"},
	{"react-scripts", "React"}, {"ng", "Angular"}, {"astro", "Astro"}, {"manage.py", "Django"}, {"flask", "Flask"},
	{"uvicorn", "Uvicorn"}, {"gunicorn", "Gunicorn"}, {"http.server", "http.server"}, {"jupyter-lab", "Jupyter"},
	{"jupyter-notebook", "Jupyter"}, {"rails", "Rails"}, {"puma", "Puma"}, {"postgres", "PostgreSQL"},
	{"redis-server", "Redis"}, {"mysqld", "MySQL"}, {"mariadbd", "MariaDB"}, {"mongod", "MongoDB"},
	{"memcached", "memcached"}, {"nginx", "nginx"}, {"apache2", "Apache"}, {"httpd", "Apache"}, {"caddy", "Caddy"},
	{"ollama", "Ollama"}, {"docker-proxy", "docker-proxy"}, {"sshd", "ssh"}, {"dlv", "Delve"}, {"gopls", "gopls"},
	{"adb", "adb"}, {"cupsd", "ipp"},
}

func fromCommand(o monitor.Owner) string {
	words := []string{filepath.Base(o.Program), strings.TrimSuffix(o.Name, ":")}
	for _, arg := range o.Command[:min(len(o.Command), 5)] {
		words = append(words, filepath.Base(arg))
	}
	for _, s := range signs {
		if slices.Contains(words, s.word) {
			return s.service
		}
	}
	return ""
}

// wellKnown are names of the IANA registry of service names (RFC 6335), and
// of Debian's /etc/services, for ports that developers meet.
var wellKnown = map[uint16]string{
	20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 67: "bootps", 68: "bootpc", 69: "tftp",
	79: "finger", 80: "http", 88: "kerberos", 110: "pop3", 111: "sunrpc", 113: "auth", 119: "nntp", 123: "ntp",
	135: "epmap", 137: "netbios-ns", 139: "netbios-ssn", 143: "imap", 161: "snmp", 179: "bgp", 194: "irc", 389: "ldap",
	443: "https", 445: "microsoft-ds", 465: "submissions", 514: "shell", 515: "printer", 548: "afpovertcp", 554: "rtsp",
	587: "submission", 631: "ipp", 636: "ldaps", 853: "domain-s", 873: "rsync", 989: "ftps-data", 990: "ftps",
	993: "imaps", 995: "pop3s", 1080: "socks", 1194: "openvpn", 1433: "ms-sql-s", 1521: "oracle", 1723: "pptp",
	1883: "mqtt", 2049: "nfs", 2181: "zookeeper", 2375: "docker", 2376: "docker-s", 2379: "etcd-client",
	2380: "etcd-server", 3128: "squid", 3268: "msft-gc", 3306: "mysql", 3389: "ms-wbt-server", 3690: "svn",
	4222: "nats", 4369: "epmd", 5000: "commplex-main", 5060: "sip", 5222: "xmpp-client", 5353: "mdns", 5355: "llmnr",
	5432: "postgresql", 5671: "amqps", 5672: "amqp", 5900: "rfb", 5984: "couchdb", 5985: "wsman", 6000: "x11",
	6379: "redis", 6443: "sun-sr-https", 6667: "ircu", 8000: "irdmi", 8008: "http-alt", 8080: "http-alt",
	8443: "pcsync-https", 8883: "secure-mqtt", 9000: "cslistener", 9042: "cassandra", 9090: "websm", 9092: "kafka",
	9100: "hp-pdl-datastr", 9200: "wap-wsp", 9418: "git", 11211: "memcache", 27017: "mongodb",
}
