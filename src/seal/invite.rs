//! An invite's secret: what an owner's link carries behind the `#`, and what comes of it.
//!
//! `commands::invite_owner` makes the link and wraps the thread key; `http` and the relay compare
//! `auth_sha`; the owners' page does the rest. The secret is derived from the root, so the box
//! can show a link again without storing it. It must never reach a server: a browser does not
//! send a fragment, and neither do we.
//!
//! ```text
//! auth     = HKDF(secret, empty salt, "auth")     sent to open a socket; servers keep its SHA-256
//! wrap key = HKDF(secret, empty salt, "wrap")     never sent
//! post key = HKDF(secret, salt = the thread's post key of an epoch, "post" | invite)
//!            seals what this link's holder sends; it takes both, so that another link of the thread,
//!            or this one once it is taken back and the epoch renewed, forges nothing in its name
//! wrapped  = 1u8 | AES-256-GCM(wrap key, thread key) | tag
//!            nonce = first 96 bits of HKDF(wrap key, empty salt, "nonce" | invite | epoch u16 BE)
//!            AAD   = "motoreach-wrap-1" | invite | epoch u16 BE
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::chain::to_array;
use super::key::{KEY_BYTES, Key};
use super::root::RootSecret;
use super::sealed::{SealBroken, open_with, seal_with};
use super::thread::ThreadKeys;

/// The 256-bit secret of one invite. Wiped when dropped, hidden from `Debug`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct InviteSecret([u8; KEY_BYTES]);

impl InviteSecret {
    /// The secret of these bytes, as a link carries them.
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The box's way: `root.derive("invite", [invite id])`.
    pub fn derive(root: &RootSecret, invite: [u8; 16]) -> Self {
        Self(*root.derive("invite", &[&invite]).as_bytes())
    }

    /// The link's fragment: 43 characters of base64url without padding.
    pub fn fragment(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads a fragment back; nothing but exactly what `fragment` writes is taken.
    pub fn from_fragment(fragment: &str) -> Option<Self> {
        decode_code(fragment).map(Self)
    }

    /// What opens a socket or a session, to be sent. The secret cannot be found from it.
    pub fn auth(&self) -> [u8; 32] {
        *Key::hkdf(&self.0, &[], &[b"auth"]).as_bytes()
    }

    /// The key that thread keys are wrapped under for this invite.
    pub fn wrap_key(&self) -> Key {
        Key::hkdf(&self.0, &[], &[b"wrap"])
    }

    /// The key that seals posts of this link: `thread` are the thread's keys of the epoch.
    pub fn post_key(&self, thread: &ThreadKeys, invite: [u8; 16]) -> Key {
        Key::hkdf(&self.0, thread.post.as_bytes(), &[b"post", &invite])
    }

    /// Wraps a thread key for the `invite_granted` event: 49 bytes, the same each time.
    ///
    /// An invite belongs to one thread, so invite and epoch never see two thread keys.
    pub fn wrap(&self, thread_key: &Key, invite: [u8; 16], epoch: u16) -> Vec<u8> {
        let (epoch, key) = (epoch.to_be_bytes(), self.wrap_key());
        seal_with(
            &key,
            &[b"nonce", &invite, &epoch],
            &aad(invite, epoch),
            thread_key.as_bytes(),
        )
    }

    /// The thread key that `wrap` wrapped for this invite and epoch.
    ///
    /// # Errors
    /// `SealBroken` for another invite's, another epoch's or changed bytes.
    pub fn unwrap(&self, wrapped: &[u8], invite: [u8; 16], epoch: u16) -> Result<Key, SealBroken> {
        let (epoch, key) = (epoch.to_be_bytes(), self.wrap_key());
        let plain = open_with(
            &key,
            &[b"nonce", &invite, &epoch],
            &aad(invite, epoch),
            wrapped,
        )?;
        let plain = Zeroizing::new(plain);
        plain
            .as_slice()
            .try_into()
            .map(Key::from_bytes)
            .map_err(|_| SealBroken)
    }
}

impl fmt::Debug for InviteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteSecret(hidden)")
    }
}

/// SHA-256 of `auth`: what servers keep and compare, useless to whoever steals it.
pub fn auth_sha(auth: &[u8; 32]) -> [u8; 32] {
    to_array(&digest(&SHA256, auth))
}

/// The link an owner gets: `<base>/o/<invite id, base64url>#<fragment>`.
pub fn invite_link(base: &str, invite: [u8; 16], secret: &InviteSecret) -> String {
    let base = base.trim_end_matches('/');
    format!(
        "{base}/o/{}#{}",
        URL_SAFE_NO_PAD.encode(invite),
        secret.fragment()
    )
}

/// The 32 bytes of a code that a person pasted: alone, as `<id>#<code>`, or a whole link.
///
/// Says nothing about which 32 bytes: a link carries the secret, our page sends `auth`.
pub fn parse_code(text: &str) -> Option<[u8; KEY_BYTES]> {
    let text = text.trim();
    decode_code(text.split_once('#').map_or(text, |(_, fragment)| fragment))
}

/// 32 bytes of base64url in its one canonical form: no padding, no stray bits.
fn decode_code(text: &str) -> Option<[u8; KEY_BYTES]> {
    const CODE_CHARS: usize = (KEY_BYTES * 8).div_ceil(6);
    if text.len() != CODE_CHARS {
        return None;
    }
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    bytes.as_slice().try_into().ok()
}

fn aad(invite: [u8; 16], epoch: [u8; 2]) -> Vec<u8> {
    [&b"motoreach-wrap-1"[..], &invite, &epoch].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret() -> InviteSecret {
        InviteSecret::derive(&RootSecret::from_bytes([7; 32]), [1; 16])
    }

    #[test]
    fn a_link_is_read_back_in_every_form_it_is_pasted_in() {
        let secret = secret();
        let code = secret.fragment();
        let link = invite_link("https://relay.example/", [1; 16], &secret);
        assert_eq!(
            link,
            format!("https://relay.example/o/AQEBAQEBAQEBAQEBAQEBAQ#{code}")
        );
        assert_eq!(link, invite_link("https://relay.example", [1; 16], &secret));
        for pasted in [
            code.clone(),
            format!(" {code}\r\n"),
            format!("#{code}"),
            format!("AQEBAQEBAQEBAQEBAQEBAQ#{code}"),
            link.clone(),
            format!("\t{link} "),
        ] {
            assert_eq!(parse_code(&pasted), Some(secret.0), "{pasted}");
        }
        assert_eq!(
            InviteSecret::from_fragment(&code).map(|s| s.0),
            Some(secret.0)
        );
    }

    #[test]
    fn what_is_not_a_code_is_refused() {
        let code = secret().fragment();
        let zeros = "A".repeat(43);
        for text in [
            String::new(),
            "#".to_owned(),
            code[..42].to_owned(),
            format!("{code}A"),
            format!("{code}="),
            format!("{code}#"),
            format!("a#b#{code}"),
            format!("{code}?x=1"),
            format!("+{}", &code[1..]),
            format!("/{}", &code[1..]),
            format!("é{}", &code[2..]),
            // The last character carries two bits that are nothing's: only zero is canonical.
            format!("{}B", &zeros[1..]),
            "A".repeat(1_000_000),
        ] {
            assert_eq!(
                parse_code(&text),
                None,
                "{}",
                text.chars().take(60).collect::<String>()
            );
        }
        assert!(InviteSecret::from_fragment(&format!(" {code}")).is_none());
        assert!(InviteSecret::from_fragment(&format!("#{code}")).is_none());
    }

    #[test]
    fn a_wrapped_key_opens_for_its_invite_and_epoch_only() {
        let (secret, key) = (secret(), Key::from_bytes([5; 32]));
        let wrapped = secret.wrap(&key, [1; 16], 4);
        assert_eq!(wrapped.len(), 49);
        assert_eq!(wrapped, secret.wrap(&key, [1; 16], 4));
        assert_eq!(secret.unwrap(&wrapped, [1; 16], 4), Ok(key));
        assert_eq!(secret.unwrap(&wrapped, [2; 16], 4), Err(SealBroken));
        assert_eq!(secret.unwrap(&wrapped, [1; 16], 5), Err(SealBroken));
        let other = InviteSecret::derive(&RootSecret::from_bytes([7; 32]), [2; 16]);
        assert_eq!(other.unwrap(&wrapped, [1; 16], 4), Err(SealBroken));
        for bit in 0..wrapped.len() * 8 {
            let mut broken = wrapped.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                secret.unwrap(&broken, [1; 16], 4),
                Err(SealBroken),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn a_post_key_takes_the_link_the_thread_and_its_epoch() {
        let root = RootSecret::from_bytes([7; 32]);
        let keys = |thread, epoch| ThreadKeys::derive(&root, [thread; 16], epoch);
        let key = secret().post_key(&keys(1, 1), [1; 16]);
        assert_eq!(key, secret().post_key(&keys(1, 1), [1; 16]));
        let other = InviteSecret::derive(&root, [2; 16]);
        for different in [
            secret().post_key(&keys(1, 2), [1; 16]),
            secret().post_key(&keys(2, 1), [1; 16]),
            secret().post_key(&keys(1, 1), [2; 16]),
            other.post_key(&keys(1, 1), [1; 16]),
            keys(1, 1).post,
        ] {
            assert_ne!(key, different);
        }
    }

    /// A repeated nonce would show in the XOR of two ciphertexts; a renewed epoch must not.
    #[test]
    fn every_epoch_has_its_own_nonce() {
        let (secret, key) = (secret(), Key::from_bytes([5; 32]));
        assert_ne!(
            secret.wrap(&key, [1; 16], 1)[1..33],
            secret.wrap(&key, [1; 16], 2)[1..33]
        );
    }

    #[test]
    fn what_is_sent_is_not_what_unwraps() {
        let secret = secret();
        assert_ne!(&secret.auth(), secret.wrap_key().as_bytes());
        assert_ne!(secret.auth(), secret.0);
        assert_ne!(auth_sha(&secret.auth()), secret.auth());
        assert_eq!(format!("{secret:?}"), "InviteSecret(hidden)");
    }

    proptest! {
        #[test]
        fn codes_come_back(bytes: [u8; 32]) {
            prop_assert_eq!(parse_code(&InviteSecret(bytes).fragment()), Some(bytes));
        }

        #[test]
        fn hostile_codes_never_panic(text in "\\PC{0,80}", code in "[A-Za-z0-9_#é-]{40,46}") {
            let _ = (parse_code(&text), parse_code(&code));
        }

        #[test]
        fn hostile_wraps_never_open(bytes: Vec<u8>) {
            prop_assert_eq!(secret().unwrap(&bytes, [1; 16], 1), Err(SealBroken));
        }
    }
}
