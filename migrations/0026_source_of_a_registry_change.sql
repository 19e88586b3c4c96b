-- The message that brought a change: topic/partition/offset. Null for what came otherwise, and then
-- it is no part of the hash: the rows of before stay what they are.
ALTER TABLE registry_changes ADD COLUMN source text COLLATE "C";
