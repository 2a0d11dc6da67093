-- How many things the partner was to be told of a conversation. `gap` is the number of the last one that it did not take:
-- the next says so. A row is written anew with each thing, so that the oldest rows are the first.
CREATE TABLE told (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    last INTEGER NOT NULL,
    gap INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (channel, conversation)
) STRICT;

-- The conversation that it is about, and its number there. What waits already gets its number by its place.
ALTER TABLE telling ADD COLUMN conversation TEXT NOT NULL DEFAULT '';
ALTER TABLE telling ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE telling SET conversation = coalesce(json_extract(announcement, '$.conversation'), '')
    WHERE json_valid(announcement);
UPDATE telling SET sequence = numbered.number FROM (
    SELECT id, row_number() OVER (PARTITION BY channel, conversation ORDER BY id) AS number FROM telling
) AS numbered WHERE numbered.id = telling.id;
INSERT INTO told (channel, conversation, last, gap, at)
    SELECT channel, conversation, max(sequence), 0, max(at) FROM telling GROUP BY channel, conversation;

-- What the partner did not take: refused for good, or not taken in time. The oldest rows are the first; `at` is when it
-- happened, `given_up` when it came here, `resent` when it was to be sent again, until that is over.
CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    conversation TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    given_up INTEGER NOT NULL,
    why TEXT NOT NULL,
    resent INTEGER,
    announcement TEXT NOT NULL,
    format INTEGER NOT NULL,
    UNIQUE (channel, name)
) STRICT;
CREATE INDEX dead_letter_of_channel ON dead_letter (channel);
