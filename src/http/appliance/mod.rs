//! The box itself, for admins: `/api/box/…`, one file a page.

pub(super) mod health;
