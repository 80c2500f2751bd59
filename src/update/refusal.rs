//! Why a program may not take the old one's place. Each is a sentence that says what to do; nothing was
//! changed.

use std::io;

use super::key::KeyId;
use super::version::{TARGET, Version};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody said whose signature counts.
    #[error(
        "This program knows no key by which updates are signed: set `update_key` in the configuration to \
         the second line of the publisher's minisign.pub."
    )]
    NoKey,
    /// What should be a signature is none.
    #[error(
        "The signature is no signature of minisign: take the .minisig file that belongs to the program."
    )]
    NoSignature,
    /// What should be a signature is a web page.
    #[error(
        "The signature is a web page and no signature: the address is wrong, or somebody else answered. \
         Download the .minisig file again."
    )]
    SignatureIsAPage,
    /// Somebody else signed it.
    #[error(
        "This was signed with key {signer}, and this box trusts {ours} alone: take the program from where \
         MotoReach is published."
    )]
    OtherKey {
        /// Whose.
        signer: KeyId,
        /// Whose counts here.
        ours: KeyId,
    },
    /// The trusted comment names no version and machine.
    #[error(
        "The signature does not say which version and which machine it is for (version:… target:…), so \
         this is no update."
    )]
    SaysNothing,
    /// It is for another machine.
    #[error("This program is for {target}; this machine needs the one for {TARGET}.")]
    OtherTarget {
        /// The machine.
        target: String,
    },
    /// It is older than what runs.
    #[error(
        "This is {version}, which is older than {running} that runs here. To go back on purpose, use \
         `motoreach update --allow-older` at the box."
    )]
    Older {
        /// What it is.
        version: Version,
        /// What runs.
        running: Version,
    },
    /// It is what runs.
    #[error("{0} runs here already; there is nothing to do.")]
    Same(Version),
    /// Nothing is in the file.
    #[error("The program is empty: download it again.")]
    Empty,
    /// It is larger than any program of ours.
    #[error("This is larger than 256 MB, which no MotoReach is.")]
    TooLarge,
    /// It is a web page.
    #[error(
        "This is a web page and no program: the address is wrong, or somebody else answered. Download it \
         again."
    )]
    ProgramIsAPage,
    /// It is not what the signature is for.
    #[error(
        "This is not what was signed: it was downloaded in part only, or changed on the way. Download it \
         again."
    )]
    NotWhatWasSigned,
    /// It cannot be read.
    #[error("The update cannot be read: {0}.")]
    Unreadable(#[source] io::Error),
    /// It cannot be written down.
    #[error("The update cannot be written to {path}: {source}.")]
    Unwritable {
        /// Where.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Another update is at work.
    #[error("Another update is at work: wait until it is done.")]
    UnderWay,
    /// There is no room for what an update needs.
    #[error(
        "There is not enough room on the disk for an update: it needs {needed_mb} MB more in {path}. \
         Make room, then try again."
    )]
    NoRoom {
        /// Where.
        path: String,
        /// How much is missing, in megabytes.
        needed_mb: u64,
    },
    /// The database could not be backed up first.
    #[error(
        "The data could not be backed up first, so nothing was changed: {0} (--without-backup does \
         without.)"
    )]
    NoBackup(String),
    /// The new program did not pass its test.
    #[error(
        "The new program did not pass its test on a copy of this box's data: {0} Nothing was changed."
    )]
    FailedTest(String),
}

impl Refusal {
    /// The word that programs know it by.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoKey => "no_update_key",
            Self::NoSignature | Self::SignatureIsAPage | Self::SaysNothing => "no_signature",
            Self::OtherKey { .. } => "other_key",
            Self::OtherTarget { .. } => "other_target",
            Self::Older { .. } => "older_version",
            Self::Same(_) => "same_version",
            Self::Empty | Self::ProgramIsAPage => "no_program",
            Self::TooLarge => "too_large",
            Self::NotWhatWasSigned => "not_what_was_signed",
            Self::Unreadable(_) => "unreadable",
            Self::Unwritable { .. } => "unwritable",
            Self::UnderWay => "update_under_way",
            Self::NoRoom { .. } => "no_room",
            Self::NoBackup(_) => "no_backup",
            Self::FailedTest(_) => "failed_self_test",
        }
    }
}
