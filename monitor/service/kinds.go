package service

import (
	"cmp"
	"strings"

	"porthole/monitor"
)

// Kind is the kind of service that a listener provides, as far as warnings
// depend on it.
type Kind string

// The kinds of services. The zero value means that the service is not known.
const (
	Server      Kind = "server"      // meant to be reached by others
	Database    Kind = "database"    // a database, cache or queue
	Debugger    Kind = "debugger"    // gives control over a program
	Admin       Kind = "admin"       // gives control over a server, a machine or its data
	Development Kind = "development" // a development server
	AppServer   Kind = "app_server"  // runs a web application, in development or in production
	Forward     Kind = "forward"     // forwards to another address
)

// services lists the services of each kind; all others are servers.
var services = map[Kind][]string{
	Database: {
		"PostgreSQL", "PgBouncer", "Redis", "Valkey", "KeyDB", "MySQL", "MariaDB", "MongoDB", "memcached", "ClickHouse", "CockroachDB", "InfluxDB", "etcd", "etcd peer", "CouchDB",
		"Meilisearch", "Typesense", "Qdrant", "MinIO", "SurrealDB", "Dragonfly", "SQL Server", "Oracle", "Elasticsearch", "OpenSearch", "Kafka", "ZooKeeper", "Cassandra", "Neo4j",
		"Solr", "DynamoDB Local", "Firebird", "Tarantool", "beanstalkd", "Gearman", "QuestDB", "VictoriaMetrics", "RethinkDB", "ArangoDB", "ProxySQL", "H2", "HSQLDB", "Derby", "NBD",
	},
	Debugger: {
		nodeInspector, javaDebugger, "JMX", "Delve", "gdbserver", "LLDB", "adb", "debugpy", "ChromeDriver", "geckodriver", "gopls", "rust-analyzer", "TypeScript server",
		"Jupyter kernel", "jstatd", "Xdebug", "Chrome DevTools", "Gradle daemon",
	},
	Admin: {
		"Jupyter", "pgAdmin", "Docker", "Docker API", "containerd", "kubelet", "Kubernetes API", "Consul", "Nomad", "Vault", "Airflow", "Superset", "MLflow", "TensorBoard", "Streamlit",
		"Gradio", "Bokeh", "Mailpit", "MailHog", "Locust", "code-server", "VS Code server", "JetBrains IDE", "Ollama", "llama.cpp", "VNC", "TigerVNC", "TightVNC", "aria2", "Supervisor", "Monit", "Cockpit",
		"mitmproxy", "Jenkins", "mongo-express", "Redis Commander", "Flower", "Node-RED", "n8n", "Prisma", "Telnet", "BusyBox telnetd", "PulseAudio", "BuildKit", "PM2", "Traefik", "Netdata", "QEMU", "ttyd", "GoTTY", "File Browser", "RStudio", "Portainer", "Open WebUI",
	},
	Development: {
		"Vite", "Next.js", "Nuxt", webpackServer, "React", "Angular", "Astro", "Remix", "Gatsby", "SvelteKit", "Parcel", "esbuild", "Rollup", "Snowpack", "Vue", "Ember", "Expo",
		"Storybook", "Eleventy", "Docusaurus", "VitePress", "NestJS", "Rsbuild", "Rspack", "json-server", "http-server", "live-server", "Browsersync", "serve", "Metro", "Wrangler",
		"Vercel", "Netlify", "Firebase", "Strapi", "Vitest", "Playwright", "Cypress", "Django", "Flask", "FastAPI", "http.server", "MkDocs", "Sphinx", "pydoc", "Pelican", "LiveReload",
		"httpbin", "aiosmtpd", "smtpd", "Rails", "Jekyll", "Bridgetown", "Middleman", "WEBrick", "Rack", "Laravel", phpServer, "Symfony", "Phoenix", "Hugo", "plackup", "Mojolicious", "Dancer",
		"Spring Boot", "Quarkus", "jwebserver", "BusyBox httpd", "Chalice", "WireMock", "Trunk", "Zola", "mdBook", "miniserve",
	},
	AppServer: {
		"Uvicorn", "Gunicorn", "Hypercorn", "Daphne", "Waitress", "Granian", "Sanic", "Puma", "Unicorn", "Thin", "Falcon", "Passenger", "uWSGI", "Starman", "Twiggy", "Pyramid", "Tornado", "Twisted",
	},
}

// kindOf maps services to their kinds.
var kindOf = func() map[string]Kind {
	kinds := make(map[string]Kind)
	for kind, names := range services {
		for _, name := range names {
			kinds[name] = kind
		}
	}
	return kinds
}()

// KindOf returns the kind of the service that l provides, "" if that is not
// known. A container has the kind of the service in its image. A protocol that
// only the port suggests counts as known only if the owner is unknown.
func KindOf(l *monitor.Listener) Kind {
	if c := l.Container; c != nil && l.Service == c.Description() {
		name := imageService(c.Image)
		if name == "" {
			return ""
		}
		return cmp.Or(kindOf[name], Server)
	}
	name := l.Service
	switch {
	case name == "":
		return ""
	case l.ServiceBy == monitor.ByPort && len(l.Owners) > 0:
		return ""
	case isForward(name):
		return Forward
	case strings.HasPrefix(name, "Java ("), name == "Erlang":
		return "" // a program that is not known
	}
	if strings.HasPrefix(name, "X server ") {
		return Admin
	}
	return cmp.Or(kindOf[name], Server)
}

// imageService names what an image such as "docker.io/library/postgres:16"
// contains, "" if it is not known.
func imageService(image string) string {
	image, _, _ = strings.Cut(image, "@")
	name := programName(image)
	name, _, _ = strings.Cut(name, ":")
	return lookUpUnit(name)
}

// framework returns the development framework or application server behind a
// service, "" for other services.
func framework(service string) string {
	switch kindOf[service] {
	case Development, AppServer:
		return service
	}
	return ""
}
