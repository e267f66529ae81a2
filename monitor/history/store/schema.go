package store

// migrations[n] leads a file of version n to version n+1 (PRAGMA user_version).
// One that was released is never edited. Times are microseconds since 1970, UTC.
var migrations = []string{
	// Many events have the same owner but for its PID: it is stored once.
	`
CREATE TABLE owners (
	id        INTEGER PRIMARY KEY,
	key       BLOB NOT NULL UNIQUE, -- a hash of all below
	name      TEXT NOT NULL,
	user      TEXT NOT NULL,
	project   TEXT NOT NULL,
	service   TEXT NOT NULL,
	program   TEXT NOT NULL,
	folder    TEXT NOT NULL,
	command   TEXT NOT NULL,        -- a JSON array, its secrets masked; '' for none
	unit      TEXT NOT NULL,
	container TEXT NOT NULL,
	inferred  INTEGER NOT NULL,
	words     TEXT NOT NULL         -- what is searched, in lower case
);
CREATE TABLE boots (
	id   INTEGER PRIMARY KEY,
	boot TEXT NOT NULL UNIQUE
);
CREATE TABLE events (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	at           INTEGER NOT NULL,
	kind         TEXT NOT NULL,
	unwatched    INTEGER NOT NULL,
	protocol     TEXT NOT NULL,
	port         INTEGER NOT NULL,
	addresses    TEXT NOT NULL,     -- separated by spaces
	loopback     INTEGER NOT NULL,  -- whether loopback reaches one of them
	reach        TEXT NOT NULL,
	listener     TEXT NOT NULL,
	boot         INTEGER NOT NULL REFERENCES boots,
	owner        INTEGER NOT NULL REFERENCES owners,
	pid          INTEGER NOT NULL,
	owner_before INTEGER REFERENCES owners,
	pid_before   INTEGER,
	reach_before TEXT NOT NULL,
	opened_at    INTEGER,
	older        INTEGER NOT NULL,
	duration     INTEGER            -- only closed, where it is known
);
CREATE INDEX events_port ON events (port);
CREATE INDEX events_at ON events (at, loopback, protocol); -- enough to count them all
-- What is open now, so that the next start can tell what ended meanwhile.
CREATE TABLE open (
	listener  TEXT PRIMARY KEY,
	event     INTEGER NOT NULL,     -- that began it
	boot      INTEGER NOT NULL REFERENCES boots,
	protocol  TEXT NOT NULL,
	port      INTEGER NOT NULL,
	addresses TEXT NOT NULL,
	reach     TEXT NOT NULL,
	sockets   TEXT NOT NULL,        -- their ids, separated by spaces
	owner     INTEGER NOT NULL REFERENCES owners,
	pid       INTEGER NOT NULL,
	start     INTEGER NOT NULL,     -- of the process
	opened_at INTEGER NOT NULL,
	older     INTEGER NOT NULL
) WITHOUT ROWID;
`,
}
