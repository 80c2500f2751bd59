//! The box's signature under a file that it hands out (`motoreach export`).
//!
//! The same key pair that signs journal heads, so that there is one key of the workshop to know; what
//! is signed begins with its own name, so neither signature can pass for the other.

use super::sign::{BadSignature, SigningKey, verify};

/// Signs what a file says, by the SHA-256 of its data.
pub fn sign_export(key: &SigningKey, data_sha: &[u8; 32]) -> [u8; 64] {
    key.sign(&message(data_sha))
}

/// Whether this key signed a file with these data.
///
/// # Errors
/// `BadSignature` when it did not.
pub fn check_export(
    public_key: &[u8; 32],
    data_sha: &[u8; 32],
    signature: &[u8; 64],
) -> Result<(), BadSignature> {
    verify(public_key, &message(data_sha), signature)
}

/// `"motoreach-export-1" | SHA-256 of the data`.
fn message(data_sha: &[u8; 32]) -> Vec<u8> {
    [&b"motoreach-export-1"[..], data_sha].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{LINK_KEY_PURPOSE, RootSecret};

    #[test]
    fn a_files_signature_is_for_its_own_data_alone() {
        let key = SigningKey::derive(&RootSecret::from_bytes([7; 32]), LINK_KEY_PURPOSE);
        let signature = sign_export(&key, &[1; 32]);
        let public_key = key.public_key();
        assert_eq!(check_export(&public_key, &[1; 32], &signature), Ok(()));
        assert_eq!(
            check_export(&public_key, &[2; 32], &signature),
            Err(BadSignature)
        );
        assert_eq!(verify(&public_key, &[1; 32], &signature), Err(BadSignature));
    }
}
