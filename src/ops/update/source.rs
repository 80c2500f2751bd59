//! Where a new program comes from, and that it is what its signature says.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::OFlags;

use super::{Update, note};
use crate::appliance;
use crate::cli::UpdateArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::net::tls::TlsClock;
use crate::update::fetch::fetch;
use crate::update::place::Folder;
use crate::update::release::{Claim, PROGRAM_BYTES_MAX, SIGNATURE_BYTES_MAX};
use crate::update::{Consent, Refusal, Release, Staging, UpdateKey, Version, remove, swap};

/// Where it comes from.
pub(super) enum Source {
    /// A file, and its signature's.
    Files(PathBuf, PathBuf),
    /// An address, and its signature's.
    Addresses(String, String),
    /// What the page brought.
    Page,
    /// The program that the last update replaced: it was proven when it came.
    Old,
    /// The package manager put it in place, and proved it.
    Package,
}

/// A program that may take the old one's place: staged beside it.
pub(super) struct Found {
    /// What it is; the old one and a package's say so themselves.
    pub(super) version: Option<Version>,
    /// The program to test.
    pub(super) path: PathBuf,
}

impl Source {
    pub(super) fn of(args: &UpdateArgs, update: &Update) -> anyhow::Result<Self> {
        if args.apply {
            return Ok(Self::Page);
        }
        if args.from_package {
            return Ok(Self::Package);
        }
        let Some(from) = &args.from else {
            let old = swap::old_of(&update.program);
            anyhow::ensure!(
                old.exists(),
                "There is no program to go back to: no update has replaced this one."
            );
            return Ok(Self::Old);
        };
        let signature = args.signature.clone();
        let signature = signature.unwrap_or_else(|| format!("{from}.minisig"));
        Ok(match from.contains("://") {
            true => Self::Addresses(from.clone(), signature),
            false => Self::Files(from.into(), signature.into()),
        })
    }

    /// Gets it, proves it and stages it.
    pub(super) async fn find(
        &self,
        update: &Update,
        args: &UpdateArgs,
        config: &Config,
    ) -> anyhow::Result<Found> {
        let consent = match args.allow_older {
            true => Consent::AnyVersion,
            false => Consent::NewerOnly,
        };
        let key = UpdateKey::chosen(config.update_key.as_ref());
        let claim = |signature: &str| -> Result<Claim, Refusal> {
            let claim = Claim::read(signature, key.as_ref())?;
            claim.suits(update.running, consent)?;
            Ok(claim)
        };
        let release = match self {
            Self::Files(program, signature) => {
                let signature = read_signature(&mut open(signature)?)?;
                stage(update, claim(&signature)?, open(program)?)?
            }
            Self::Addresses(program, signature) => {
                let signature =
                    download(update, config, signature, SIGNATURE_BYTES_MAX, "signature");
                let signature = read_signature(&mut signature.await?)?;
                let claim = claim(&signature)?;
                note(
                    args.at.json,
                    format_args!("Downloading {} …", claim.claimed().version),
                );
                let program = download(update, config, program, PROGRAM_BYTES_MAX, "program");
                stage(update, claim, program.await?)?
            }
            Self::Page => {
                let (program, signature) = take_from_page(&Staging::of(&update.data))?;
                stage(update, claim(&signature)?, program)?
            }
            Self::Old => {
                let old = File::open(swap::old_of(&update.program)).map_err(Refusal::Unreadable)?;
                let path = staged(update, old)?;
                return Ok(Found {
                    version: None,
                    path,
                });
            }
            Self::Package => {
                return Ok(Found {
                    version: None,
                    path: update.program.clone(),
                });
            }
        };
        Ok(Found {
            version: Some(release.version),
            path: swap::new_of(&update.program),
        })
    }
}

/// Copies it beside the program first and proves that copy: nobody can change it between.
fn stage(update: &Update, claim: Claim, program: File) -> Result<Release, Refusal> {
    let path = staged(update, program)?;
    let staged = File::open(path).map_err(Refusal::Unreadable)?;
    claim.prove(staged)
}

fn staged(update: &Update, program: File) -> Result<PathBuf, Refusal> {
    let bounded = program.take(PROGRAM_BYTES_MAX + 1);
    swap::stage(&update.program, bounded).map_err(|source| Refusal::Unwritable {
        path: swap::new_of(&update.program).display().to_string(),
        source,
    })
}

/// Opens what somebody named. A folder is nothing to read.
fn open(path: &Path) -> anyhow::Result<File> {
    let opened = File::open(path).and_then(|file| match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no file")),
    });
    opened.with_context(|| format!("{} cannot be read.", path.display()))
}

/// Takes what the page brought: from here on nobody who serves pages can change it, and the button has
/// been answered whatever comes of it.
fn take_from_page(staging: &Staging) -> anyhow::Result<(File, String)> {
    let program = open_unlinked(&staging.program());
    let signature = open_unlinked(&staging.signature());
    staging
        .clear()
        .context("What the page brought cannot be taken.")?;
    let nothing = "The page brought no program.";
    let signature = read_signature(&mut signature.context(nothing)?)?;
    Ok((program.context(nothing)?, signature))
}

/// Not through a link: the folder belongs to somebody else.
fn open_unlinked(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no file")),
    }
}

fn read_signature(file: &mut File) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    let read = file.take(SIGNATURE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(Refusal::Unreadable)?;
    if bytes.len() as u64 > SIGNATURE_BYTES_MAX {
        return Err(Refusal::NoSignature);
    }
    String::from_utf8(bytes).map_err(|_| Refusal::NoSignature)
}

async fn download(
    update: &Update,
    config: &Config,
    url: &str,
    bytes_max: u64,
    name: &str,
) -> anyhow::Result<File> {
    let folder = update.place.folder(Folder::Fetched)?;
    let path = folder.join(name);
    let file = remove(&path).and_then(|_| {
        OpenOptions::new()
            .create_new(true)
            .read(true)
            .write(true)
            .open(&path)
    });
    let mut file = file.map_err(|source| Refusal::Unwritable {
        path: path.display().to_string(),
        source,
    })?;
    let dialer = appliance::dialer(config.relay_ca.as_deref(), &TlsClock::new(Clock::system()))?;
    fetch(&dialer, url, bytes_max, &mut file).await?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
