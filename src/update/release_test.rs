//! What is signed and what is not, with signatures that minisign made (`tests/fixtures/update`).

use super::*;

const KEY: &str = include_str!("../../tests/fixtures/update/key.pub");
const PROGRAM: &[u8] = include_bytes!("../../tests/fixtures/update/program");
const RIGHT: &str = include_str!("../../tests/fixtures/update/right.minisig");
const OTHER_KEY: &str = include_str!("../../tests/fixtures/update/other-key.minisig");
const WITHOUT_WORDS: &str = include_str!("../../tests/fixtures/update/without-words.minisig");
const LEGACY: &str = include_str!("../../tests/fixtures/update/legacy.minisig");

fn claim(signature: &str) -> Result<Claim, Refusal> {
    Claim::read(signature, Some(&UpdateKey::parse(KEY).unwrap()))
}

#[track_caller]
fn refused<T>(done: Result<T, Refusal>) -> (&'static str, String) {
    let Err(refusal) = done else {
        panic!("it was let through");
    };
    (refusal.word(), refusal.to_string())
}

#[test]
fn a_signed_program_is_what_its_signature_says() {
    let release = claim(RIGHT).unwrap().prove(PROGRAM).unwrap();
    assert_eq!(release.version.to_string(), "0.2.0");
    assert_eq!(release.target, "aarch64-unknown-linux-musl");
}

#[test]
fn what_is_not_whole_or_not_ours_is_refused_in_a_sentence() {
    let proved = |program: &[u8]| refused(claim(RIGHT).unwrap().prove(program));
    assert_eq!(proved(&PROGRAM[..4]).0, "not_what_was_signed");
    assert_eq!(proved(b"a program!").0, "not_what_was_signed");
    assert_eq!(proved(b"").0, "no_program");
    let (word, sentence) = proved(b"\n <!doctype html><title>404</title>");
    assert_eq!(word, "no_program");
    assert!(sentence.contains("web page"), "{sentence}");
    let (word, sentence) = refused(claim(OTHER_KEY));
    assert_eq!(word, "other_key");
    assert!(sentence.contains("5D31B380A93BFCFE"), "{sentence}");
    let (word, sentence) = refused(claim("<html>"));
    assert_eq!(word, "no_signature");
    assert!(sentence.contains("web page"), "{sentence}");
    assert_eq!(refused(claim(WITHOUT_WORDS)).0, "no_signature");
    assert_eq!(refused(claim("")).0, "no_signature");
    assert_eq!(
        refused(claim(LEGACY).unwrap().prove(PROGRAM)).0,
        "no_signature"
    );
    assert_eq!(refused(Claim::read(RIGHT, None)).0, "no_update_key");
}

#[test]
fn words_that_were_changed_in_the_signature_are_no_longer_signed() {
    let newer = RIGHT.replace("version:0.2.0", "version:9.9.9");
    let claim = claim(&newer).unwrap();
    assert_eq!(claim.claimed().version.to_string(), "9.9.9");
    assert_eq!(refused(claim.prove(PROGRAM)).0, "not_what_was_signed");
}

#[test]
fn a_program_suits_by_its_machine_and_by_its_age() {
    let here = RIGHT.replace("aarch64-unknown-linux-musl", TARGET);
    let suits = |running: &str, consent| {
        let running = running.parse().unwrap();
        claim(&here).unwrap().suits(running, consent)
    };
    assert!(suits("0.1.9", Consent::NewerOnly).is_ok());
    assert_eq!(
        refused(suits("0.2.0", Consent::NewerOnly)).0,
        "same_version"
    );
    assert_eq!(
        refused(suits("0.3.0", Consent::NewerOnly)).0,
        "older_version"
    );
    assert!(suits("0.3.0", Consent::AnyVersion).is_ok());
    let elsewhere = RIGHT.replace("aarch64-unknown-linux-musl", "sparc-sun-solaris");
    let elsewhere = claim(&elsewhere).unwrap();
    let old = "0.1.0".parse().unwrap();
    assert_eq!(
        refused(elsewhere.suits(old, Consent::AnyVersion)).0,
        "other_target"
    );
}
