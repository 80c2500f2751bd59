//! Cutting an admitted connection that was upgraded; `upgrade` does so with one that does not take its
//! farewell.

use hyper_util::rt::TokioIo;

use super::admission::AdmittedStream;
use crate::net::Line;

/// Cuts an upgraded connection at once: what it has not taken is thrown away.
pub(crate) fn cut(upgraded: hyper::upgrade::Upgraded) {
    if let Ok(parts) = upgraded.downcast::<TokioIo<Line<AdmittedStream>>>() {
        parts.io.inner().stream().forget_unsent();
    }
}
