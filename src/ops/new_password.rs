//! Where a new password comes from: standard input, or chance.

use anyhow::{Context, bail};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::order::Refused;
use super::stdin;
use crate::domain::{Field, Password, Rejection};
use crate::password;

/// 32 letters and digits that nobody mistakes for one another: five bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password that somebody brought, or one that was made up for them.
pub(super) struct NewPassword {
    /// Its hash.
    pub(super) hash: String,
    /// The password itself, when it was made up: to be shown once.
    pub(super) made_up: Option<Zeroizing<String>>,
}

impl NewPassword {
    /// Takes the first line of standard input, or makes one up.
    pub(super) fn choose(from_stdin: bool) -> anyhow::Result<Self> {
        let (text, made_up) = if from_stdin {
            (
                stdin::line().context("The password cannot be read from standard input.")?,
                None,
            )
        } else {
            let text = made_up()?;
            (text.clone(), Some(text))
        };
        let parsed = Password::parse(&text).map_err(|why| {
            Refused::from(Rejection::Text {
                field: Field("password"),
                why,
            })
        })?;
        // Hashed here, so that the password itself never leaves this process.
        Ok(Self {
            hash: password::hash(&parsed)?,
            made_up,
        })
    }
}

/// Sixteen letters in groups of four: 80 random bits.
fn made_up() -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0_u8; 16]);
    if SystemRandom::new().fill(bytes.as_mut()).is_err() {
        bail!(
            "The system has no randomness to make a password of; bring one with --password-stdin."
        );
    }
    let mut text = Zeroizing::new(String::with_capacity(19));
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_password_is_long_and_never_the_same() {
        let (one, other) = (made_up().unwrap(), made_up().unwrap());
        assert_ne!(*one, *other);
        assert!(
            one.len() == 19 && Password::parse(&one).is_ok(),
            "{}",
            one.len()
        );
    }
}
