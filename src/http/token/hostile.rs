//! Tokens that must not get in (quality.md S4: at least 60, 0 accepted).
//!
//! Some are what an attacker can make; some carry our own signature over what we would never
//! sign, to see that the checks behind the signature hold as well.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{GRANT, keys, signing};
use super::*;

const NOW_S: i64 = 1_795_339_800;

#[test]
fn no_hostile_token_is_accepted() {
    let keys = keys(1);
    assert!(
        keys.verify(&ours(&header(), &claims()), NOW_S).is_ok(),
        "the sound one must pass"
    );

    let mut tokens = algorithms();
    tokens.extend(headers());
    tokens.extend(signatures());
    tokens.extend(signed_claims());
    tokens.extend(shapes());
    assert!(tokens.len() >= 60, "only {}", tokens.len());
    let wrong: Vec<_> = tokens
        .into_iter()
        .map(|(name, token, why)| (name, keys.verify(&token, NOW_S), Err(why)))
        .filter(|(_, answer, expected)| answer != expected)
        .collect();
    assert!(wrong.is_empty(), "name, answer, expected: {wrong:#?}");
}

proptest! {
    #[test]
    fn one_changed_character_is_refused(at: prop::sample::Index, to in "[A-Za-z0-9_.=-]") {
        let token = keys(1).issue(&GRANT, NOW_S, 900, Uuid::nil());
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        prop_assert_eq!(keys(1).verify(&changed, NOW_S).is_ok(), changed == token);
    }

    #[test]
    fn hostile_text_never_panics(text in "\\PC{0,80}", dotted in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,4}") {
        prop_assert!(keys(1).verify(&text, NOW_S).is_err());
        prop_assert!(keys(1).verify(&dotted, NOW_S).is_err());
    }

    #[test]
    fn hostile_bytes_signed_by_us_never_panic(head: Vec<u8>, body: Vec<u8>) {
        let header = header().to_string();
        prop_assert!(keys(1).verify(&ours_raw(&header, &body), NOW_S).is_err());
        prop_assert!(keys(1).verify(&ours_raw(&head, claims().to_string()), NOW_S).is_err());
    }
}

type Hostile = (String, String, TokenRefused);

/// The header names another algorithm.
fn algorithms() -> Vec<Hostile> {
    use TokenRefused::{Forged, Malformed};
    let mut tokens = Vec::new();
    // What the crate does not know does not parse; what it knows is not ours.
    let names = [
        ("none", Malformed),
        ("None", Malformed),
        ("NONE", Malformed),
        ("nOnE", Malformed),
        ("", Malformed),
        ("eddsa", Malformed),
        ("EdDSA ", Malformed),
        ("Ed25519", Malformed),
        ("ES256K", Malformed),
        ("HS256", Forged),
        ("HS384", Forged),
        ("HS512", Forged),
        ("RS256", Forged),
        ("PS512", Forged),
        ("ES256", Forged),
    ];
    for (name, why) in names {
        let header = with(&header(), "alg", json!(name));
        let input = input(header.to_string(), claims().to_string());
        tokens.push((format!("alg {name:?}, unsigned"), format!("{input}."), why));
        tokens.push((
            format!("alg {name:?}, our signature"),
            ours(&header, &claims()),
            why,
        ));
    }
    for (name, secret) in [
        ("public key", signing(1).public_key().to_vec()),
        (
            "public key in hex",
            hex(&signing(1).public_key()).into_bytes(),
        ),
        (
            "public key in base64",
            URL_SAFE_NO_PAD.encode(signing(1).public_key()).into_bytes(),
        ),
        ("kid", keys(1).kid().as_bytes().to_vec()),
        ("nothing", vec![]),
    ] {
        let header = with(&header(), "alg", json!("HS256"));
        let input = input(header.to_string(), claims().to_string());
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let tag = ring::hmac::sign(&key, input.as_bytes());
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
        tokens.push((format!("HS256 with {name} as the secret"), token, Forged));
    }
    for alg in [json!(null), json!(1), json!(["EdDSA"])] {
        let token = ours(&with(&header(), "alg", alg.clone()), &claims());
        tokens.push((format!("alg {alg}"), token, Malformed));
    }
    // serde takes this for the name of the algorithm; the signature still decides.
    let header = with(&header(), "alg", json!({"EdDSA": null}));
    tokens.push((
        "alg an object".to_owned(),
        theirs(&header, &claims()),
        Forged,
    ));
    tokens
}

/// The header brings a key, an instruction, or something that is not a header.
fn headers() -> Vec<Hostile> {
    use TokenRefused::{Forged, Malformed};
    let attacker = URL_SAFE_NO_PAD.encode(signing(2).public_key());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": attacker});
    let mut tokens = Vec::new();
    for (field, value, why) in [
        ("jwk", jwk, Forged),
        ("jwk", json!("x"), Malformed),
        ("jku", json!("https://attacker.example/keys.json"), Forged),
        ("x5u", json!("https://attacker.example/cert.pem"), Forged),
        (
            "x5c",
            json!([STANDARD.encode(signing(2).public_key())]),
            Forged,
        ),
        ("x5t", json!("AAAA"), Forged),
        ("crit", json!(["exp"]), Forged),
        ("b64", json!(false), Forged),
        ("zip", json!("DEF"), Forged),
        ("enc", json!("A256GCM"), Forged),
        ("cty", json!("JWT"), Forged),
        ("typ", json!("jwt"), Forged),
        ("typ", json!("at+jwt"), Forged),
        ("typ", json!(null), Forged),
        ("typ", json!(7), Malformed),
        ("kid", json!("another"), Forged),
        ("kid", json!(""), Forged),
        ("kid", json!(null), Forged),
        ("kid", json!("../../../../dev/null"), Forged),
        ("kid", json!("x' union select 'secret"), Forged),
        ("kid", json!(keys(2).kid()), Forged),
        ("kid", json!(7), Malformed),
        ("anything", json!({"nested": [1, {"deep": true}]}), Forged),
    ] {
        let header = with(&header(), field, value.clone());
        tokens.push((
            format!("{field} {value}, ours"),
            ours(&header, &claims()),
            why,
        ));
        tokens.push((
            format!("{field} {value}, theirs"),
            theirs(&header, &claims()),
            why,
        ));
    }
    for field in ["alg", "typ", "kid"] {
        let why = if field == "alg" { Malformed } else { Forged };
        let token = ours(&without(&header(), field), &claims());
        tokens.push((format!("header without {field}"), token, why));
    }
    let (sound, kid) = (header().to_string(), keys(1).kid().to_owned());
    for raw in [
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        json!(sound).to_string(),
        format!("{sound}x"),
        format!("[{sound}]"),
        format!("\u{feff}{sound}"),
        format!(r#"{{"alg":"none","alg":"EdDSA","typ":"JWT","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{kid}","kid":"{kid}"}}"#),
        format!(
            r#"{{"a":{}1{},"alg":"EdDSA"}}"#,
            "[".repeat(200),
            "]".repeat(200)
        ),
    ] {
        let token = ours_raw(&raw, claims().to_string());
        tokens.push((format!("header {raw:.40}"), token, Malformed));
    }
    tokens
}

/// The content is sound, the signature is not ours over it.
fn signatures() -> Vec<Hostile> {
    use TokenRefused::{Forged, Malformed};
    let token = ours(&header(), &claims());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed = |bytes: &[u8]| format!("{input}.{}", URL_SAFE_NO_PAD.encode(bytes));
    let other = ours(&header(), &with(&claims(), "user_id", json!(13)));
    let admin =
        URL_SAFE_NO_PAD.encode(with(&claims(), "role", json!("workshop_admin")).to_string());
    let head = input.split_once('.').unwrap().0;
    let mut flipped = bytes.clone();
    flipped[0] ^= 1;
    [
        ("no signature", format!("{input}."), Forged),
        ("signature cut by a byte", signed(&bytes[..63]), Forged),
        (
            "signature longer by a byte",
            signed(&[&bytes[..], &[0]].concat()),
            Forged,
        ),
        ("signature of zeros", signed(&[0; 64]), Forged),
        ("signature of ones", signed(&[0xff; 64]), Forged),
        ("one bit flipped", signed(&flipped), Forged),
        ("R alone", signed(&bytes[..32]), Forged),
        // The group's order added to s: the same signature to who does not check that s < l.
        ("malleable s", signed(&plus_order(&bytes)), Forged),
        ("another key of ours", theirs(&header(), &claims()), Forged),
        ("another token's signature", swap(&token, &other), Forged),
        (
            "swapped payload",
            format!("{head}.{admin}.{signature}"),
            Forged,
        ),
        ("header and payload swapped", swap_parts(&token), Malformed),
        ("signature is no base64", format!("{input}.!!!!"), Malformed),
        (
            "padded signature",
            format!("{input}.{}", URL_SAFE.encode(&bytes)),
            Malformed,
        ),
        (
            "standard base64",
            format!("{input}.{}", STANDARD.encode([0xff; 64])),
            Malformed,
        ),
    ]
    .map(|(name, token, why)| (name.to_owned(), token, why))
    .into()
}

/// Signed by us, but nothing we would say.
fn signed_claims() -> Vec<Hostile> {
    use TokenRefused::{Expired, Forged, Malformed, NotYet, WrongAudience, WrongType};
    let mut tokens = Vec::new();
    let required = [
        "token_type",
        "user_id",
        "role",
        "exp",
        "iat",
        "nbf",
        "jti",
        "iss",
        "aud",
        "sub",
        "ver",
    ];
    for field in required {
        let token = ours(&header(), &without(&claims(), field));
        tokens.push((format!("without {field}"), token, Malformed));
        let token = ours(&header(), &with(&claims(), field, json!(null)));
        tokens.push((format!("{field} null"), token, Malformed));
        let token = ours(&header(), &with(&claims(), field, json!([claims()[field]])));
        tokens.push((format!("{field} in a list"), token, Malformed));
        let token = ours(&header(), &with(&claims(), field, json!({"$gt": 0})));
        tokens.push((format!("{field} an object"), token, Malformed));
    }
    for field in ["user_id", "exp", "iat", "nbf", "ver"] {
        let token = ours(
            &header(),
            &with(&claims(), field, json!(claims()[field].to_string())),
        );
        tokens.push((format!("{field} as text"), token, Malformed));
        let token = ours(&header(), &with(&claims(), field, json!(1.5)));
        tokens.push((format!("{field} a fraction"), token, Malformed));
        let token = ours(&header(), &with(&claims(), field, json!(true)));
        tokens.push((format!("{field} true"), token, Malformed));
        let token = ours(&header(), &with(&claims(), field, json!(u64::MAX)));
        tokens.push((format!("{field} beyond i64"), token, Malformed));
        let huge = claims().to_string().replace(
            &format!("\"{field}\":{}", claims()[field]),
            &format!("\"{field}\":1e400"),
        );
        tokens.push((
            format!("{field} 1e400"),
            ours_raw(header().to_string(), huge),
            Malformed,
        ));
    }
    for (field, value, why) in [
        ("exp", json!(NOW_S), Expired),
        ("exp", json!(0), Expired),
        ("exp", json!(-1), Expired),
        ("exp", json!(i64::MIN), Expired),
        ("exp", json!(i64::MAX), Malformed),
        ("exp", json!((NOW_S + 900) * 1000), Malformed),
        ("exp", json!(NOW_S + TOKEN_LIFE_S_MAX + 1), Malformed),
        ("iat", json!(i64::MIN), Malformed),
        ("iat", json!(i64::MAX), NotYet),
        ("iat", json!(NOW_S + NOT_BEFORE_LEEWAY_S + 1), NotYet),
        ("nbf", json!(NOW_S + NOT_BEFORE_LEEWAY_S + 1), NotYet),
        ("nbf", json!(i64::MAX), NotYet),
        (
            "aud",
            json!("09090909-0909-0909-0909-090909090909"),
            WrongAudience,
        ),
        ("aud", json!(""), WrongAudience),
        ("aud", json!("*"), WrongAudience),
        (
            "aud",
            json!("01010101010101010101010101010101"),
            WrongAudience,
        ),
        ("iss", json!("MotoReach"), Forged),
        ("iss", json!(""), Forged),
        ("token_type", json!("refresh"), WrongType),
        ("token_type", json!("ACCESS"), WrongType),
        ("token_type", json!(""), WrongType),
        ("sub", json!(""), Malformed),
        ("sub", json!("12"), Malformed),
        (
            "sub",
            json!("02020202-0202-0202-0202-02020202020é"),
            Malformed,
        ),
        (
            "sub",
            json!("{02020202-0202-0202-0202-020202020202}"),
            Malformed,
        ),
        ("sub", json!("02020202020202020202020202020202"), Malformed),
        (
            "sub",
            json!("ABABABAB-ABAB-ABAB-ABAB-ABABABABABAB"),
            Malformed,
        ),
        ("jti", json!("../../etc"), Malformed),
        ("sid", json!("1 or 1=1"), Malformed),
        ("sid", json!(4), Malformed),
        ("req", json!("7"), Malformed),
        ("req", json!(["7"]), Malformed),
    ] {
        let token = ours(&header(), &with(&claims(), field, value.clone()));
        tokens.push((format!("{field} {value}"), token, why));
    }
    let sound = claims().to_string();
    let twice =
        |field: &str| sound.replacen('{', &format!("{{\"{field}\":{},", claims()[field]), 1);
    for raw in [
        String::new(),
        "null".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        format!("[{sound}]"),
        json!(sound).to_string(),
        json!({"claims": claims()}).to_string(),
        format!("{sound}{sound}"),
        format!("{sound}\0"),
        twice("exp"),
        twice("sub"),
        twice("role"),
        "[".repeat(1_000),
    ] {
        let token = ours_raw(header().to_string(), &raw);
        tokens.push((format!("payload {raw:.40}"), token, Malformed));
    }
    let not_utf8 = sound.replace("mechanic", "mech\u{0}").into_bytes();
    let not_utf8 = not_utf8
        .into_iter()
        .map(|byte| if byte == 0 { 0xff } else { byte });
    let token = ours_raw(header().to_string(), not_utf8.collect::<Vec<_>>());
    tokens.push(("payload is no UTF-8".to_owned(), token, Malformed));
    tokens
}

/// Not three parts of base64url.
fn shapes() -> Vec<Hostile> {
    let token = ours(&header(), &claims());
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else {
        panic!("three parts")
    };
    let long = with(&claims(), "padding", json!("x".repeat(1_000_000)));
    let just_too_long = with(&claims(), "padding", json!("x".repeat(1_200)));
    let mut tokens = vec![
        ("empty", String::new()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("only dots", ".".repeat(2_000)),
        ("header alone", head.to_owned()),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{token}.{signature}")),
        (
            "five parts, as JWE",
            format!("{token}.{signature}.{signature}"),
        ),
        ("a leading dot", format!(".{token}")),
        ("a trailing dot", format!("{token}.")),
        ("a doubled dot", format!("{head}..{body}.{signature}")),
        ("no payload", resign(head, "")),
        ("no header", format!(".{body}.{signature}")),
        ("the word Bearer", format!("Bearer {token}")),
        ("the word null", "null".to_owned()),
        ("the word undefined", "undefined".to_owned()),
        ("a space in front", format!(" {token}")),
        ("a line end", format!("{token}\n")),
        ("a NUL", format!("{token}\0")),
        ("a byte order mark", format!("\u{feff}{token}")),
        (
            "a zero-width space",
            resign(head, &format!("\u{200b}{body}")),
        ),
        ("full-width dots", format!("{head}．{body}．{signature}")),
        ("emoji", "🔧.🔧.🔧".to_owned()),
        ("right to left", format!("\u{202e}{token}")),
        ("percent-encoded", token.replace('.', "%2E")),
        ("padded header", format!("{head}=.{body}.{signature}")),
        ("padded payload", resign(head, &format!("{body}="))),
        ("payload is no base64", resign(head, "{not base64}")),
        ("standard base64 in the payload", resign(head, "+/+/")),
        (
            "JSON serialization",
            json!({"protected": head, "payload": body, "signature": signature}).to_string(),
        ),
        ("a megabyte of nothing", "A".repeat(1 << 20)),
        ("a megabyte of dots", ".".repeat(1 << 20)),
        ("a megabyte, signed", ours(&header(), &long)),
        (
            "just over the limit, signed",
            ours(&header(), &just_too_long),
        ),
        (
            "a whole token and a megabyte",
            format!("{token}{}", "A".repeat(1 << 20)),
        ),
    ];
    // From here on it is cut inside header, payload and signature.
    for cut in [1, head.len() - 1, head.len() + 1, head.len() + body.len()] {
        tokens.push(("truncated", token[..cut].to_owned()));
    }
    assert!(ours(&header(), &just_too_long).len() > TOKEN_BYTES_MAX);
    tokens
        .into_iter()
        .map(|(name, token)| (name.to_owned(), token, TokenRefused::Malformed))
        .collect()
}

fn header() -> Value {
    json!({"typ": "JWT", "alg": "EdDSA", "kid": keys(1).kid()})
}

fn claims() -> Value {
    json!({
        "token_type": "access", "user_id": 12, "role": "mechanic",
        "exp": NOW_S + 900, "iat": NOW_S, "nbf": NOW_S,
        "jti": "03030303-0303-0303-0303-030303030303", "iss": "motoreach",
        "aud": "01010101-0101-0101-0101-010101010101",
        "sub": "02020202-0202-0202-0202-020202020202", "ver": 4,
    })
}

fn with(object: &Value, field: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[field] = value;
    object
}

fn without(object: &Value, field: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(field);
    object
}

fn ours(header: &Value, claims: &Value) -> String {
    ours_raw(header.to_string(), claims.to_string())
}

fn ours_raw(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    sign(&input(header, payload), 1)
}

fn theirs(header: &Value, claims: &Value) -> String {
    sign(&input(header.to_string(), claims.to_string()), 2)
}

fn resign(head: &str, body: &str) -> String {
    sign(&format!("{head}.{body}"), 1)
}

fn input(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}

fn sign(input: &str, root: u8) -> String {
    format!(
        "{input}.{}",
        URL_SAFE_NO_PAD.encode(signing(root).sign(input.as_bytes()))
    )
}

fn swap(token: &str, other: &str) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    format!("{input}.{signature}")
}

fn swap_parts(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    resign(parts[1], parts[0])
}

/// `s + l`, little-endian, for the signature's second half.
fn plus_order(signature: &[u8]) -> Vec<u8> {
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut out = signature.to_vec();
    let mut carry = 0;
    for (byte, add) in out[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + add + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
