//! The box itself, for admins: `/api/box/…`, one file a page.

pub(super) mod addresses;
pub(super) mod backup;
pub(super) mod certificate;
pub(super) mod health;
pub(super) mod update;
