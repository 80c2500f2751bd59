//! Pairing codes: what a relay's operator reads out and an admin types, and the key in them.
//!
//! Ten letters of Crockford's base32 are 50 bits: good for an hour and one use, behind limits on
//! guessing. Neither end keeps the code itself. Whoever was let in once shows a membership from then on.

pub use super::transcript::membership;
use crate::seal::Key;

/// Letters in a code, without the dash in its middle.
const CODE_LETTERS: usize = 10;
/// Bits in a letter.
const LETTER_BITS: usize = 5;
/// Crockford's base32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The code of 50 of these bits, as it is shown: `7KQ2M-X0WRD`.
pub fn pairing_code(random: [u8; 8]) -> String {
    let bits = u64::from_be_bytes(random);
    let mut code = String::with_capacity(CODE_LETTERS + 1);
    for place in 0..CODE_LETTERS {
        if place == CODE_LETTERS / 2 {
            code.push('-');
        }
        let letter = (bits >> (place * LETTER_BITS)) & 0x1f;
        code.push(char::from(ALPHABET[usize::try_from(letter).unwrap_or(0)]));
    }
    code
}

/// The key that a code stands for, however it was typed; none when it is no code.
pub fn pairing_key(code: &str) -> Option<[u8; 32]> {
    let letters = code
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '–' | '—' | '_'))
        .map(letter)
        .collect::<Option<String>>()?;
    (letters.len() == CODE_LETTERS)
        .then(|| *Key::hkdf(letters.as_bytes(), &[], &[b"motoreach-pairing-code-1"]).as_bytes())
}

/// The letter that was meant: people read O as 0, and I and L as 1.
fn letter(typed: char) -> Option<char> {
    let meant = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let known = u8::try_from(meant).is_ok_and(|byte| ALPHABET.contains(&byte));
    known.then_some(meant)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_may_be_typed_as_people_type() {
        let key = pairing_key("7KQ1M-X0WRD").unwrap();
        for same in [
            "7kq1m x0wrd",
            "7KQIMXOWRD",
            " 7kqlm–xowrd\n",
            "7-K-Q-1-M-X-0-W-R-D",
        ] {
            assert_eq!(pairing_key(same), Some(key), "{same}");
        }
        for other in ["7KQ1M-X0WRE", "0000000000"] {
            assert_ne!(pairing_key(other), Some(key), "{other}");
        }
        for none in [
            "",
            "7KQ1M-X0WR",
            "7KQ1M-X0WRDD",
            "7KQ1M-X0WRU",
            "7KQ1M-X0WR€",
        ] {
            assert_eq!(pairing_key(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_code_is_read_back(random: [u8; 8]) {
            let code = pairing_code(random);
            prop_assert_eq!(code.len(), 11);
            prop_assert!(pairing_key(&code).is_some());
            let mut other = random;
            other[7] ^= 1;
            prop_assert_ne!(pairing_key(&pairing_code(other)), pairing_key(&code));
        }
    }
}
