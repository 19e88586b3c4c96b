-- Which version of its tables a follower writes: <name>_v<version>. A rebuild fills the next one beside
-- it, and then turns view and followers to it in one transaction.
ALTER TABLE followers ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version > 0);
