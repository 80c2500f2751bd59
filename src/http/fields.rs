//! Reading header fields: one that may be there once, and lists.
//!
//! Called by `guard`, `assets` and `upgrade`. Values that are not plain text count as absent.

use http::{HeaderMap, HeaderName};

/// A field that may be there once: `None` when it is missing, doubled or not text.
pub(crate) fn the_only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        None
    } else {
        first?.to_str().ok()
    }
}

/// The items of a comma-separated field, over all its lines, without the spaces around them.
pub(crate) fn listed<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
