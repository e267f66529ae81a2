package service

// signature is a word that identifies a service.
type signature struct{ pattern, service string }

// programs maps file names to services they identify with certainty, in lower
// case.
var programs = map[string]string{
	// Databases, caches, queues
	"postgres": "PostgreSQL", "postmaster": "PostgreSQL", "pgbouncer": "PgBouncer", "redis-server": "Redis", "valkey-server": "Valkey",
	"keydb-server": "KeyDB", "mysqld": "MySQL", "mariadbd": "MariaDB", "mongod": "MongoDB", "mongos": "MongoDB", "memcached": "memcached",
	"clickhouse": "ClickHouse", "clickhouse-server": "ClickHouse", "cockroach": "CockroachDB", "influxd": "InfluxDB", "etcd": "etcd",
	"couchdb": "CouchDB", "beam.smp": "Erlang", "rabbitmq-server": "RabbitMQ", "epmd": "Erlang port mapper", "nats-server": "NATS",
	"mosquitto": "Mosquitto", "meilisearch": "Meilisearch", "typesense-server": "Typesense", "qdrant": "Qdrant", "minio": "MinIO",
	"surreal": "SurrealDB", "dragonfly": "Dragonfly", "sqlservr": "SQL Server",
	// Web servers and proxies
	"nginx": "nginx", "apache2": "Apache", "httpd": "Apache", "caddy": "Caddy", "traefik": "Traefik", "haproxy": "HAProxy", "envoy": "Envoy",
	"lighttpd": "lighttpd", "squid": "Squid", "varnishd": "Varnish", "privoxy": "Privoxy", "tor": "Tor", "mitmproxy": "mitmproxy",
	"mitmweb": "mitmproxy", "ngrok": "ngrok", "cloudflared": "cloudflared", "frpc": "frp", "frps": "frp", "php-fpm": "PHP-FPM",
	// Monitoring, development, other servers
	"prometheus": "Prometheus", "grafana": "Grafana", "grafana-server": "Grafana", "alertmanager": "Alertmanager", "node_exporter": "node exporter",
	"loki": "Loki", "consul": "Consul", "vault": "Vault", "nomad": "Nomad", "gitea": "Gitea", "forgejo": "Forgejo", "syncthing": "Syncthing",
	"hugo": "Hugo", "mailpit": "Mailpit", "mailhog": "MailHog", "verdaccio": "Verdaccio", "ollama": "Ollama", "llama-server": "llama.cpp",
	"jellyfin": "Jellyfin", "plex media server": "Plex", "transmission-daemon": "Transmission", "qbittorrent-nox": "qBittorrent",
	// Containers and clusters
	"docker-proxy": "docker-proxy", "rootlesskit": "rootless Docker", "dockerd": "Docker", "containerd": "containerd", "kube-apiserver": "Kubernetes API",
	"kubelet": "kubelet", "k3s": "k3s", "minikube": "minikube", "rootlessport": "Podman", "slirp4netns": "Podman",
	// Debuggers, language servers, phones
	"dlv": "Delve", "gopls": "gopls", "gdbserver": "gdbserver", "lldb-server": "LLDB", "adb": "adb", "rust-analyzer": "rust-analyzer",
	"debugpy": "debugpy", "chromedriver": "ChromeDriver", "geckodriver": "geckodriver", "code-server": "code-server", "qemu-system-x86_64": "QEMU",
	// System services
	"sshd": "SSH", "dropbear": "SSH", "cupsd": "CUPS", "dnsmasq": "dnsmasq", "systemd-resolved": "DNS resolver", "systemd-resolve": "DNS resolver",
	"unbound": "Unbound", "named": "BIND", "avahi-daemon": "mDNS", "chronyd": "chrony", "ntpd": "NTP", "rpcbind": "rpcbind", "smbd": "Samba",
	"vsftpd": "vsftpd", "exim4": "Exim", "dovecot": "Dovecot", "slapd": "OpenLDAP", "xrdp": "xrdp", "x11vnc": "VNC",
	"xvnc": "VNC", "openvpn": "OpenVPN", "tailscaled": "Tailscale", "snmpd": "SNMP",
}

// commands maps scripts and modules that interpreters run, in lower case, to
// services. The result is likely rather than certain, because any file can have
// such a name.
var commands = map[string]string{
	// JavaScript
	"vite": "Vite", "vite.js": "Vite", "next": "Next.js", "next-server": "Next.js", "nuxt": "Nuxt",
	"nuxi": "Nuxt", "webpack": "webpack", "webpack-dev-server": "webpack", "react-scripts": "React", "ng": "Angular", "astro": "Astro",
	"astro.js": "Astro", "remix": "Remix", "gatsby": "Gatsby", "svelte-kit": "SvelteKit", "parcel": "Parcel", "esbuild": "esbuild",
	"rollup": "Rollup", "snowpack": "Snowpack", "vue-cli-service": "Vue", "ember": "Ember", "expo": "Expo", "storybook": "Storybook",
	"start-storybook": "Storybook", "eleventy": "Eleventy", "docusaurus": "Docusaurus", "vitepress": "VitePress", "nest": "NestJS",
	"json-server": "json-server", "http-server": "http-server", "live-server": "live-server", "browser-sync": "Browsersync",
	"wrangler": "Wrangler", "vercel": "Vercel", "netlify": "Netlify", "firebase": "Firebase", "prisma": "Prisma", "strapi": "Strapi",
	"vitest": "Vitest", "playwright": "Playwright", "cypress": "Cypress", "tsserver.js": "TypeScript server",
	// Python
	"manage.py": "Django", "django-admin": "Django", "flask": "Flask", "uvicorn": "Uvicorn", "gunicorn": "Gunicorn", "hypercorn": "Hypercorn",
	"daphne": "Daphne", "waitress-serve": "Waitress", "fastapi": "FastAPI", "http.server": "http.server", "simplehttpserver": "http.server",
	"jupyter-lab": "Jupyter", "jupyter-notebook": "Jupyter", "jupyter": "Jupyter", "jupyterhub": "Jupyter", "ipykernel_launcher": "Jupyter kernel",
	"ipykernel": "Jupyter kernel", "streamlit": "Streamlit", "mkdocs": "MkDocs", "sphinx-autobuild": "Sphinx", "celery": "Celery",
	"airflow": "Airflow", "tensorboard": "TensorBoard", "mlflow": "MLflow", "gradio": "Gradio", "bokeh": "Bokeh", "superset": "Superset",
	"pgadmin4": "pgAdmin", "locust": "Locust",
	// Ruby, PHP, Go, Elixir, other
	"rails": "Rails", "puma": "Puma", "unicorn": "Unicorn", "jekyll": "Jekyll", "rackup": "Rack", "sidekiq": "Sidekiq",
	"artisan": "Laravel", "symfony": "Symfony", "phx.server": "Phoenix", "webrick": "WEBrick",
}

// javaSignatures are parts of Java command lines, in lower case, that identify
// services.
var javaSignatures = []signature{
	{"org.elasticsearch", "Elasticsearch"}, {"org.opensearch", "OpenSearch"}, {"kafka.kafka", "Kafka"}, {"zookeeper.server", "ZooKeeper"},
	{"org.apache.cassandra", "Cassandra"}, {"catalina.startup", "Tomcat"}, {"jetty.start", "Jetty"}, {"jenkins.war", "Jenkins"},
	{"org.keycloak", "Keycloak"}, {"keycloak", "Keycloak"}, {"solr", "Solr"}, {"neo4j", "Neo4j"}, {"activemq", "ActiveMQ"}, {"sonarqube", "SonarQube"},
	{"nexus", "Nexus"}, {"spring-boot", "Spring Boot"}, {"springframework.boot", "Spring Boot"}, {"org.gradle.launcher", "Gradle daemon"},
	{"quarkus", "Quarkus"}, {"minecraft", "Minecraft"}, {"dynamodblocal", "DynamoDB Local"},
}
