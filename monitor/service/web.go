package service

import "porthole/monitor"

// web lists the services that speak HTTP, besides development servers and application
// servers.
var web = setOf(
	"HTTP", "HTTPS", "nginx", "Apache", "Caddy", "lighttpd", "Traefik", "HAProxy", "Envoy", "Varnish", "mini_httpd", "thttpd", "darkhttpd", "Tomcat", "Jetty", "WildFly", "Node.js",
	"Jupyter", "pgAdmin", "Airflow", "Superset", "MLflow", "TensorBoard", "Streamlit", "Gradio", "Bokeh", "Mailpit", "MailHog", "Locust", "code-server", "VS Code server", "Cockpit", "Jenkins",
	"mongo-express", "Redis Commander", "Flower", "Node-RED", "n8n", "Netdata", "ttyd", "GoTTY", "File Browser", "RStudio", "Portainer", "Open WebUI", "Grafana", "Prometheus", "Home Assistant",
	"Syncthing", "Gitea", "Kibana", "Consul", "Nomad", "Vault", "Ollama", "llama.cpp", "Supervisor", "Monit", "mitmproxy", "CUPS", "Meilisearch", "CouchDB", "Elasticsearch", "OpenSearch",
)

// notWeb lists the development servers that do not speak HTTP.
var notWeb = setOf("aiosmtpd", "smtpd")

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// SpeaksHTTP reports whether l's service or framework is known to speak HTTP. False means
// that it is not known, or that the service speaks another protocol.
func SpeaksHTTP(l *monitor.Listener) bool {
	if l.Protocol != monitor.TCP || notWeb[l.Service] {
		return false
	}
	switch KindOf(l) {
	case Development, AppServer:
		return true
	case "":
		return framework(l.Framework) != "" && l.ServiceBy != monitor.ByProgram
	case Debugger, Database, Forward:
		return web[l.Service]
	}
	name := l.Service
	if c := l.Container; c != nil && l.Service == c.Description() {
		name = imageService(c.Image)
	}
	return web[name] || framework(name) != ""
}
