-- Boxes that want their admin's phones told when they are silent.
create table alarm (
    workshop integer primary key references workshop (n),
    secret_sha blob not null check (length(secret_sha) = 32),   -- SHA-256 of the secret in the admin's link
    after_ms integer not null,          -- how long the box must be silent
    told_ms integer                     -- when the phones were told; null: the box is heard
) strict;

-- The phones on which the admin's link was opened (RFC 8030).
create table alarm_phone (
    n integer primary key,
    workshop integer not null references alarm (workshop),
    endpoint text not null,
    p256dh blob not null,
    auth blob not null,
    unique (workshop, endpoint)
) strict;
create index alarm_phone_at on alarm_phone (endpoint);
