-- What a relay keeps (sync.md §8): copies of journals that it cannot read, and mailboxes. Every row
-- belongs to one workshop; `workshop.n` stands for its key in all the others.

-- A workshop: which copies of its box may go on, and where the copy of its journal ends.
create table workshop (
    n integer primary key,
    key blob not null unique check (length(key) = 16),
    public_key blob not null check (length(public_key) = 32),   -- never changes
    generation integer not null,        -- of the newest grant: the fence of its session
    nonce blob not null check (length(nonce) = 16),
    held_generation integer,            -- the grant that the box was last known to hold; null: none
    held_nonce blob check (length(held_nonce) = 16),
    restored_ms integer,                -- when an older copy was last taken for a restore
    claimed_ms integer,                 -- when a copy was last declared the real one
    quarantined integer not null check (quarantined in (0, 1)),
    head_seq integer not null,          -- 0: nothing yet
    head_chain blob not null check (length(head_chain) = 32),
    head_signature blob check (length(head_signature) = 64),    -- null right after a fork
    line integer not null,              -- everything up to here is in a proven backup of the box
    revision integer not null,          -- rises with whatever a staged block would miss
    doors blob not null,                -- CBOR: addresses on the workshop's own network
    seen_ms integer not null,
    forks integer not null,
    posts integer not null,             -- that wait, and their bytes; kept by the triggers below
    post_bytes integer not null
) strict;

-- The incarnations of each journal with their first positions.
create table incarnation (
    workshop integer not null references workshop (n),
    first_seq integer not null,
    log blob not null check (length(log) = 16),
    primary key (workshop, first_seq)
) strict, without rowid;

-- The journals, but for what lies packed in `block`. `body` is null once erased or trimmed.
create table entry (
    workshop integer not null references workshop (n),
    seq integer not null,
    id blob not null check (length(id) = 16),
    thread blob check (length(thread) = 16),
    kind text not null,
    flags integer not null,
    epoch integer not null,
    body_sha blob not null check (length(body_sha) = 32),
    chain blob not null check (length(chain) = 32),
    body blob,
    clear blob,                         -- CBOR of `seal::Clear`
    unique (workshop, seq)
) strict;
create unique index entry_id on entry (workshop, id);
create index entry_of_thread on entry (workshop, thread, seq) where thread is not null;

-- Stretches of journals that the box has in a proven backup and no open thread needs: block b holds
-- the packed ones of the positions 64 b + 1 to 64 b + 64, as a CBOR array of `wire::link::GivenEntry`.
create table block (
    workshop integer not null references workshop (n),
    block integer not null,
    entries blob not null,
    primary key (workshop, block)
) strict;

-- Where each packed entry is, by its id ...
create table packed (
    workshop integer not null references workshop (n),
    id blob not null check (length(id) = 16),
    block integer not null,
    primary key (workshop, id)
) strict, without rowid;

-- ... and which blocks hold something of a thread.
create table packed_thread (
    workshop integer not null references workshop (n),
    thread blob not null check (length(thread) = 16),
    block integer not null,
    primary key (workshop, thread, block)
) strict, without rowid;

-- Blocks on their way in; dropped at each start. `revision` is the workshop's when they were made.
create table staged (
    workshop integer not null references workshop (n),
    block integer not null,
    revision integer not null,
    entries blob not null,
    primary key (workshop, block)
) strict;

-- Threads that were closed long enough ago for their words to be forgotten, as the box says.
create table closed (
    workshop integer not null references workshop (n),
    thread blob not null check (length(thread) = 16),
    primary key (workshop, thread)
) strict, without rowid;

-- Events whose body must never come back, whatever is appended later.
create table erased (
    workshop integer not null references workshop (n),
    id blob not null check (length(id) = 16),
    primary key (workshop, id)
) strict, without rowid;

-- Stretches that once were the end of a copy and were replaced by a fork; each is proven by the
-- box's signature over its last position. A run goes when all of it came back.
create table run (
    workshop integer not null references workshop (n),
    run integer not null,
    begins blob not null check (length(begins) = 32),           -- the chain before its first entry
    end_log blob not null check (length(end_log) = 16),
    end_seq integer not null,
    end_chain blob not null check (length(end_chain) = 32),
    signature blob not null check (length(signature) = 64),
    primary key (workshop, run)
) strict, without rowid;

-- The entries of the runs. A settled one came back to the journal and is kept for the chain alone.
create table orphan (
    workshop integer not null,
    run integer not null,
    seq integer not null,
    log blob not null check (length(log) = 16),
    id blob not null check (length(id) = 16),
    thread blob check (length(thread) = 16),
    kind text not null,
    flags integer not null,
    epoch integer not null,
    body_sha blob not null check (length(body_sha) = 32),
    chain blob not null check (length(chain) = 32),
    body blob,
    clear blob,
    settled integer not null check (settled in (0, 1)),
    unique (workshop, run, seq),
    foreign key (workshop, run) references run (workshop, run)
) strict;
create index orphan_id on orphan (workshop, id);
create index orphan_unsettled on orphan (workshop, run) where settled = 0;

-- The mailboxes: what owners sent and the journal does not have yet. `place` only rises.
create table post (
    place integer primary key autoincrement,
    workshop integer not null references workshop (n),
    id blob not null check (length(id) = 16),
    thread blob not null check (length(thread) = 16),
    invite blob not null check (length(invite) = 16),
    device blob not null check (length(device) = 16),
    kind text not null,
    epoch integer not null,
    sealed blob,                        -- null once refused
    refused text,                       -- a word; null: it waits
    kept_ms integer not null,
    unique (workshop, id)
) strict;
create index post_waiting on post (workshop, place) where refused is null;
create index post_of_invite on post (workshop, invite, place);

create trigger post_comes after insert on post when new.refused is null begin
    update workshop set posts = posts + 1, post_bytes = post_bytes + length(new.sealed)
    where n = new.workshop;
end;
create trigger post_goes after delete on post when old.refused is null begin
    update workshop set posts = posts - 1, post_bytes = post_bytes - length(old.sealed)
    where n = old.workshop;
end;
create trigger post_is_refused after update of refused on post
when old.refused is null and new.refused is not null begin
    update workshop set posts = posts - 1, post_bytes = post_bytes - length(old.sealed)
    where n = old.workshop;
end;

-- Owners' links. Their ids are unique over all workshops: a socket begins with nothing else.
create table invite (
    id blob primary key check (length(id) = 16),
    workshop integer not null references workshop (n),
    thread blob not null check (length(thread) = 16),
    auth_sha blob not null check (length(auth_sha) = 32),
    expires_ms integer not null,
    revoked integer not null check (revoked in (0, 1))
) strict, without rowid;
create index invite_of_workshop on invite (workshop, thread);

-- Thread keys that only the holder of one link can unwrap.
create table wrap (
    invite blob not null references invite (id),
    epoch integer not null,
    wrapped blob not null,
    primary key (invite, epoch)
) strict, without rowid;

-- Where to push to (RFC 8030). One browser may have several threads behind one endpoint.
create table subscription (
    n integer primary key,
    workshop integer not null references workshop (n),
    thread blob not null check (length(thread) = 16),
    endpoint text not null,
    p256dh blob not null,
    auth blob not null,
    invite blob not null references invite (id),
    device blob not null check (length(device) = 16),
    shown integer not null check (shown in (0, 1)),
    unique (endpoint, workshop, thread)
) strict;
create index subscription_of_thread on subscription (workshop, thread);
create index subscription_of_invite on subscription (invite);

-- Pairing codes: keys derived from them, never the codes.
create table code (
    id integer primary key autoincrement,
    key blob not null unique check (length(key) = 32),
    expires_ms integer not null,
    used_by blob check (length(used_by) = 16)
) strict;

-- One row, written to see whether the disk takes a write.
create table probe (
    id integer primary key check (id = 1),
    turn integer not null
) strict;
insert into probe (id, turn) values (1, 0);
