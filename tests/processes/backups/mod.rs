//! Backups on bad days: killed anywhere, a full disk, a disk that fails or cannot be written to, a clock
//! in 1970, messages all the while; and what comes back of them.

mod made;
mod restored;

use std::fs;
use std::path::{Path, PathBuf};

use motoreach::seal::{BACKUP_HEADER_BYTES, BackupHeader, RootSecret};

use crate::harness::{Outcome, Program, run};

/// A sample workshop that ran once; where its data is.
async fn stopped_workshop(home: &Path) -> PathBuf {
    let program = Program::start(home).await;
    assert!(program.stop().await.success());
    home.join("data/box")
}

/// `motoreach backup --json`, with these words before it and after it.
async fn backup(data: &Path, before: &[&str], more: &[&str]) -> Outcome {
    let mut arguments = vec!["backup", "--json", "--data", data.to_str().unwrap()];
    arguments.extend(more);
    run(before, &arguments, "").await
}

/// `motoreach restore FILE --json`, the words on standard input.
async fn restore(file: &Path, data: &Path, words: &str, before: &[&str]) -> Outcome {
    let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
    run(before, &["restore", "--json", file, "--data", data], words).await
}

fn code(outcome: &Outcome) -> String {
    outcome.json()["error"]["code"].as_str().unwrap().to_owned()
}

fn paper(secret: [u8; 32]) -> String {
    RootSecret::from_bytes(secret).recovery_words().join(" ")
}

/// What is on the paper of the workshop whose box this is.
fn words_of(data: &Path) -> String {
    paper(
        fs::read(data.join("root.secret"))
            .unwrap()
            .try_into()
            .unwrap(),
    )
}

/// What lies in a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().collect());
    let entries: Vec<_> = entries.unwrap_or_default();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.into_iter().map(name).collect();
    names.sort();
    names
}

fn header(file: &Path) -> BackupHeader {
    let bytes = fs::read(file).unwrap();
    let block: &[u8; BACKUP_HEADER_BYTES] = bytes.first_chunk().unwrap();
    BackupHeader::parse(block).unwrap()
}

async fn is_sound(data: &Path) {
    let data = data.to_str().unwrap();
    let doctor = run(&[], &["doctor", "--json", "--data", data], "").await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
}
