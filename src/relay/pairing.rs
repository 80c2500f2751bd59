//! A pairing code for one more box: shown once, kept as the key that it stands for.

use ring::rand::{SecureRandom, SystemRandom};

use super::store::{RelayStore, RelayStoreError};
use crate::domain::Timestamp;
use crate::sync::link::handshake::{pairing_code, pairing_key};

/// A code is good for so long, in milliseconds: long enough to walk to the box, short enough that
/// nobody finds it on a desk.
const LIFE_MS: i64 = 3_600 * 1_000;

/// A new code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code {
    /// As it is read out, `XXXXX-XXXXX`.
    pub text: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// Makes a code that one box may use once.
///
/// # Errors
/// The store could not keep it, or the system has no randomness.
pub async fn new_code<S: RelayStore>(store: &S, now: Timestamp) -> Result<Code, RelayStoreError> {
    let mut random = [0; 8];
    let no_randomness = || RelayStoreError::Failed("the system has no randomness".into());
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| no_randomness())?;
    let text = pairing_code(random);
    let key = pairing_key(&text).ok_or_else(no_randomness)?;
    let expires = now.plus_ms(LIFE_MS);
    store.add_code(key, expires).await?;
    Ok(Code { text, expires })
}
