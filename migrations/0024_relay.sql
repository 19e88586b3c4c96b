-- The relay announces events outside of the database, so that no transaction of ours can last as long as
-- it works, and no lock on its row can be its lease: who has it is written down, and until when. Only
-- rows of the name `relay` have a lease.
ALTER TABLE followers
    ADD COLUMN leased_by    uuid,
    ADD COLUMN leased_until timestamptz;
