-- In which format a row's JSON is (src/store/format.rs). Rows from before formats had numbers are in format 1.
ALTER TABLE conversation ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
ALTER TABLE turn ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
ALTER TABLE outcome ADD COLUMN format INTEGER NOT NULL DEFAULT 1;

-- The releases that have opened the file to write, with the newest format and migration that each knows: an
-- older one refuses the file, and says which is wanted.
CREATE TABLE writer (
    release TEXT PRIMARY KEY,
    format INTEGER NOT NULL,
    migration INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
