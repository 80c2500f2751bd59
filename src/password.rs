//! Passwords: argon2id with 19 MiB, two passes, one lane (OWASP's first choice; RFC 9106), in PHC
//! form. Slow on purpose: call it where waiting harms nobody, two at once at most.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};

use crate::domain::Password;

/// A hash of a password that nobody has: verifying against it takes as long as against a real one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bW90b3JlYWNoLW5vYm9keQ$\
                      pQ0n7sH0mJq7t0Yl0q5m3R4C1qJm2l5XwYb8nI2u0dY";

/// The password could not be hashed: the system has no randomness, or no memory.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashFailed;

/// A new hash with a salt of its own.
///
/// # Errors
/// The system has no randomness or no memory.
pub fn hash(password: &Password) -> Result<String, HashFailed> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|_| HashFailed)
}

/// Whether the typed text is the password of this hash. `None` takes the same time and says no.
pub fn matches(typed: &str, hash: Option<&str>) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else {
        return false;
    };
    let right = Argon2::default()
        .verify_password(typed.as_bytes(), &parsed)
        .is_ok();
    right && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_and_no_other() {
        let hash = hash(&Password::parse("correct horse").unwrap()).unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(matches("correct horse", Some(&hash)));
        assert!(!matches("correct house", Some(&hash)));
        assert!(!matches("correct horse", None));
        assert!(!matches("correct horse", Some("not a hash")));
    }

    #[test]
    fn the_hash_of_nobody_is_a_real_one_so_that_time_tells_nothing() {
        assert!(PasswordHash::new(NOBODY).is_ok());
    }
}
