"""Tables of the spool: one SQLite file that holds all that the agent must not forget."""

# An event waits, or was refused and is kept to be looked at; one that was taken is in a body of
# `sent`. An allocation lasts, is over, or is told no more since something about it was refused.
LASTS, OVER = "lasts", "over"

VERSION = 2

# What version 2 brought, for spools of before.
SCHEMA_2 = """
-- What the service said of a facility's log, when it was first asked.
CREATE TABLE logs (facility INTEGER PRIMARY KEY, said BLOB NOT NULL);

-- The newest receipt that a key has in a log, behind which it goes on.
CREATE TABLE ends (
  log TEXT NOT NULL,
  author TEXT NOT NULL,
  receipt BLOB NOT NULL,
  PRIMARY KEY (log, author)
)
"""

SCHEMA = """
CREATE TABLE cursors (source TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- seq is the order of sending: an allocation's opening comes before what speaks of it.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  facility INTEGER NOT NULL,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  about TEXT NOT NULL,
  body BLOB NOT NULL,
  spooled_s INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waits',
  answered_s INTEGER,
  code TEXT,
  detail TEXT,
  UNIQUE (source, id)
);
CREATE INDEX events_waiting ON events (facility, seq) WHERE state = 'waits';
CREATE INDEX events_refused ON events (source, about) WHERE state = 'refused';

-- opening is the id of the event that opened it. until_s is how far it is told.
CREATE TABLE allocations (
  source TEXT NOT NULL,
  opening TEXT NOT NULL,
  job TEXT NOT NULL,
  device TEXT NOT NULL,
  lease TEXT NOT NULL,
  facility INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'lasts',
  over_s INTEGER,
  PRIMARY KEY (source, opening)
) WITHOUT ROWID;
CREATE INDEX allocations_open ON allocations (source, device) WHERE over_s IS NULL;
CREATE INDEX allocations_job ON allocations (source, job, device);
CREATE INDEX allocations_over ON allocations (over_s) WHERE over_s IS NOT NULL;

-- Since when a device is seen without a gap, as far as no event says it yet.
CREATE TABLE sightings (
  source TEXT NOT NULL,
  device TEXT NOT NULL,
  start_s INTEGER NOT NULL,
  until_s INTEGER NOT NULL,
  PRIMARY KEY (source, device)
) WITHOUT ROWID;

-- What is not billed and why, or cannot be read: for people.
CREATE TABLE problems (
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  first_s INTEGER NOT NULL,
  last_s INTEGER NOT NULL,
  times INTEGER NOT NULL,
  PRIMARY KEY (source, kind, subject)
) WITHOUT ROWID;

-- Devices of which the service takes no sighting, and until when it is not asked again.
CREATE TABLE muted (device TEXT PRIMARY KEY, until_s INTEGER NOT NULL, code TEXT NOT NULL)
WITHOUT ROWID;

-- The one body that each key has under way in a log, byte for byte, with the entry after which it
-- was signed. A try after a crash sends the same bytes.
CREATE TABLE flights (
  log TEXT NOT NULL,
  author TEXT NOT NULL,
  facility INTEGER NOT NULL,
  seqs BLOB NOT NULL,
  body BLOB NOT NULL,
  after BLOB NOT NULL,
  PRIMARY KEY (log, author)
);

-- Bodies that the service took, in their order and compressed, each with its receipt if it gave
-- one: after a restore of the service they are sent again. A receipt outlives its body.
CREATE TABLE sent (
  log TEXT NOT NULL,
  author TEXT NOT NULL,
  place INTEGER NOT NULL,
  receipt BLOB NOT NULL,
  body_sha256 BLOB NOT NULL,
  body BLOB NOT NULL,
  taken_s INTEGER NOT NULL,
  PRIMARY KEY (log, author, place)
);
"""
