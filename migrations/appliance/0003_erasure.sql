-- Erasing everything of an owner who asks for it.

-- What stays of an erased entry that is not a message: the same event without what was personal, as
-- the entry says that erased it. Without it nothing that follows from the journal could be made again.
alter table event add column remains text;
alter table staged_entry add column remains text;

-- The workshop's own entries, those of no request: people come and go by them. They are few.
create index event_of_workshop on event (seq) where request_id is null;

-- How much of a person was erased: what they wrote, or everything said with them. The position of the
-- entry that says so.
alter table person add column erased text check (erased is null or erased in ('words', 'everything'));
alter table person add column erased_seq integer;

-- A message may be erased because its owner asked for it.
create table message_that_may_be_forgotten (
    seq integer primary key references event (seq),
    request_id integer not null references request (id),
    side text not null check (side in ('user', 'workshop')),
    author_id integer references person (id),   -- null: not known any more
    reply_to_seq integer,
    expires_ms integer,
    erased_why text check (erased_why in ('redacted', 'expired', 'forgotten')),
    erased_by integer references person (id)
) strict;
insert into message_that_may_be_forgotten select * from message;
drop table message;
alter table message_that_may_be_forgotten rename to message;
create index message_of_request on message (request_id, seq);
create index message_expiring on message (expires_ms) where expires_ms is not null;

-- And that may be said before what it speaks of comes, of entries and of people.
create table foretold_of_anything (
    id blob primary key check (length(id) = 16),     -- the entry, link or person
    what text not null check (what in (
        'redacted', 'expired', 'revoked', 'forgotten', 'erased_words', 'erased_everything')),
    author blob not null check (length(author) = 16),
    at_ms integer not null
) strict, without rowid;
insert into foretold_of_anything select * from foretold;
drop table foretold;
alter table foretold_of_anything rename to foretold;
