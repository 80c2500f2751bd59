//! Whose signature makes a program ours: the key in the configuration, or the one that was built in.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minisign_verify::PublicKey;

/// The key that this program was built with: `MOTOREACH_UPDATE_KEY`, a line of `minisign.pub`.
const BUILT_IN: Option<&str> = option_env!("MOTOREACH_UPDATE_KEY");

/// A minisign public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateKey {
    key: PublicKey,
    id: KeyId,
}

/// What minisign shows of a key: 16 letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyId(u64);

impl UpdateKey {
    /// Reads the second line of a `minisign.pub`, or both.
    ///
    /// # Errors
    /// It is no such key.
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
        let line = line.ok_or(NoKey)?;
        let key = PublicKey::from_base64(line).map_err(|_| NoKey)?;
        let id = KeyId::of(line).ok_or(NoKey)?;
        Ok(Self { key, id })
    }

    /// The configured key, or else the built-in one; `None` where there is neither.
    pub fn chosen(configured: Option<&Self>) -> Option<Self> {
        let built_in = || Self::parse(BUILT_IN?).ok();
        configured.cloned().or_else(built_in)
    }

    /// What minisign shows of it.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    pub(super) const fn minisign(&self) -> &PublicKey {
        &self.key
    }
}

impl KeyId {
    /// The id inside a line of base64: of a key, or of a signature.
    pub(super) fn of(line: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(line.trim()).ok()?;
        let id = bytes.get(2..10)?.try_into().ok()?;
        Some(Self(u64::from_le_bytes(id)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// Not a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be the second line of a minisign.pub, which begins with RW")]
pub struct NoKey;

#[cfg(test)]
mod tests {
    use super::*;

    /// From minisign's own documentation.
    const LINE: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_key_is_its_line_with_or_without_the_comment_above() {
        let alone = UpdateKey::parse(LINE).unwrap();
        let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\n{LINE}\n");
        assert_eq!(UpdateKey::parse(&file), Ok(alone.clone()));
        assert_eq!(alone.id().to_string(), "E7620F1842B4E81F");
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in [
            "",
            "\n",
            "RWQf",
            "untrusted comment: x",
            "RUQf6LRCGA9i53mlYecO4IzT51T",
        ] {
            assert_eq!(UpdateKey::parse(text), Err(NoKey), "{text}");
        }
    }
}
