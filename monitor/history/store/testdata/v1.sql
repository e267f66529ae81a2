-- A file of version 1. Never edit it.
PRAGMA journal_mode = wal;
CREATE TABLE owners (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, name TEXT NOT NULL, user TEXT NOT NULL, project TEXT NOT NULL, service TEXT NOT NULL, program TEXT NOT NULL, folder TEXT NOT NULL, command TEXT NOT NULL, unit TEXT NOT NULL, container TEXT NOT NULL, inferred INTEGER NOT NULL, words TEXT NOT NULL);
CREATE TABLE boots (id INTEGER PRIMARY KEY, boot TEXT NOT NULL UNIQUE);
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, unobserved INTEGER NOT NULL, protocol TEXT NOT NULL, port INTEGER NOT NULL, addresses TEXT NOT NULL, loopback INTEGER NOT NULL, exposure TEXT NOT NULL, listener TEXT NOT NULL, boot INTEGER NOT NULL REFERENCES boots, owner INTEGER NOT NULL REFERENCES owners, pid INTEGER NOT NULL, owner_before INTEGER REFERENCES owners, pid_before INTEGER, exposure_before TEXT NOT NULL, opened_at INTEGER, already_open INTEGER NOT NULL, duration INTEGER);
CREATE INDEX events_port ON events (port);
CREATE INDEX events_at ON events (at, loopback, protocol);
CREATE TABLE open (listener TEXT PRIMARY KEY, event INTEGER NOT NULL, boot INTEGER NOT NULL REFERENCES boots, protocol TEXT NOT NULL, port INTEGER NOT NULL, addresses TEXT NOT NULL, exposure TEXT NOT NULL, sockets TEXT NOT NULL, owner INTEGER NOT NULL REFERENCES owners, pid INTEGER NOT NULL, start INTEGER NOT NULL, opened_at INTEGER NOT NULL, already_open INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO owners VALUES (1, x'01', 'postgres', 'postgres', '', 'PostgreSQL', '/usr/bin/postgres', '/', '["postgres","-D","/data"]', '', '', 0, 'postgres
postgres -D /data');
INSERT INTO owners VALUES (2, x'02', '', 'root', '', '', '', '', '', 'nginx.service', '', 0, 'root
nginx.service');
INSERT INTO boots VALUES (1, '7d1f');
INSERT INTO events VALUES (1, strftime('%s','now','-2 hours')*1000000, 'opened', 0, 'tcp', 5432, '127.0.0.1 ::1', 1, 'loopback', 'tcp-5432-a', 1, 1, 100, NULL, NULL, '', strftime('%s','now','-2 hours')*1000000, 0, NULL);
INSERT INTO events VALUES (2, strftime('%s','now','-1 hours')*1000000, 'closed', 0, 'tcp', 5432, '127.0.0.1 ::1', 1, 'loopback', 'tcp-5432-a', 1, 1, 100, NULL, NULL, '', strftime('%s','now','-2 hours')*1000000, 0, 3600000000);
INSERT INTO open VALUES ('tcp-3000-b', 0, 1, 'tcp', 3000, '0.0.0.0', 'network', 'b', 2, 0, 0, strftime('%s','now','-2 hours')*1000000, 1);
PRAGMA user_version = 1;
