package service

// protocolPorts are the protocols that people expect on a port, regardless of the
// program that listens there: the assignments of the IANA registry (RFC 6335) that
// are universally used. Ports that developers use for anything (3000, 5000, 8000,
// 8080, 9000, 9090) are left out on purpose: their registered names would be wrong
// nearly always.
var protocolPorts = map[uint16]string{
	// Remote access and files
	20: "FTP data", 21: "FTP", 22: "SSH", 23: "Telnet", 69: "TFTP", 111: "rpcbind", 139: "NetBIOS", 445: "SMB", 548: "AFP", 873: "rsync",
	989: "FTPS data", 990: "FTPS", 2049: "NFS", 3260: "iSCSI", 3389: "RDP", 5900: "VNC", 9418: "Git",
	// Mail, news, chat
	25: "SMTP", 110: "POP3", 119: "NNTP", 143: "IMAP", 465: "SMTPS", 587: "SMTP submission", 993: "IMAPS", 995: "POP3S", 4190: "ManageSieve",
	5222: "XMPP", 5269: "XMPP server", 6667: "IRC", 6697: "IRC over TLS",
	// Web
	80: "HTTP", 443: "HTTPS", 1080: "SOCKS proxy", 3128: "HTTP proxy",
	// Names, time, directories, networks
	53: "DNS", 67: "DHCP", 68: "DHCP client", 88: "Kerberos", 123: "NTP", 161: "SNMP", 162: "SNMP trap", 179: "BGP", 389: "LDAP", 464: "Kerberos password",
	500: "IKE", 514: "syslog", 546: "DHCPv6 client", 547: "DHCPv6", 631: "IPP", 636: "LDAPS", 853: "DNS over TLS", 1812: "RADIUS",
	1813: "RADIUS accounting", 1900: "SSDP", 3478: "STUN", 4500: "IPsec NAT-T", 4789: "VXLAN", 5060: "SIP", 5061: "SIP over TLS", 5353: "mDNS", 5355: "LLMNR",
	6514: "syslog over TLS", 51820: "WireGuard",
}

// productPorts are the default ports of common servers. They do not apply to a
// listener whose program is known to be another one.
var productPorts = map[uint16]string{
	// Databases, caches, queues
	1433: "SQL Server", 1521: "Oracle", 1883: "MQTT", 2181: "ZooKeeper", 2379: "etcd", 2380: "etcd peer", 3306: "MySQL", 4222: "NATS",
	5432: "PostgreSQL", 5671: "AMQP over TLS", 5672: "AMQP", 5984: "CouchDB", 6379: "Redis", 7687: "Neo4j", 8883: "MQTT over TLS",
	9042: "Cassandra", 9092: "Kafka", 9200: "Elasticsearch", 11211: "memcached", 27017: "MongoDB",
	// Containers, monitoring, other servers
	1194: "OpenVPN", 2375: "Docker API", 2376: "Docker API over TLS", 2947: "gpsd", 4369: "Erlang port mapper", 6443: "Kubernetes API", 10050: "Zabbix agent", 25565: "Minecraft",
}
