//! MotoReach: a vehicle workshop's own chat box. One program on a small computer in the workshop
//! serves the staff on the local network; vehicle owners write from anywhere through a relay, which is
//! the same program; every conversation belongs to a service request; whatever was acknowledged is on
//! disk, once, in order.
//!
//! # In one sentence
//!
//! Every fact is an event in one append-only, hash-chained journal that only the box writes; tables
//! are projections changed in the same transaction; whoever listens reads the journal after a
//! position. Nothing leaves before commit.
//!
//! # The journey of a message
//!
//! 1. `web/src/lib/model/outbox.svelte.ts` names it, shows it as pending, keeps it over a reload.
//! 2. [`http`]`::chat` takes one bounded frame; [`wire::client`] and [`http::session`] turn it into a
//!    [`commands::PostMessage`]. From here on the body is valid.
//! 3. [`commands::PostMessage`]: is the id known? Then the same answer. Else the request is loaded,
//!    [`domain`] is asked, and one [`domain::Event`] is recorded.
//! 4. [`store`]'s writer takes what queued during the last fsync, gives each command a savepoint,
//!    commits once, publishes, answers. From here on it is on disk, in order.
//! 5. [`hub`]: each subscriber's bounded queue gets the frame, encoded once and shared; chat and
//!    notification sockets alike.
//! 6. [`sync::dial`], woken by the commit, reads on after the relay's position, seals, sends;
//!    [`relay::accept`] has it committed and says so. From here on it is at the relay.
//! 7. [`relay::edge`] gives it to the owner's socket, [`relay::push`] wakes a phone that is not there;
//!    `web/src/lib/net` opens the seal.
//!
//! What an owner writes at the relay waits in its mailbox, is handed to the box, goes through
//! [`commands::AcceptPost`] into the same writer, and comes back as an entry of the journal: that is
//! its acknowledgement, and there is no other.
//!
//! # When copies disagree
//!
//! A box that was put back from an old copy, a relay that was, a card that was cloned:
//! [`sync::link`] finds the last position that both copies have, [`store::link::adopt`] makes one
//! journal of both in one transaction. Nothing is overwritten.
//!
//! # Invariants
//!
//! 1. Nothing is broadcast, acknowledged or sent before the transaction that holds it has committed
//!    (`journal_mode=WAL`, `synchronous=FULL`).
//! 2. One thread writes. Broadcast order = commit order = journal order.
//! 3. Whoever intends something names it (a 128-bit id made where it was typed); a permanent unique
//!    index makes twice the same as once.
//! 4. A position in a log moves only in the transaction that stores what it counts.
//! 5. [`domain`], [`seal`] and [`sync::link`] do no IO: time and randomness are handed in.
//! 6. Every queue, frame, page, retry and timeout has a named limit with its unit.
//! 7. A slow reader is cut and resumes; it is never waited for. No lock is held over an `.await`.
//! 8. Only [`wire`] and [`store`] know a serialized form. SQL lives only in [`store`] and in the
//!    relay's stores.
//! 9. The clock never orders anything; a Pi has none. Order is the journal's.
//! 10. Bodies are hashed as they are sealed, from the first event on: the relay, which carries the
//!     journal, can neither read nor forge nor reorder it, and cannot command the box.
//! 11. Tests use no sleep, no fixed port, no network beyond this machine; a random test prints its
//!     seed.
//!
//! # Modules, in reading order; none uses one that comes later
//!
//! * [`domain`]: what the workshop means: people, requests, messages, events, reasons to refuse.
//! * [`seal`]: keys from the root secret, sealed bodies, the journal's chain, owners' links.
//! * [`clock`], [`password`]: what time it is; slow hashes.
//! * [`crash`]: named places where a test ends the process.
//! * [`wire`]: what crosses to browsers, to owners' pages at the relay, and between box and relay.
//! * [`store`]: every line of SQL; the one writer, the readers, the journal and its projections.
//! * [`commands`]: one file per intention.
//! * [`export`]: files that prove themselves: made, shown, verified.
//! * [`machine`]: what the kernel tells of the machine.
//! * [`hub`]: live fan-out, in memory.
//! * [`health`]: how the box fares, gathered and judged.
//! * [`net`]: connections to elsewhere, and TLS in both directions.
//! * [`discovery`]: how the box is found: its name on the workshop's network, its addresses.
//! * [`update`]: a new program takes the old one's place: signatures, notes, files.
//! * [`http`]: the edge towards browsers.
//! * [`sync`]: the link between box and relay: what both ends say, and the box's end at work.
//! * [`relay`]: the relay: what it keeps, a box on the line, its edge towards owners, pushing.
//! * [`config`], [`appliance`]: the box put together.
//! * [`cli`], [`telemetry`], [`ops`]: the command line, the log, and one file per command.

pub mod appliance;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod crash;
pub mod discovery;
pub mod domain;
pub mod export;
pub mod health;
pub mod http;
pub mod hub;
pub mod machine;
pub mod net;
pub mod ops;
pub mod password;
pub mod relay;
pub mod seal;
pub mod store;
pub mod sync;
pub mod telemetry;
pub mod update;
pub mod wire;
