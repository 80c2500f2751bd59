//! Owners' posts as they come over the relay: opening them, counting their devices' numbers, and the
//! box's own quotas, whatever the relay lets through.

use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::{DeviceId, EventId, InviteId, Timestamp};
use crate::seal::{self, Opened, POST_BYTES_MAX, POST_KINDS, SealContext, SealedPost};
use crate::store::error::StoreError;
use crate::store::keys::BoxKeys;
use crate::store::tx::{View, WriteTx};

/// The time in which posts are counted, in milliseconds: an hour.
const WINDOW_MS: i64 = 3_600_000;
/// Posts of one link in that time: more than one person types, even after a week without a line.
pub const POSTS_PER_LINK_MAX: i64 = 600;
/// Their bytes.
pub const POST_BYTES_PER_LINK_MAX: i64 = 8 << 20;
/// Posts of all links together in that time: every owner of a large workshop comes back at once.
pub const POSTS_PER_WORKSHOP_MAX: i64 = 20_000;
/// Their bytes.
pub const POST_BYTES_PER_WORKSHOP_MAX: i64 = 64 << 20;
/// All links together, where their posts are counted.
const EVERY_LINK: InviteId = InviteId::from_bytes([0; 16]);
/// In `local_state`: copies were brought together, so numbers were used that this table never saw.
const NUMBERS_UNSURE: &str = "post_numbers_unsure";

/// What an owner did on their phone.
#[derive(Clone, PartialEq, Eq)]
pub enum Deed {
    /// They wrote.
    Message {
        /// What.
        content: String,
        /// In answer to which message.
        reply_to: Option<EventId>,
        /// Erase it so many seconds after it was typed.
        expires_in_s: Option<i64>,
    },
    /// They read up to a message.
    Read {
        /// The newest that they have seen.
        up_to: EventId,
    },
    /// Their device says what it is called.
    Device {
        /// What.
        name: String,
    },
    /// The seal is right and what is in it cannot be read.
    Unreadable,
}

/// A post whose seal is right: a holder of the link wrote it.
pub struct OpenedPost {
    /// When it was typed, by the phone's clock.
    pub at: Timestamp,
    /// The place among the posts of its device, dense from 1.
    pub seq: Option<i64>,
    /// What it says.
    pub deed: Deed,
}

#[derive(Deserialize)]
struct Numbered {
    seq: i64,
}

#[derive(Deserialize)]
struct Message {
    content: String,
    #[serde(default)]
    reply_to: Option<Uuid>,
    #[serde(default)]
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct Read {
    up_to: Uuid,
}

#[derive(Deserialize)]
struct Device {
    name: String,
}

/// Opens a post with the key that only its link's holder and this box have; `None` when it was not
/// sealed for this thread, link, device and kind.
pub fn open(keys: &BoxKeys, post: &SealedPost) -> Option<OpenedPost> {
    if post.sealed.len() > POST_BYTES_MAX || !POST_KINDS.contains(&post.kind.as_str()) {
        return None;
    }
    let context = SealContext {
        workshop: *keys.workshop().as_bytes(),
        thread: Some(*post.thread.as_bytes()),
        event: *post.id.as_bytes(),
        kind: &post.kind,
    };
    let key = keys.post_key(post.thread, post.epoch, post.invite);
    let plain = seal::open(&key, &context, &post.sealed).ok()?;
    let opened = Opened::parse(&plain).ok()?;
    if opened.author != *post.device.as_bytes() {
        return None;
    }
    let numbered: Option<Numbered> = serde_json::from_slice(opened.body).ok();
    Some(OpenedPost {
        at: Timestamp(opened.at_ms),
        seq: numbered.map(|numbered| numbered.seq),
        deed: deed(&post.kind, opened.body).unwrap_or(Deed::Unreadable),
    })
}

fn deed(kind: &str, body: &[u8]) -> Option<Deed> {
    Some(match kind {
        "message" => {
            let Message {
                content,
                reply_to,
                expires_in,
            } = serde_json::from_slice(body).ok()?;
            Deed::Message {
                content,
                reply_to: reply_to.map(EventId::new),
                expires_in_s: expires_in,
            }
        }
        "read" => {
            let Read { up_to } = serde_json::from_slice(body).ok()?;
            Deed::Read {
                up_to: EventId::new(up_to),
            }
        }
        "device" => {
            let Device { name } = serde_json::from_slice(body).ok()?;
            Deed::Device { name }
        }
        _ => return None,
    })
}

/// Whether the box takes another post of so many bytes by this link now; counts it if so.
pub fn admit(tx: &mut WriteTx<'_>, invite: InviteId, bytes: usize) -> Result<bool, StoreError> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let limits = [
        (invite, POSTS_PER_LINK_MAX, POST_BYTES_PER_LINK_MAX),
        (
            EVERY_LINK,
            POSTS_PER_WORKSHOP_MAX,
            POST_BYTES_PER_WORKSHOP_MAX,
        ),
    ];
    for (who, posts_max, bytes_max) in limits {
        let (posts, sum) = counted(tx, who)?;
        if posts >= posts_max || sum.saturating_add(bytes) > bytes_max {
            return Ok(false);
        }
    }
    for (who, ..) in limits {
        tx.conn
            .prepare_cached(
                "insert into post_quota (invite_id, began_ms, posts, bytes) values (?1, ?2, 1, ?3)
                 on conflict (invite_id) do update set
                     posts = case when began_ms between ?4 and ?2 then posts + 1 else 1 end,
                     bytes = case when began_ms between ?4 and ?2 then bytes + ?3 else ?3 end,
                     began_ms = case when began_ms between ?4 and ?2 then began_ms else ?2 end",
            )?
            .execute(params![
                who.as_bytes(),
                tx.now.0,
                bytes,
                tx.now.plus_ms(-WINDOW_MS).0
            ])?;
    }
    Ok(true)
}

/// Posts and bytes in the present window. A clock that went back begins another.
fn counted(view: &View<'_>, who: InviteId) -> Result<(i64, i64), StoreError> {
    let mut query = view.conn.prepare_cached(
        "select posts, bytes from post_quota where invite_id = ?1 and began_ms between ?3 and ?2",
    )?;
    Ok(query
        .query_row(
            params![who.as_bytes(), view.now.0, view.now.plus_ms(-WINDOW_MS).0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?
        .unwrap_or((0, 0)))
}

/// Notes a device's number. One that was skipped is counted and told: a post may be missing, but the
/// ones that come are taken all the same.
pub fn note(tx: &mut WriteTx<'_>, device: DeviceId, seq: i64) -> Result<(), StoreError> {
    let known: Option<i64> = tx
        .conn
        .prepare_cached("select seq from post_device where device_id = ?1")?
        .query_row([device.as_bytes()], |row| row.get(0))
        .optional()?;
    let missing = match known {
        Some(newest) => seq.saturating_sub(newest).saturating_sub(1),
        None if numbers_are_unsure(tx)? => 0,
        None => seq.saturating_sub(1),
    };
    // A step back is as odd as a gap: a number was used twice.
    let gaps = i64::from(missing != 0);
    if gaps != 0 {
        tracing::warn!(%device, seq, ?known, "numbers of an owner's posts do not follow");
    }
    tx.conn
        .prepare_cached(
            "insert into post_device (device_id, seq, gaps, seen_ms) values (?1, ?2, ?3, ?4)
             on conflict (device_id) do update set seq = max(seq, excluded.seq),
                 gaps = gaps + excluded.gaps, seen_ms = excluded.seen_ms",
        )?
        .execute(params![device.as_bytes(), seq, gaps, tx.now.0])?;
    Ok(())
}

/// How often numbers of owners' posts did not follow.
pub fn post_gaps(view: &View<'_>) -> Result<i64, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select coalesce(sum(gaps), 0) from post_device")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

/// Copies were brought together: the posts among what came back are in no table of numbers, so the
/// next number of each device is believed.
pub(super) fn numbers_unsure(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.conn.execute("delete from post_device", [])?;
    crate::store::local::note(tx, NUMBERS_UNSURE, "yes")
}

fn numbers_are_unsure(view: &View<'_>) -> Result<bool, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select exists (select 1 from local_state where name = ?1)")?;
    Ok(query.query_row([NUMBERS_UNSURE], |row| row.get(0))?)
}
