package service

// programs maps file names of programs, scripts and systemd units to the services
// they identify with certainty, in lower case. A version at the end of a name is
// ignored if the whole name is not listed (see lookUp).
var programs = map[string]string{
	// Databases, caches, queues. Debian's redis-server is a link to redis-check-rdb.
	"postgres": "PostgreSQL", "postmaster": "PostgreSQL", "pgbouncer": "PgBouncer", "redis-server": "Redis", "redis-check-rdb": "Redis",
	"redis-check-aof": "Redis", "redis-sentinel": "Redis", "valkey-server": "Valkey", "valkey-check-rdb": "Valkey", "valkey-sentinel": "Valkey",
	"keydb-server": "KeyDB", "mysqld": "MySQL", "mariadbd": "MariaDB", "mongod": "MongoDB", "mongos": "MongoDB", "memcached": "memcached",
	"clickhouse": "ClickHouse", "clickhouse-server": "ClickHouse", "cockroach": "CockroachDB", "influxd": "InfluxDB", "etcd": "etcd",
	"couchdb": "CouchDB", "beam.smp": "Erlang", "rabbitmq-server": "RabbitMQ", "epmd": "Erlang port mapper", "nats-server": "NATS",
	"mosquitto": "Mosquitto", "meilisearch": "Meilisearch", "typesense-server": "Typesense", "qdrant": "Qdrant", "minio": "MinIO",
	"surreal": "SurrealDB", "dragonfly": "Dragonfly", "sqlservr": "SQL Server", "beanstalkd": "beanstalkd", "gearmand": "Gearman",
	"firebird": "Firebird", "fbserver": "Firebird", "carbon-cache": "Graphite carbon-cache", "carbon-relay": "Graphite carbon-relay",
	"questdb": "QuestDB", "victoria-metrics": "VictoriaMetrics", "rethinkdb": "RethinkDB", "arangod": "ArangoDB", "proxysql": "ProxySQL",
	"tarantool": "Tarantool", "emqx": "EMQX", "nsqd": "NSQ", "nsqlookupd": "NSQ",
	// Web servers and proxies
	"nginx": "nginx", "apache2": "Apache", "httpd": "Apache", "caddy": "Caddy", "traefik": "Traefik", "haproxy": "HAProxy", "envoy": "Envoy",
	"lighttpd": "lighttpd", "squid": "Squid", "varnishd": "Varnish", "privoxy": "Privoxy", "tor": "Tor", "mitmproxy": "mitmproxy",
	"mitmweb": "mitmproxy", "mitmdump": "mitmproxy", "ngrok": "ngrok", "cloudflared": "cloudflared", "frpc": "frp", "frps": "frp", "php-fpm": "PHP-FPM",
	"mini_httpd": "mini_httpd", "thttpd": "thttpd", "darkhttpd": "darkhttpd", "uwsgi": "uWSGI", "uwsgi_python": "uWSGI", "uwsgi_python3": "uWSGI",
	"uwsgi-core": "uWSGI", "stunnel": "stunnel", "tinyproxy": "Tinyproxy", "h2o": "H2O", "openresty": "OpenResty", "apt-cacher-ng": "apt-cacher-ng",
	"danted": "Dante", "sockd": "Dante", "microsocks": "MicroSocks", "ss-local": "Shadowsocks", "ss-server": "Shadowsocks", "sslh": "sslh", "rinetd": "rinetd",
	"i2pd": "I2P",
	// Monitoring, development, other servers
	"prometheus": "Prometheus", "grafana": "Grafana", "grafana-server": "Grafana", "alertmanager": "Alertmanager", "prometheus-alertmanager": "Alertmanager",
	"pushgateway": "Pushgateway", "prometheus-pushgateway": "Pushgateway", "loki": "Loki", "consul": "Consul", "vault": "Vault", "nomad": "Nomad",
	"gitea": "Gitea", "forgejo": "Forgejo", "syncthing": "Syncthing", "hugo": "Hugo", "mailpit": "Mailpit", "mailhog": "MailHog", "verdaccio": "Verdaccio",
	"ollama": "Ollama", "llama-server": "llama.cpp", "jellyfin": "Jellyfin", "plex media server": "Plex", "transmission-daemon": "Transmission",
	"transmission-gtk": "Transmission", "transmission-qt": "Transmission", "qbittorrent-nox": "qBittorrent", "qbittorrent": "qBittorrent",
	"deluged": "Deluge", "deluge-web": "Deluge", "aria2c": "aria2", "rtorrent": "rTorrent", "munin-node": "Munin node", "zabbix_agentd": "Zabbix agent",
	"zabbix_agent2": "Zabbix agent", "zabbix_server": "Zabbix server", "monit": "Monit", "collectd": "collectd", "telegraf": "Telegraf", "netdata": "Netdata",
	"icecast": "Icecast", "shoutcast": "SHOUTcast", "mpd": "MPD", "mopidy": "Mopidy", "snapserver": "Snapcast", "murmurd": "Mumble server", "mumble-server": "Mumble server",
	"radicale": "Radicale", "docker-registry": "Docker registry", "iperf": "iperf", "iperf3": "iperf3", "git-daemon": "Git daemon", "svnserve": "Subversion",
	"distccd": "distcc", "minidlnad": "MiniDLNA", "pulseaudio": "PulseAudio", "pipewire-pulse": "PipeWire", "kdeconnectd": "KDE Connect", "spotify": "Spotify",
	"sccache": "sccache", "buildkitd": "BuildKit", "gitlab-runner": "GitLab Runner", "vsftpd": "vsftpd", "proftpd": "ProFTPD", "pure-ftpd": "Pure-FTPd",
	"apcupsd": "apcupsd", "upsd": "NUT", "gpsd": "gpsd", "lircd": "LIRC", "boinc": "BOINC", "bitcoind": "Bitcoin", "geth": "Geth", "ipfs": "IPFS",
	"esbuild": "esbuild", "symfony": "Symfony", "workerd": "Wrangler", "trunk": "Trunk", "zola": "Zola", "mdbook": "mdBook", "miniserve": "miniserve", "ttyd": "ttyd",
	"gotty": "GoTTY", "filebrowser": "File Browser", "rserver": "RStudio", "cadvisor": "cAdvisor", "portainer": "Portainer", "dropbox": "Dropbox", "teamviewerd": "TeamViewer",
	"anydesk": "AnyDesk", "rustdesk": "RustDesk", "controlcenter": "AirPlay receiver", "controlce": "AirPlay receiver", "rapportd": "Apple Rapport", "frankenphp": "FrankenPHP",
	// Mail, chat
	"exim4": "Exim", "exim": "Exim", "postfix": "Postfix", "dovecot": "Dovecot", "sendmail": "Sendmail", "opensmtpd": "OpenSMTPD", "spamd": "spamd",
	"rspamd": "Rspamd", "clamd": "ClamAV", "opendkim": "OpenDKIM", "prosody": "Prosody", "ejabberd": "ejabberd", "ngircd": "ngIRCd", "bitlbee": "BitlBee", "znc": "ZNC",
	"inspircd": "InspIRCd", "asterisk": "Asterisk", "coturn": "coturn", "turnserver": "coturn", "saslauthd": "SASL", "perdition": "Perdition", "cyrmaster": "Cyrus IMAP",
	// Containers and clusters
	"docker-proxy": "docker-proxy", "rootlesskit": "rootless Docker", "dockerd": "Docker", "containerd": "containerd", "kube-apiserver": "Kubernetes API",
	"kubelet": "kubelet", "k3s": "k3s", "minikube": "minikube", "rootlessport": "Podman", "slirp4netns": "Podman", "pasta": "pasta", "passt": "passt", "conmon": "Podman",
	// Debuggers, language servers, phones
	"dlv": "Delve", "gopls": "gopls", "gdbserver": "gdbserver", "lldb-server": "LLDB", "adb": "adb", "rust-analyzer": "rust-analyzer",
	"debugpy": "debugpy", "chromedriver": "ChromeDriver", "geckodriver": "geckodriver", "code-server": "code-server",
	// Screens
	"xrdp": "xrdp", "xrdp-sesman": "xrdp", "x11vnc": "VNC", "xvnc": "VNC", "wayvnc": "VNC", "xtigervnc": "TigerVNC", "xtightvnc": "TightVNC", "x0vncserver": "TigerVNC", "x0tigervncserver": "TigerVNC",
	"vino-server": "VNC", "krfb": "VNC", "gnome-remote-desktop-daemon": "GNOME Remote Desktop", "sunshine": "Sunshine", "xpra": "Xpra", "guacd": "Guacamole",
	// System services
	"sshd": "SSH", "sshd-session": "SSH", "dropbear": "SSH", "mosh-server": "mosh", "cupsd": "CUPS", "cups-browsed": "CUPS", "dnsmasq": "dnsmasq", "systemd-resolved": "DNS resolver",
	"systemd-resolve": "DNS resolver", "unbound": "Unbound", "named": "BIND", "nsd": "NSD", "knotd": "Knot DNS", "kresd": "Knot Resolver", "pdns_recursor": "PowerDNS Recursor",
	"pdns_server": "PowerDNS", "dnsdist": "dnsdist", "stubby": "Stubby", "dnscrypt-proxy": "dnscrypt-proxy", "coredns": "CoreDNS", "pihole-ftl": "Pi-hole", "adguardhome": "AdGuard Home",
	"avahi-daemon": "mDNS", "chronyd": "chrony", "ntpd": "NTP", "systemd-timesyncd": "NTP", "rpcbind": "rpcbind", "rpc.statd": "NFS lock manager",
	"rpc.mountd": "NFS", "nfsd": "NFS", "smbd": "Samba", "nmbd": "Samba", "winbindd": "Samba", "samba": "Samba", "slapd": "OpenLDAP", "openvpn": "OpenVPN", "tailscaled": "Tailscale",
	"snmpd": "SNMP", "charon": "strongSwan", "charon-systemd": "strongSwan", "pluto": "Libreswan", "dhcpd": "ISC DHCP server", "dhclient": "DHCP client", "dhcpcd": "DHCP client",
	"systemd-networkd": "DHCP client", "kea-dhcp4": "Kea DHCP", "kea-dhcp6": "Kea DHCP", "freeradius": "FreeRADIUS", "radiusd": "FreeRADIUS",
	"krb5kdc": "MIT Kerberos KDC", "kadmind": "MIT Kerberos admin server", "cockpit-tls": "Cockpit", "cockpit-ws": "Cockpit", "dictd": "dictd", "minissdpd": "SSDP",
	"wsdd": "wsdd", "rsyslogd": "rsyslog", "syslog-ng": "syslog-ng", "rsync": "rsync", "zebra": "FRR", "staticd": "FRR", "watchfrr": "FRR", "bird": "BIRD", "bird6": "BIRD",
	"couriertcpd": "Courier", "systemd-journal-remote": "systemd-journal-remote", "systemd-journal-gatewayd": "systemd-journal-gatewayd", "nbd-server": "NBD", "tgtd": "iSCSI",
	"bacula-fd": "Bacula", "bacula-sd": "Bacula", "bacula-dir": "Bacula", "yaws": "Yaws", "pcscd": "PC/SC", "geoclue": "GeoClue", "tincd": "tinc", "nebula": "Nebula", "zerotier-one": "ZeroTier", "inetd": "inetd", "xinetd": "xinetd",
}

// units maps systemd units to services, in lower case and without suffix, version
// and instance, if programs does not have the unit under the name of its program.
// Packages name some units after themselves. Units that start arbitrary
// programs, such as cron and supervisor, are not listed.
var units = map[string]string{
	"ssh": "SSH", "bind": "BIND", "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "redis": "Redis", "valkey": "Valkey", "mongodb": "MongoDB",
	"influxdb": "InfluxDB", "rabbitmq": "RabbitMQ", "tomcat": "Tomcat", "zookeeper": "ZooKeeper", "jetty": "Jetty", "elasticsearch": "Elasticsearch", "opensearch": "OpenSearch",
	"kafka": "Kafka", "cassandra": "Cassandra", "neo4j": "Neo4j", "solr": "Solr", "jenkins": "Jenkins", "activemq": "ActiveMQ", "cups": "CUPS", "chrony": "chrony", "ntp": "NTP",
	"ntpsec": "NTP", "varnish": "Varnish", "strongswan": "strongSwan", "strongswan-starter": "strongSwan", "ipsec": "strongSwan", "isc-dhcp-server": "ISC DHCP server",
	"isc-dhcp-server6": "ISC DHCP server", "rpc-statd": "NFS lock manager", "nfs-server": "NFS", "nfs-kernel-server": "NFS", "nfs-mountd": "NFS", "knot": "Knot DNS",
	"pdns": "PowerDNS", "pdns-recursor": "PowerDNS Recursor", "zabbix-agent": "Zabbix agent", "zabbix-agent2": "Zabbix agent", "zabbix-server": "Zabbix server",
	"krb5-kdc": "MIT Kerberos KDC", "krb5-admin-server": "MIT Kerberos admin server", "gearman-job-server": "Gearman", "cockpit": "Cockpit", "cockpit-wsinstance-http": "Cockpit",
	"mini-httpd": "mini_httpd", "minissdpd": "SSDP", "frr": "FRR", "courier-imap": "Courier IMAP", "courier-imap-ssl": "Courier IMAP", "courier-pop": "Courier POP3", "courier-pop-ssl": "Courier POP3",
	"clickhouse-server": "ClickHouse", "openvpn-server": "OpenVPN", "openvpn-client": "OpenVPN", "samba-ad-dc": "Samba", "nats": "NATS", "icecast": "Icecast", "mumble": "Mumble server",
	"minidlna": "MiniDLNA", "knot-resolver": "Knot Resolver", "cyrus-imapd": "Cyrus IMAP", "firebird3.0": "Firebird", "firebird4.0": "Firebird", "grafana-server": "Grafana", "distcc": "distcc",
	"svnserve": "Subversion", "git-daemon": "Git daemon", "spamassassin": "spamd", "clamav-daemon": "ClamAV", "tinc": "tinc", "gpsd": "gpsd", "xrdp": "xrdp", "dnsmasq": "dnsmasq",
}

// exporters has the names of Prometheus exporters that are proper names; see
// exporter.
var exporters = map[string]string{
	"redis": "Redis", "mysqld": "MySQL", "postgres": "PostgreSQL", "apache": "Apache", "nginx": "nginx", "mongodb": "MongoDB", "snmp": "SNMP", "haproxy": "HAProxy",
	"bind": "BIND", "elasticsearch": "Elasticsearch", "kafka": "Kafka", "rabbitmq": "RabbitMQ", "squid": "Squid", "varnish": "Varnish", "postfix": "Postfix",
	"statsd": "StatsD", "ipmi": "IPMI", "smokeping": "SmokePing",
}

// commands maps scripts, modules and npm packages that interpreters run, in lower
// case and without ".js", to services. The result is likely rather than certain,
// because any file can have such a name.
var commands = map[string]string{
	// JavaScript
	"vite": "Vite", "next": "Next.js", "next-server": "Next.js", "nuxt": "Nuxt", "nuxi": "Nuxt", "@nuxt/cli": "Nuxt",
	"webpack": webpackServer, "webpack-dev-server": webpackServer, "webpack-cli": webpackServer, "react-scripts": "React", "ng": "Angular", "@angular/cli": "Angular",
	"astro": "Astro", "remix": "Remix", "remix-serve": "Remix", "@remix-run/dev": "Remix", "@remix-run/serve": "Remix", "gatsby": "Gatsby", "gatsby-cli": "Gatsby", "svelte-kit": "SvelteKit", "@sveltejs/kit": "SvelteKit",
	"parcel": "Parcel", "esbuild": "esbuild", "rollup": "Rollup", "snowpack": "Snowpack", "vue-cli-service": "Vue", "@vue/cli-service": "Vue", "ember": "Ember",
	"ember-cli": "Ember", "expo": "Expo", "@expo/cli": "Expo", "storybook": "Storybook", "start-storybook": "Storybook", "eleventy": "Eleventy", "@11ty/eleventy": "Eleventy",
	"docusaurus": "Docusaurus", "@docusaurus/core": "Docusaurus", "vitepress": "VitePress", "nest": "NestJS", "@nestjs/cli": "NestJS", "rsbuild": "Rsbuild", "rspack": "Rspack",
	"json-server": "json-server", "http-server": "http-server", "live-server": "live-server", "browser-sync": "Browsersync", "serve": "serve", "metro": "Metro", "react-native": "Metro",
	"wrangler": "Wrangler", "vercel": "Vercel", "netlify": "Netlify", "netlify-cli": "Netlify", "firebase": "Firebase", "firebase-tools": "Firebase", "prisma": "Prisma", "strapi": "Strapi", "@strapi/strapi": "Strapi",
	"vitest": "Vitest", "playwright": "Playwright", "cypress": "Cypress", "tsserver": "TypeScript server", "node-red": "Node-RED", "n8n": "n8n", "verdaccio": "Verdaccio",
	"mongo-express": "mongo-express", "redis-commander": "Redis Commander", "pm2": "PM2",
	// Python
	"manage.py": "Django", "django-admin": "Django", "django": "Django", "flask": "Flask", "uvicorn": "Uvicorn", "gunicorn": "Gunicorn", "hypercorn": "Hypercorn",
	"daphne": "Daphne", "waitress-serve": "Waitress", "waitress": "Waitress", "granian": "Granian", "fastapi": "FastAPI", "sanic": "Sanic", "http.server": "http.server", "simplehttpserver": "http.server",
	"jupyter-lab": "Jupyter", "jupyterlab": "Jupyter", "jupyter-notebook": "Jupyter", "jupyter-server": "Jupyter", "notebook": "Jupyter", "jupyter": "Jupyter", "jupyterhub": "Jupyter", "ipykernel_launcher": "Jupyter kernel",
	"ipykernel": "Jupyter kernel", "streamlit": "Streamlit", "mkdocs": "MkDocs", "sphinx-autobuild": "Sphinx", "sphinx_autobuild": "Sphinx", "celery": "Celery", "flower": "Flower",
	"airflow": "Airflow", "tensorboard": "TensorBoard", "mlflow": "MLflow", "gradio": "Gradio", "bokeh": "Bokeh", "superset": "Superset", "pydoc": "pydoc", "pydoc3": "pydoc",
	"pgadmin4": "pgAdmin", "locust": "Locust", "twistd": "Twisted", "twisted": "Twisted", "debugpy": "debugpy", "debugpy.adapter": "debugpy", "aiosmtpd": "aiosmtpd", "smtpd": "smtpd", "websockify": "websockify", "supervisord": "Supervisor",
	"sshuttle": "sshuttle", "hass": "Home Assistant", "open-webui": "Open WebUI", "pelican": "Pelican", "pserve": "Pyramid", "tornado": "Tornado", "livereload": "LiveReload", "httpbin": "httpbin", "chalice": "Chalice", "salt-api": "Salt", "salt-master": "Salt",
	// Ruby, PHP, Perl, Go, Elixir, other
	"rails": "Rails", "puma": "Puma", "unicorn": "Unicorn", "unicorn_rails": "Unicorn", "thin": "Thin", "falcon": "Falcon", "passenger": "Passenger", "jekyll": "Jekyll", "bridgetown": "Bridgetown", "middleman": "Middleman", "rackup": "Rack", "sidekiq": "Sidekiq",
	"artisan": "Laravel", "symfony": "Symfony", "phx.server": "Phoenix", "webrick": "WEBrick", "plackup": "plackup", "starman": "Starman", "twiggy": "Twiggy",
	"morbo": "Mojolicious", "hypnotoad": "Mojolicious", "mojo": "Mojolicious", "dancer2": "Dancer",
}

const webpackServer = "webpack dev server"

// javaProperties maps system properties that the start scripts of Java servers
// set to their services.
var javaProperties = map[string]string{
	"jetty.home": "Jetty", "jetty.base": "Jetty", "catalina.home": "Tomcat", "catalina.base": "Tomcat", "solr.solr.home": "Solr", "solr.install.dir": "Solr", "karaf.home": "Karaf",
	"activemq.home": "ActiveMQ", "artemis.home": "ActiveMQ", "jboss.home.dir": "WildFly", "weblogic.name": "WebLogic", "kafka.logs.dir": "Kafka", "zookeeper.log.dir": "ZooKeeper",
	"cassandra.logdir": "Cassandra", "es.path.home": "Elasticsearch", "opensearch.path.home": "OpenSearch", "i2p.dir.base": "I2P", "kc.home.dir": "Keycloak",
}

// javaHosts are the services that others are built on: if another service is
// found too, it is preferred.
var javaHosts = map[string]bool{"Jetty": true, "Tomcat": true, "Quarkus": true, "Spring Boot": true}

// javaClasses are parts of the main classes and archives of Java servers, in lower
// case.
var javaClasses = []struct{ pattern, service string }{
	{"org.elasticsearch.", "Elasticsearch"}, {"org.opensearch.", "OpenSearch"}, {"kafka.kafka", "Kafka"}, {"org.apache.zookeeper.", "ZooKeeper"}, {"zookeeper.server", "ZooKeeper"},
	{"org.apache.cassandra.", "Cassandra"}, {"catalina.startup", "Tomcat"}, {"org.eclipse.jetty.", "Jetty"}, {"jenkins.war", "Jenkins"},
	{"org.keycloak.", "Keycloak"}, {"keycloak", "Keycloak"}, {"org.neo4j.", "Neo4j"}, {"com.neo4j.", "Neo4j"}, {"org.apache.activemq.", "ActiveMQ"}, {"activemq.jar", "ActiveMQ"},
	{"org.sonar.", "SonarQube"}, {"sonar-application", "SonarQube"}, {"org.sonatype.nexus.", "Nexus"}, {"org.gradle.launcher", "Gradle daemon"}, {"org.apache.solr.", "Solr"},
	{"minecraft", "Minecraft"}, {"dynamodblocal", "DynamoDB Local"}, {"org.jboss.as.", "WildFly"}, {"jboss-modules.jar", "WildFly"}, {"wiremock", "WireMock"},
	{"org.apache.hadoop.", "Hadoop"}, {"org.apache.spark.", "Spark"}, {"org.h2.tools.", "H2"}, {"hsqldb", "HSQLDB"}, {"derbyrun.jar", "Derby"}, {"com.intellij.idea.main", "JetBrains IDE"},
	{"sun.tools.jstatd", "jstatd"}, {"jdk.httpserver", "jwebserver"}, {"org.apache.karaf.", "Karaf"}, {"quarkus-run.jar", "Quarkus"}, {"io.quarkus.", "Quarkus"}, {"org.springframework.boot", "Spring Boot"},
}

// erlangBoot maps the applications that Erlang starts, by -s, -run or as the name
// of its node, to services.
var erlangBoot = map[string]string{
	"rabbit": "RabbitMQ", "ejabberd": "ejabberd", "yaws": "Yaws", "couch": "CouchDB", "couchdb": "CouchDB", "emqx": "EMQX", "vmq_server": "VerneMQ", "riak": "Riak", "mongooseim": "MongooseIM",
}

// applets maps the servers among busybox's programs to services.
var applets = map[string]string{
	"httpd": "BusyBox httpd", "telnetd": "BusyBox telnetd", "ftpd": "BusyBox ftpd", "tftpd": "BusyBox tftpd", "dnsd": "BusyBox dnsd", "ntpd": "BusyBox ntpd",
	"udhcpd": "BusyBox udhcpd", "udhcpc": "DHCP client", "udhcpc6": "DHCP client", "inetd": "inetd", "syslogd": "syslog",
}
