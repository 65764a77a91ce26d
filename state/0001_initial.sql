-- The state database, version 1. Applied by lua/infra/state/migrations.lua, one file per version, in order.
-- Text columns that hold JSON are named so in the comment; everything secret in them is a digest (engine/reference).

CREATE TABLE meta (          -- lineage, stack, digest_key
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE run (
  id          INTEGER PRIMARY KEY,
  command     TEXT NOT NULL,          -- run, apply, destroy
  actor       TEXT NOT NULL,          -- user@host, pid
  version     TEXT NOT NULL,          -- of infra
  started_at  REAL NOT NULL,          -- unix seconds
  finished_at REAL,
  outcome     TEXT,                   -- done, failed, stopped, crashed; NULL: it runs, or crashed just now
  summary     TEXT                    -- JSON: counts by action
);

CREATE TABLE resource (
  address      TEXT NOT NULL,         -- network/vpc
  token        TEXT NOT NULL,         -- this generation's nonce: value of the tag infra:id, idempotency token
  type         TEXT NOT NULL,         -- AWS::EC2::VPC
  status       TEXT NOT NULL,         -- creating, ready, deleting, replaced (to be deleted: a newer generation exists)
  region       TEXT NOT NULL,
  account      TEXT NOT NULL,
  identity     TEXT,                  -- JSON; NULL: a create was intended, its outcome is not known
  properties   TEXT NOT NULL,         -- JSON: as declared, references resolved
  attributes   TEXT NOT NULL,         -- JSON: as AWS reported
  dependencies TEXT NOT NULL,         -- JSON: addresses
  options      TEXT NOT NULL,         -- JSON: protect, retain, timeouts
  source       TEXT NOT NULL,         -- file:line
  run          INTEGER NOT NULL REFERENCES run (id),
  updated_at   REAL NOT NULL,
  PRIMARY KEY (address, token)
) WITHOUT ROWID;

CREATE TABLE history (                -- every change of a resource, kept
  id         INTEGER PRIMARY KEY,
  run        INTEGER NOT NULL REFERENCES run (id),
  address    TEXT NOT NULL,
  type       TEXT NOT NULL,
  action     TEXT NOT NULL,           -- create, update, replace, delete, move, forget, refresh
  outcome    TEXT NOT NULL,           -- done, failed
  seconds    REAL NOT NULL,
  at         REAL NOT NULL,
  detail     TEXT NOT NULL            -- JSON: changed properties, or the error
);
CREATE INDEX history_by_address ON history (address, id);
CREATE INDEX history_by_type ON history (type, action, outcome);
CREATE INDEX history_by_run ON history (run);

CREATE TABLE intent (                 -- every mutating request, written before it leaves
  id         INTEGER PRIMARY KEY,
  run        INTEGER NOT NULL REFERENCES run (id),
  address    TEXT NOT NULL,
  action     TEXT NOT NULL,
  service    TEXT NOT NULL,
  operation  TEXT NOT NULL,
  region     TEXT NOT NULL,
  token      TEXT NOT NULL,
  digest     TEXT NOT NULL,           -- SHA-256 of the canonical parameters
  opened_at  REAL NOT NULL,
  closed_at  REAL,                    -- NULL: no answer was recorded
  error      TEXT                     -- AWS's code, NULL when it succeeded
);
CREATE INDEX intent_open ON intent (token) WHERE closed_at IS NULL;

CREATE TABLE output (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL                 -- JSON
) WITHOUT ROWID;

CREATE TABLE lease (                  -- one writer at a time
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  token      INTEGER NOT NULL,        -- fencing: grows with every holder
  holder     TEXT,                    -- NULL: free
  host       TEXT,
  pid        INTEGER,
  started    TEXT,                    -- the boot, when process 1 started, when this one did: numbers are used again
  expires_at REAL
);
INSERT INTO lease (id, token) VALUES (1, 0);
