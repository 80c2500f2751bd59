-- The journal, its projections, and what is local to this box.

-- Incarnations of the journal (sync.md §2). The newest row is the one that is written to.
create table log (
    first_seq integer primary key,
    log_id blob not null unique check (length(log_id) = 16)
) strict;

-- Every fact, in the only order there is. Append-only: rows are never deleted, and only `body` ever
-- changes, once, to null, when it is erased. `body_sha` and `chain` stay and still verify.
create table event (
    seq integer primary key,
    id blob not null unique check (length(id) = 16),
    request_id integer,                 -- the thread that it belongs to; null: the workshop's own
    kind text not null,                 -- part of the chain, so a kind is never renamed
    flags integer not null,             -- bit 0: staff only
    epoch integer not null,             -- which of the thread's keys seals it
    at_ms integer not null,             -- for people to read; orders nothing
    author blob not null check (length(author) = 16),
    body text,                          -- JSON; null once erased
    body_sha blob not null check (length(body_sha) = 32),   -- of the sealed body
    chain blob not null check (length(chain) = 32)
) strict;
create index event_of_request on event (request_id, seq) where request_id is not null;

-- Projections: everything below follows from the journal and can be rebuilt from it
-- (`motoreach doctor --rebuild`).

-- One row. The workshop's key is derived from the root secret and is not stored.
create table workshop (
    id integer primary key check (id = 1),
    name text not null
) strict;

create table person (
    id integer primary key,
    key blob not null unique check (length(key) = 16),
    role text not null check (role in ('admin', 'mechanic', 'owner')),
    full_name text not null,
    username text,
    phone text,
    email text,
    password_hash text,                 -- argon2id, PHC form; null: cannot sign in with a password
    active integer not null check (active in (0, 1)),
    token_version integer not null,     -- a token of an older version is worth nothing
    created_ms integer not null
) strict;
create unique index person_username on person (username) where username is not null;
create index person_phone on person (phone) where phone is not null;
create index person_email on person (email) where email is not null;

create table vehicle (
    id integer primary key,
    owner_id integer not null references person (id),
    plate_key text not null,            -- the plate without spaces and dashes
    plate text not null,
    make text,
    model text,
    year integer,
    unique (owner_id, plate_key)
) strict;

create table request (
    id integer primary key,
    key blob not null unique check (length(key) = 16),
    owner_id integer not null references person (id),
    vehicle_id integer not null references vehicle (id),
    description text not null,
    status text not null,
    assigned_to integer references person (id),
    epoch integer not null,             -- the thread key in use; a revoked invite renews it
    created_ms integer not null,
    active_ms integer not null,
    activity_seq integer not null,      -- where something last happened: the order of lists
    last_message_seq integer,
    user_read_seq integer not null,     -- the newest message each side has seen
    workshop_read_seq integer not null,
    user_unread integer not null,       -- how many of the other side's messages each has not seen:
    workshop_unread integer not null    -- counted as they come, so that no list has to
) strict;
create index request_by_activity on request (activity_seq);
create index request_of_owner on request (owner_id);
create index request_of_mechanic on request (assigned_to) where assigned_to is not null;

-- What queries need of a message; its words live once, in its event.
create table message (
    seq integer primary key references event (seq),
    request_id integer not null references request (id),
    side text not null check (side in ('user', 'workshop')),
    author_id integer not null references person (id),
    reply_to_seq integer,
    expires_ms integer,
    erased_why text check (erased_why in ('redacted', 'expired')),
    erased_by integer references person (id)
) strict;
create index message_of_request on message (request_id, seq);
create index message_expiring on message (expires_ms) where expires_ms is not null;

create table receipt (
    seq integer primary key references event (seq),
    request_id integer not null references request (id),
    side text not null check (side in ('user', 'workshop')),
    person_id integer not null references person (id),
    up_to_seq integer not null,
    at_ms integer not null
) strict;
create index receipt_of_request on receipt (request_id, side, up_to_seq);

create table invite (
    id blob primary key check (length(id) = 16),
    request_id integer not null references request (id),
    auth_sha blob not null unique check (length(auth_sha) = 32),
    created_ms integer not null,
    expires_ms integer not null,
    revoked_ms integer
) strict, without rowid;
create index invite_of_request on invite (request_id);

-- Local to this box: never in the journal, never synchronised.

-- A sign-in on one device. Of tokens only hashes are kept.
create table session (
    id blob primary key check (length(id) = 16),
    person_id integer not null references person (id),
    invite_id blob,                     -- signed in by this link
    device_id blob,                     -- as the owner's page names itself
    device_name text not null,
    refresh_sha blob not null check (length(refresh_sha) = 32),
    previous_sha blob,                  -- honoured for a moment, for two tabs that refresh at once
    rotated_ms integer not null,
    created_ms integer not null,
    seen_ms integer not null,
    expires_ms integer not null,
    ended_ms integer
) strict, without rowid;
create index session_of_person on session (person_id);
create unique index session_of_device on session (invite_id, device_id) where device_id is not null;

-- Small facts about this box alone, such as "the recovery words were written down".
create table local_state (
    name text primary key,
    value text not null
) strict, without rowid;
