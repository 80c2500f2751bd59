//! The golden vectors: what the box derives and seals, held to `tests/fixtures/seal/vectors.json`.
//!
//! The owners' page checks the same file with WebCrypto. A change here is a change of the format:
//! sealed journals and links already printed would no longer open.

use serde_json::{Value, json};

use super::chain::{Chain, Link, body_sha};
use super::invite::{InviteSecret, auth_sha, invite_link, parse_code};
use super::key::Key;
use super::root::RootSecret;
use super::sealed::{Opened, SealContext, open, plain, seal};
use super::sign::{SigningKey, verify};
use super::thread::{ThreadKeys, staff_key, thread_key};

const FIXTURE: &str = include_str!("../../tests/fixtures/seal/vectors.json");

#[test]
fn the_golden_vectors_hold() {
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let now = vectors();
    assert!(now == fixture, "what is derived now:\n{now:#}\n");
}

/// Lower-case hexadecimal, as in the fixture.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what `hex` writes.
pub(super) fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

const WORKSHOP: [u8; 16] = *b"workshop-0000001";
const THREAD: [u8; 16] = *b"thread-000000007";
const PERSON: [u8; 16] = *b"person-000000012";
const DEVICE: [u8; 16] = *b"device-000000005";
const INVITE: [u8; 16] = *b"invite-000000003";
const LOG: [u8; 16] = *b"log-000000000001";
const EPOCH: u16 = 258;

fn vectors() -> Value {
    let mut bytes = [0; 32];
    for (i, byte) in (0..).zip(&mut bytes) {
        *byte = i;
    }
    let root = RootSecret::from_bytes(bytes);
    let keys = ThreadKeys::derive(&root, THREAD, EPOCH);
    let body = json!({"type": "chat.message", "content": "Is it ready? — Asha ✓"}).to_string();
    let entries = [
        sealed(
            &keys.journal,
            "journal",
            Some(THREAD),
            *b"event-0000000001",
            "message",
            &plain(1_795_339_800_123, PERSON, body.as_bytes()),
        ),
        sealed(
            &keys.post,
            "post",
            Some(THREAD),
            *b"event-0000000002",
            "message",
            body.as_bytes(),
        ),
        sealed(
            &staff_key(&root),
            "staff",
            None,
            *b"event-0000000003",
            "staff",
            &plain(-1, [0; 16], b""),
        ),
    ];
    let post_key = InviteSecret::derive(&root, INVITE).post_key(&keys, INVITE);
    let post = json!({"seq": 1, "content": "Is it ready? — Asha ✓"}).to_string();
    let post = sealed(
        &post_key,
        "invite_post",
        Some(THREAD),
        *b"event-0000000004",
        "message",
        &plain(1_795_339_800_123, DEVICE, post.as_bytes()),
    );
    let chain = chain(&entries);
    let sealed: Vec<_> = entries.into_iter().chain([post]).collect();
    json!({
        "about": "Golden vectors of src/seal, checked by src/seal/vectors.rs. Bytes are lower-case \
                  hexadecimal; formulas are in the heads of src/seal/*.rs.",
        "root": hex(root.as_bytes()),
        "recovery_words": root.recovery_words().join(" "),
        "derive": [
            {"purpose": "example", "context": [], "key": hex(root.derive("example", &[]).as_bytes())},
            {"purpose": "example", "context": [hex(b"a"), hex(b"bc")],
             "key": hex(root.derive("example", &[b"a", b"bc"]).as_bytes())},
        ],
        "thread": {
            "thread": hex(&THREAD), "epoch": EPOCH,
            "thread_key": hex(thread_key(&root, THREAD, EPOCH).as_bytes()),
            "journal_key": hex(keys.journal.as_bytes()), "post_key": hex(keys.post.as_bytes()),
        },
        "invite_post_key": hex(post_key.as_bytes()),
        "staff_key": hex(staff_key(&root).as_bytes()),
        "chain": chain,
        "sealed": sealed,
        "invite": invite(&root),
        "sign": sign(&root),
    })
}

fn sealed(
    key: &Key,
    key_name: &str,
    thread: Option<[u8; 16]>,
    event: [u8; 16],
    kind: &str,
    plain: &[u8],
) -> Value {
    let ctx = SealContext {
        workshop: WORKSHOP,
        thread,
        event,
        kind,
    };
    let sealed = seal(key, &ctx, plain);
    assert_eq!(open(key, &ctx, &sealed).as_deref(), Ok(plain));
    let mut value = json!({
        "key_name": key_name, "key": hex(key.as_bytes()),
        "workshop": hex(&WORKSHOP), "thread": thread.map(|id| hex(&id)), "event": hex(&event),
        "kind": kind, "plain": hex(plain), "sealed": hex(&sealed),
    });
    // The one sealed under the bare post key is a body alone; everything else has time and author (of
    // a post: the device) in front.
    if key_name != "post" {
        let opened = Opened::parse(plain).unwrap();
        value["at_ms"] = opened.at_ms.into();
        value["author"] = hex(&opened.author).into();
        value["body_utf8"] = std::str::from_utf8(opened.body).unwrap().into();
    }
    value
}

fn chain(sealed: &[Value]) -> Value {
    let mut chain = Chain::GENESIS;
    let links = (1..).zip(sealed).map(|(seq, sealed)| {
        let text = |field: &str| sealed[field].as_str().unwrap();
        let flags = [0, 1, 0x8000_0001][usize::try_from(seq).unwrap() - 1];
        let event = from_hex(text("event")).try_into().unwrap();
        let body_sha = body_sha(&from_hex(text("sealed")));
        chain = chain.next(&Link {
            log: LOG,
            seq,
            event,
            kind: text("kind"),
            flags,
            body_sha,
        });
        json!({
            "seq": seq, "event": text("event"), "kind": text("kind"), "flags": flags,
            "sealed": text("sealed"), "body_sha": hex(&body_sha), "chain": hex(chain.as_bytes()),
        })
    });
    json!({"log": hex(&LOG), "links": links.collect::<Vec<_>>()})
}

fn invite(root: &RootSecret) -> Value {
    let secret = InviteSecret::derive(root, INVITE);
    let thread_key = thread_key(root, THREAD, EPOCH);
    let wrapped = secret.wrap(&thread_key, INVITE, EPOCH);
    assert_eq!(
        secret.unwrap(&wrapped, INVITE, EPOCH).as_ref(),
        Ok(&thread_key)
    );
    let link = invite_link("https://relay.example", INVITE, &secret);
    json!({
        "invite": hex(&INVITE), "secret": hex(&parse_code(&link).unwrap()),
        "fragment": secret.fragment(), "link": link,
        "auth": hex(&secret.auth()), "auth_sha": hex(&auth_sha(&secret.auth())),
        "wrap_key": hex(secret.wrap_key().as_bytes()), "epoch": EPOCH,
        "thread_key": hex(thread_key.as_bytes()), "wrapped": hex(&wrapped),
    })
}

fn sign(root: &RootSecret) -> Value {
    let key = SigningKey::derive(root, "access-token");
    let signature = key.sign(b"motoreach");
    assert_eq!(verify(&key.public_key(), b"motoreach", &signature), Ok(()));
    json!({
        "purpose": "access-token", "public_key": hex(&key.public_key()),
        "message": hex(b"motoreach"), "signature": hex(&signature),
    })
}
