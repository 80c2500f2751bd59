//! How much a relay keeps for one workshop, and for how long.

/// The kind of the entries that carry words: pushed when they come, forgotten when they are old.
pub const MESSAGE: &str = "message_posted";
/// Posts of one link that wait for the box: an owner writes for weeks to a workshop that is away.
pub const POSTS_PER_INVITE_MAX: i64 = 500;
/// Posts of one workshop that wait for the box.
pub const POSTS_PER_WORKSHOP_MAX: i64 = 20_000;
/// Bytes of all of them.
pub const POST_BYTES_PER_WORKSHOP_MAX: i64 = 64 << 20;
/// Refused posts of one link that are remembered, so that their page is told; the oldest go.
pub const REFUSED_PER_INVITE_MAX: i64 = 100;
/// A post that nobody asked for in so long is given up: 180 days.
pub const POST_KEPT_MS: i64 = 180 * 24 * 60 * 60 * 1_000;
/// Browsers that one link's holder is reached at; the oldest go.
pub const SUBSCRIPTIONS_PER_INVITE_MAX: i64 = 16;
/// Phones of one workshop that are told when its box is silent; the oldest go.
pub const ALARM_PHONES_MAX: i64 = 16;
/// How long a pairing code that ended is remembered, for a box whose welcome got lost: a day.
pub const CODE_REMEMBERED_MS: i64 = 24 * 60 * 60 * 1_000;
/// Hints that wait for a slow listener; the oldest are dropped, and it looks for itself.
pub const WAKES_MAX: usize = 4_096;
