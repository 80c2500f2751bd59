-- The link to a relay: what entries need to travel, and what the box keeps for the link.

-- The thread's key stands with each entry: when copies of a journal are brought together, an entry may
-- come before the one that opened its thread, and its seal covers the key.
alter table event add column thread blob check (thread is null or length(thread) = 16);
update event
set thread = (select o.id from event o where o.request_id = event.request_id order by o.seq limit 1)
where request_id is not null;

-- A message that came back from a relay without its words came back without its author too.
create table message_and_maybe_author (
    seq integer primary key references event (seq),
    request_id integer not null references request (id),
    side text not null check (side in ('user', 'workshop')),
    author_id integer references person (id),   -- null: not known any more
    reply_to_seq integer,
    expires_ms integer,
    erased_why text check (erased_why in ('redacted', 'expired')),
    erased_by integer references person (id)
) strict;
insert into message_and_maybe_author select * from message;
drop table message;
alter table message_and_maybe_author rename to message;
create index message_of_request on message (request_id, seq);
create index message_expiring on message (expires_ms) where expires_ms is not null;

-- Projections.

-- Devices that opened a link at the relay, as they name themselves.
create table link_device (
    invite_id blob not null check (length(invite_id) = 16),
    device_id blob not null check (length(device_id) = 16),
    name text not null,
    first_ms integer not null,
    named_ms integer not null,
    primary key (invite_id, device_id)
) strict, without rowid;

-- What an entry says of something that only comes later in the journal. It happens where copies were
-- brought together and one of them was given back in the wrong order; erasing and revoking win all
-- the same.
create table foretold (
    id blob primary key check (length(id) = 16),     -- the message or link
    what text not null check (what in ('redacted', 'expired', 'revoked')),
    author blob not null check (length(author) = 16),
    at_ms integer not null
) strict, without rowid;

-- Local to this box: never in the journal, never synchronised.

-- One row once a relay was set up. It stays when the relay is let go of: whoever comes back to the
-- same relay is known there.
create table relay (
    id integer primary key check (id = 1),
    url text,                           -- as it was typed; null: no relay is set up
    code text,                          -- the pairing code, until it was used
    relay_key blob check (relay_key is null or length(relay_key) = 32),     -- which relay it is
    public_url text,                    -- what owners' links begin with
    membership blob,                    -- the relay's proof that this workshop may use it
    generation integer,                 -- the newest grant: 64 bits without a sign
    nonce blob check (nonce is null or length(nonce) = 16),
    claim integer not null check (claim in (0, 1)),     -- an admin said: this is the real one
    verdict text,                       -- why the relay said no, until something is done about it
    applied_log blob check (applied_log is null or length(applied_log) = 16),
    applied_seq integer,                -- how far the relay has the journal
    applied_chain blob check (applied_chain is null or length(applied_chain) = 32)
) strict;

-- Stretches of a journal that a relay gives back, while they come in: how far each was verified.
create table staged_run (
    run integer primary key,
    begins blob not null check (length(begins) = 32),   -- the chain before its first entry
    first_seq integer,                  -- null: nothing of it came yet
    seq integer,                        -- the newest that came
    log blob check (log is null or length(log) = 16),
    chain blob not null check (length(chain) = 32),
    ended integer not null check (ended in (0, 1))      -- its signature was checked
) strict;

-- Entries that were given back, opened, until they are adopted; each id once. The box's own that have
-- to move behind them stand in run -1.
create table staged_entry (
    run integer not null,
    seq integer not null,
    id blob not null unique check (length(id) = 16),
    log blob not null check (length(log) = 16),
    request_id integer,                 -- the number that its request had here
    thread blob check (thread is null or length(thread) = 16),
    kind text not null,
    flags integer not null,
    epoch integer not null,
    at_ms integer,                      -- null: not known, it went with the words
    author blob check (author is null or length(author) = 16),
    body text,
    body_sha blob not null check (length(body_sha) = 32),
    primary key (run, seq)
) strict;

-- Each time that copies of the journal were brought together.
create table merge (
    id integer primary key,
    at_ms integer not null,
    entries integer not null,           -- what came back
    messages integer not null,          -- messages among it
    flagged blob not null               -- keys of requests whose status moved on both copies, 16 bytes each
) strict;

-- The newest of the dense numbers that each owner's device gives its posts, and how many are missing.
create table post_device (
    device_id blob primary key check (length(device_id) = 16),
    seq integer not null,
    gaps integer not null,
    seen_ms integer not null
) strict, without rowid;

-- Posts and bytes of each link (and of all together, under zeros) in the present window of time.
create table post_quota (
    invite_id blob primary key check (length(invite_id) = 16),
    began_ms integer not null,
    posts integer not null,
    bytes integer not null
) strict, without rowid;
