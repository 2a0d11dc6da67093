-- One row a channel of an org. `epoch` counts how often it was loaded: who writes with an older one is refused.
CREATE TABLE channel (
    id INTEGER PRIMARY KEY,
    org TEXT NOT NULL,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    next_turn INTEGER NOT NULL,
    UNIQUE (org, name)
) STRICT;

-- `state` is the conversation as JSON after every turn whose id is not above `covered`; NULL before the first.
CREATE TABLE conversation (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT,
    covered INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    idle INTEGER NOT NULL,
    UNIQUE (channel, name)
) STRICT;

CREATE INDEX conversation_idle ON conversation (ended, heard) WHERE idle = 1;

-- The journal. The channel is in the upper bits of the id, so that a channel is read in one sweep, and what it
-- appends lies together.
CREATE TABLE turn (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    at INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    facts TEXT NOT NULL
) STRICT;

CREATE TABLE seen (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    cause BLOB NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (channel, cause)
) STRICT;

CREATE TABLE position (
    channel INTEGER NOT NULL,
    topic TEXT NOT NULL,
    replay_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, topic)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id is a place to go on reading from, and must not come twice.
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    request TEXT NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
