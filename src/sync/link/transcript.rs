//! What hello and welcome are signed over, and what a pairing code proves.
//!
//! Both signatures cover the session's own random numbers, so neither can be replayed; nothing here
//! depends on a clock.

use ring::hmac;
use subtle::ConstantTimeEq;

use crate::domain::WorkshopKey;
use crate::wire::link::{Challenge, Signed};

/// What a hello's signature is over: `"motoreach-link-hello-1" | relay 32 | nonce 16 | body`.
pub(super) fn hello_message(challenge: &Challenge, body: &[u8]) -> Vec<u8> {
    [
        &b"motoreach-link-hello-1"[..],
        &challenge.relay,
        &challenge.nonce,
        body,
    ]
    .concat()
}

/// What a welcome's signature is over:
/// `"motoreach-link-welcome-1" | relay 32 | nonce 16 | the hello's signature 64 | body`.
pub(super) fn welcome_message(challenge: &Challenge, hello: &Signed, body: &[u8]) -> Vec<u8> {
    [
        &b"motoreach-link-welcome-1"[..],
        &challenge.relay,
        &challenge.nonce,
        &hello.signature,
        body,
    ]
    .concat()
}

/// The box's proof that an admin typed the code that the relay's operator was shown.
pub(super) fn box_proof(
    code: &[u8; 32],
    challenge: &Challenge,
    workshop: WorkshopKey,
    public_key: &[u8; 32],
) -> Vec<u8> {
    proof(
        code,
        &[
            b"motoreach-pair-box-1",
            &challenge.relay,
            &challenge.nonce,
            workshop.as_bytes(),
            public_key,
        ],
    )
}

/// The relay's proof that it knows the same code: whoever stands in between does not.
pub(super) fn relay_proof(code: &[u8; 32], challenge: &Challenge, box_nonce: &[u8; 16]) -> Vec<u8> {
    proof(
        code,
        &[
            b"motoreach-pair-relay-1",
            &challenge.relay,
            &challenge.nonce,
            box_nonce,
        ],
    )
}

/// The relay's own proof that a workshop was admitted: it outlives the relay's database.
pub fn membership(key: &[u8; 32], workshop: WorkshopKey, public_key: &[u8; 32]) -> Vec<u8> {
    proof(
        key,
        &[b"motoreach-member-1", workshop.as_bytes(), public_key],
    )
}

/// Whether two proofs are the same, in constant time.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// HMAC-SHA-256 over parts of fixed lengths.
fn proof(key: &[u8; 32], parts: &[&[u8]]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, &parts.concat()).as_ref().to_vec()
}
