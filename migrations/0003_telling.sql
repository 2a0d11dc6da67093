-- What the partner is still to be told, in the order in which it happened: a row comes with the turn that it follows
-- from, and goes when the partner has taken it. The channel is in the upper bits of the id, as a turn's; `name` is
-- what the partner knows it by, however often it is told.
CREATE TABLE telling (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    announcement TEXT NOT NULL,
    format INTEGER NOT NULL,
    UNIQUE (channel, name)
) STRICT;
