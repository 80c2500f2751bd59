//! The box's root secret and the 24 words an admin writes down.
//!
//! Made once at setup by `ops` (which brings the randomness), brought back by `restore`. Every
//! other secret is derived from it, so whoever has the words has the workshop: it must never
//! leave the box in any other form, and never appear in a log.

use std::fmt;

use bip39::{Error, Language, Mnemonic};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::key::{KEY_BYTES, Key, length_prefixed};

/// How many words carry a root secret: 256 bits and an 8-bit checksum, 11 bits a word.
pub const RECOVERY_WORDS: usize = 24;

/// The 256 random bits everything else derives from. Wiped when dropped, hidden from `Debug`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RootSecret([u8; KEY_BYTES]);

impl RootSecret {
    /// Takes 32 bytes from the system's random source, or from the box's key file.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, for the box's key file only.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The words to write down: BIP-39, English list, checksum in the last word.
    pub fn recovery_words(&self) -> [&'static str; RECOVERY_WORDS] {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, &self.0)
            .expect("32 bytes are a length BIP-39 allows");
        let mut words = [""; RECOVERY_WORDS];
        for (place, word) in words.iter_mut().zip(mnemonic.words()) {
            *place = word;
        }
        words
    }

    /// Reads the words back, whatever their case and the white space between them.
    ///
    /// # Errors
    /// Says what to look at on the paper: the count, the first word not on the list, or that the
    /// words are all known but do not belong together.
    pub fn from_recovery_words(text: &str) -> Result<Self, WordsError> {
        let count = text.split_whitespace().count();
        if count != RECOVERY_WORDS {
            return Err(WordsError::Count { found: count });
        }
        let text = Zeroizing::new(text.to_ascii_lowercase());
        let mnemonic =
            Mnemonic::parse_in_normalized(Language::English, &text).map_err(|e| match e {
                Error::UnknownWord(index) => WordsError::UnknownWord { number: index + 1 },
                Error::InvalidChecksum => WordsError::Checksum,
                Error::BadWordCount(found) => WordsError::Count { found },
                // Neither happens when 24 words are read in one language.
                Error::BadEntropyBitCount(_) | Error::AmbiguousLanguages(_) => WordsError::Checksum,
            })?;
        let (entropy, _) = mnemonic.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        let mut bytes = [0; KEY_BYTES];
        bytes.copy_from_slice(&entropy[..KEY_BYTES]);
        Ok(Self(bytes))
    }

    /// The key for one purpose: HKDF(ikm = root, salt = "motoreach-root-1", info = purpose and
    /// each part of the context, each after its length as u32 BE).
    pub fn derive(&self, purpose: &str, context: &[&[u8]]) -> Key {
        let mut parts = vec![purpose.as_bytes()];
        parts.extend_from_slice(context);
        Key::hkdf(&self.0, b"motoreach-root-1", &[&length_prefixed(&parts)])
    }
}

impl fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootSecret(hidden)")
    }
}

/// What is wrong with the recovery words as typed. Never repeats a word: it may end in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Words are missing or too many.
    #[error("there must be 24 recovery words, here are {found}")]
    Count {
        /// How many words were typed.
        found: usize,
    },
    /// A word is not on the list.
    #[error("recovery word number {number} is not on the word list")]
    UnknownWord {
        /// Its place on the paper, from 1.
        number: usize,
    },
    /// All words are known, but one is wrong or two have changed places.
    #[error("the recovery words do not belong together: check each word and their order")]
    Checksum,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::vectors::from_hex;

    /// The 256-bit cases of https://github.com/trezor/python-mnemonic/blob/master/vectors.json,
    /// which BIP-39 names as its test vectors.
    #[test]
    fn the_words_are_those_of_bip_39() {
        let repeated =
            |first: &str, last: &str| format!("{}{last}", format!("{first} ").repeat(23));
        let cases = [
            ("00".repeat(32), repeated("abandon", "art")),
            (
                "7f".repeat(32),
                "legal winner thank year wave sausage worth useful legal winner thank year wave \
                 sausage worth useful legal winner thank year wave sausage worth title"
                    .to_owned(),
            ),
            (
                "80".repeat(32),
                "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd \
                 amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless"
                    .to_owned(),
            ),
            ("ff".repeat(32), repeated("zoo", "vote")),
            (
                "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c".to_owned(),
                "hamster diagram private dutch cause delay private meat slide toddler razor book \
                 happy fancy gospel tennis maple dilemma loan word shrug inflict delay length"
                    .to_owned(),
            ),
        ];
        for (entropy, words) in cases {
            let root = RootSecret::from_bytes(from_hex(&entropy).try_into().unwrap());
            assert_eq!(root.recovery_words().join(" "), words);
            let back = RootSecret::from_recovery_words(&words).unwrap();
            assert_eq!(back.as_bytes(), root.as_bytes());
        }
    }

    #[test]
    fn words_are_read_whatever_their_case_and_spacing() {
        let root = RootSecret::from_bytes([7; 32]);
        let typed = root.recovery_words().join("\u{a0}\r\n\t ").to_uppercase();
        let back = RootSecret::from_recovery_words(&format!("  {typed}\n")).unwrap();
        assert_eq!(back.as_bytes(), root.as_bytes());
    }

    #[test]
    fn an_error_says_where_to_look() {
        let words = RootSecret::from_bytes([7; 32]).recovery_words();
        let refused = |words: &[&str]| RootSecret::from_recovery_words(&words.join(" ")).err();

        assert_eq!(refused(&[]), Some(WordsError::Count { found: 0 }));
        assert_eq!(refused(&words[..12]), Some(WordsError::Count { found: 12 }));
        assert_eq!(refused(&words[..23]), Some(WordsError::Count { found: 23 }));
        assert_eq!(
            refused(&[words[0]; 25]),
            Some(WordsError::Count { found: 25 })
        );

        let mut misspelt = words;
        misspelt[4] = "motoreach";
        assert_eq!(
            refused(&misspelt),
            Some(WordsError::UnknownWord { number: 5 })
        );

        let mut another = words;
        another[0] = if words[0] == "zoo" { "abandon" } else { "zoo" };
        assert_eq!(refused(&another), Some(WordsError::Checksum));
    }

    #[test]
    fn purposes_and_contexts_are_kept_apart() {
        let root = RootSecret::from_bytes([7; 32]);
        let keys = [
            root.derive("a", &[]),
            root.derive("a", &[b""]),
            root.derive("a", &[b"b"]),
            root.derive("ab", &[]),
            root.derive("a", &[b"b", b"c"]),
            root.derive("a", &[b"bc"]),
            RootSecret::from_bytes([8; 32]).derive("a", &[]),
        ];
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_root() {
        assert_eq!(
            format!("{:?}", RootSecret::from_bytes([7; 32])),
            "RootSecret(hidden)"
        );
    }

    proptest! {
        #[test]
        fn words_bring_the_root_back(bytes: [u8; 32]) {
            let words = RootSecret::from_bytes(bytes).recovery_words().join(" ");
            let back = RootSecret::from_recovery_words(&words).unwrap();
            prop_assert_eq!(back.as_bytes(), &bytes);
        }

        #[test]
        fn hostile_words_never_panic(text in "(\\PC{0,8}\\s){0,30}") {
            let _ = RootSecret::from_recovery_words(&text);
        }
    }
}
