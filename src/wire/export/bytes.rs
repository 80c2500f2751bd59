//! Bytes as base64url in a file's data: of one length, or of any.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// So many bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fixed<const N: usize>(pub [u8; N]);

/// Some bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Long(pub Vec<u8>);

impl<const N: usize> Serialize for Fixed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl Serialize for Long {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = decode(deserializer)?;
        let length = bytes.len();
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| de::Error::custom(format!("{length} bytes where {N} belong")))
    }
}

impl<'de> Deserialize<'de> for Long {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode(deserializer).map(Self)
    }
}

fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(fixed: [u8; 16], long: Vec<u8>) {
            let json = serde_json::to_string(&(Fixed(fixed), Long(long.clone()))).unwrap();
            let back: (Fixed<16>, Long) = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back, (Fixed(fixed), Long(long)));
        }
    }
}
