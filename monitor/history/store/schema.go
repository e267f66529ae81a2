package store

// The first versions of the file with columns that were added to events.
const (
	versionStopped = 2 // stopped
	versionExit    = 3 // exit_status, signal, core_dumped, out_of_memory
	versionClients = 4 // attempts, client
	versionHealth  = 5 // health
)

// migrations[n] migrates a file of version n to version n+1 (PRAGMA
// user_version). A released migration must not be edited. Times are microseconds
// since 1970, UTC.
var migrations = []string{
	// Many events have the same owner except for its PID, so owners are stored once.
	`
CREATE TABLE owners (
	id        INTEGER PRIMARY KEY,
	key       BLOB NOT NULL UNIQUE, -- hash of all columns below
	name      TEXT NOT NULL,
	user      TEXT NOT NULL,
	project   TEXT NOT NULL,
	service   TEXT NOT NULL,
	program   TEXT NOT NULL,
	folder    TEXT NOT NULL,
	command   TEXT NOT NULL,        -- JSON array with masked secrets; '' for none
	unit      TEXT NOT NULL,
	container TEXT NOT NULL,
	inferred  INTEGER NOT NULL,
	words     TEXT NOT NULL         -- search text in lower case
);
CREATE TABLE boots (
	id   INTEGER PRIMARY KEY,
	boot TEXT NOT NULL UNIQUE
);
CREATE TABLE events (
	id              INTEGER PRIMARY KEY AUTOINCREMENT,
	at              INTEGER NOT NULL,
	kind            TEXT NOT NULL,
	unobserved      INTEGER NOT NULL,
	protocol        TEXT NOT NULL,
	port            INTEGER NOT NULL,
	addresses       TEXT NOT NULL,     -- separated by spaces
	loopback        INTEGER NOT NULL,  -- whether one of them accepts loopback connections
	exposure        TEXT NOT NULL,
	listener        TEXT NOT NULL,
	boot            INTEGER NOT NULL,
	owner           INTEGER NOT NULL,
	pid             INTEGER NOT NULL,
	owner_before    INTEGER,
	pid_before      INTEGER,
	exposure_before TEXT NOT NULL,
	opened_at       INTEGER,
	already_open    INTEGER NOT NULL,
	duration        INTEGER            -- for closed, attempted and healthy; NULL if unknown
);
CREATE INDEX events_port ON events (port);
CREATE INDEX events_at ON events (at, loopback, protocol); -- covers counting all events
-- The open listeners, so that the next start can detect what closed meanwhile.
CREATE TABLE open (
	listener     TEXT PRIMARY KEY,
	event        INTEGER NOT NULL,     -- the event that opened it
	boot         INTEGER NOT NULL,
	protocol     TEXT NOT NULL,
	port         INTEGER NOT NULL,
	addresses    TEXT NOT NULL,
	exposure     TEXT NOT NULL,
	sockets      TEXT NOT NULL,        -- socket IDs, separated by spaces
	owner        INTEGER NOT NULL,
	pid          INTEGER NOT NULL,
	start        INTEGER NOT NULL,     -- start of the process
	opened_at    INTEGER NOT NULL,
	already_open INTEGER NOT NULL
) WITHOUT ROWID;
`,
	// How the user stopped the owners of a closed listener.
	"ALTER TABLE events ADD COLUMN stopped TEXT NOT NULL DEFAULT ''",
	// How the owner of a closed listener ended.
	`
ALTER TABLE events ADD COLUMN exit_status INTEGER; -- NULL if it is unknown or a signal ended the process
ALTER TABLE events ADD COLUMN signal TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN core_dumped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN out_of_memory INTEGER NOT NULL DEFAULT 0;
`,
	// Attempts to connect to a closed port, and the first connection of a client.
	`
ALTER TABLE events ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN client TEXT NOT NULL DEFAULT '';
`,
	// The answer to a health check.
	"ALTER TABLE events ADD COLUMN health TEXT NOT NULL DEFAULT ''",
}
