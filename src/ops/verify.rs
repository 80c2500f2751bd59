//! `motoreach verify`: whether an exported file is what a workshop signed. It needs nothing but the file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::failure::Exit;
use super::say;
use crate::cli::VerifyArgs;
use crate::export::{Verdict, fingerprint, verify};
use crate::store::export::{opens_to_its_words, signature};
use crate::store::{BoxKeys, DataDir};
use crate::wire::export::{About, EXPORT_BYTES_MAX, Header};

/// `motoreach verify`.
///
/// # Errors
/// The file cannot be read.
pub fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let bytes = read(&args.file)?;
    let keys = match &args.data {
        None => None,
        Some(dir) => Some(BoxKeys::new(DataDir::new(dir).root()?)),
    };
    let mut verdict = match &keys {
        None => verify(&bytes, None),
        Some(keys) => verify(&bytes, Some(&mut |entry| opens_to_its_words(keys, entry))),
    };
    if let Some(keys) = &keys {
        let own = fingerprint(&signature(keys, &[0; 32]).public_key);
        compare(&mut verdict, &own, "this box's");
    }
    if let Some(expected) = &args.key {
        compare(&mut verdict, expected, "the one that you named");
    }
    if args.json {
        say(as_json(&verdict));
    } else {
        tell(&verdict, args);
    }
    Ok(if verdict.is_sound() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", path.display());
    let file = File::open(path).with_context(cannot)?;
    let mut bytes = Vec::new();
    file.take(EXPORT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    if bytes.len() as u64 > EXPORT_BYTES_MAX {
        bail!("{} is longer than any export.", path.display());
    }
    Ok(bytes)
}

fn compare(verdict: &mut Verdict, expected: &str, whose: &str) {
    let letters = |text: &str| -> String {
        let kept = text.chars().filter(char::is_ascii_hexdigit);
        kept.map(|c| c.to_ascii_lowercase()).collect()
    };
    let found = verdict.fingerprint.as_deref().map(letters);
    if found != Some(letters(expected)) {
        verdict
            .faults
            .push(format!("The key that signed it is not {whose}."));
    }
}

fn tell(verdict: &Verdict, args: &VerifyArgs) {
    let file = args.file.display();
    if let Some(header) = &verdict.header {
        say(format_args!("{file}: {}", what(header)));
        say(format_args!(
            "  made {}, entries {} to {}, {} message(s), {} of them without words",
            header.made_at,
            header.before.seq + 1,
            header.head.seq,
            verdict.messages + verdict.erased,
            verdict.erased
        ));
    }
    if let Some(fingerprint) = &verdict.fingerprint {
        say(format_args!("  signed with the key {fingerprint}"));
    }
    if !verdict.is_sound() {
        say("NOT SOUND. Do not rely on this file:");
        for fault in &verdict.faults {
            say(format_args!("  - {fault}"));
        }
        return;
    }
    say("SOUND. Every word is as it was signed, in its order, and nothing was left out.");
    if args.data.is_some() {
        say("It is this box's, and every seal opens to the words that are shown.");
    } else if args.key.is_none() {
        say("Compare the key's fingerprint with the workshop's: the file cannot say whose it is.");
    }
}

fn what(header: &Header) -> String {
    match &header.about {
        About::Request { number } => format!("request {number} of {}", header.workshop.name),
        About::Owner { full_name, .. } => {
            format!("everything of {full_name} at {}", header.workshop.name)
        }
    }
}

fn as_json(verdict: &Verdict) -> serde_json::Value {
    let header = verdict.header.as_ref();
    json!({
        "sound": verdict.is_sound(),
        "key": verdict.fingerprint,
        "workshop": header.map(|header| header.workshop.name.as_str()),
        "about": header.map(|header| &header.about),
        "made_at": header.map(|header| header.made_at.as_str()),
        "messages": verdict.messages,
        "erased": verdict.erased,
        "entries": verdict.entries,
        "faults": verdict.faults,
    })
}
