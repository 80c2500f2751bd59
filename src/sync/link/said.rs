//! What a box says that owners' pages are told in the clear: bounded, whatever the box is.

/// Addresses of a box that are kept, and the longest of them.
const DOORS_MAX: usize = 8;
const DOOR_BYTES_MAX: usize = 256;
/// The longest reason why a post was refused.
const WORD_BYTES_MAX: usize = 32;

/// What a box says of where it is found, as far as owners' pages are told.
pub(super) fn doors(said: &[String]) -> Vec<String> {
    let fits = |door: &&String| {
        door.len() <= DOOR_BYTES_MAX
            && ["http://", "https://"]
                .iter()
                .any(|it| door.starts_with(it))
    };
    said.iter().filter(fits).take(DOORS_MAX).cloned().collect()
}

/// The reason that a page is told: a word, whatever a box says.
pub(super) fn word(said: String) -> String {
    let is_one = said.len() <= WORD_BYTES_MAX
        && said.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    if is_one { said } else { "refused".to_owned() }
}
