//! Backups in plain words for whoever shows them: the page, the command line, the health of the box.
//! Nothing is decided by it but how many are kept at most.

use super::{Seq, Timestamp};

/// How many backups are kept: the newest of so many days, weeks and months that have one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeepRules {
    /// Days, at least one.
    pub daily: u32,
    /// Weeks.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
}

impl KeepRules {
    /// The most of each: more than a disk in a workshop will hold.
    pub const EACH_MAX: u32 = 366;

    /// Whether these rules can be followed: the newest backup is always kept.
    pub const fn are_sound(self) -> bool {
        self.daily >= 1
            && self.daily <= Self::EACH_MAX
            && self.weekly <= Self::EACH_MAX
            && self.monthly <= Self::EACH_MAX
    }
}

impl Default for KeepRules {
    fn default() -> Self {
        Self {
            daily: 7,
            weekly: 4,
            monthly: 6,
        }
    }
}

/// That a backup was restored into a scratch place and had everything in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupProof {
    /// When that was.
    pub at: Timestamp,
    /// The newest entry of the journal that it has.
    pub seq: Seq,
    /// Messages that came back.
    pub messages: i64,
    /// Messages that there were when it was made.
    pub of: i64,
    /// How long restoring it took, in whole seconds, at least one.
    pub seconds: i64,
    /// The file.
    pub file: String,
}

/// What a backup is busy with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackupStep {
    /// The database is copied as it stands at one moment.
    Copying,
    /// The copy is compressed, sealed and written to its place.
    Sealing,
    /// The file is restored into a scratch place, and everything in it is counted.
    Proving,
}

impl BackupStep {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Copying => "copying",
            Self::Sealing => "sealing",
            Self::Proving => "proving",
        }
    }
}

/// How far a backup under way has come; `of` is 0 while nobody can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackupProgress {
    /// What it is busy with.
    pub step: BackupStep,
    /// Bytes that are done.
    pub done: u64,
    /// Bytes that there are.
    pub of: u64,
}

/// The newest attempt at a backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastBackup {
    /// When it was begun.
    pub at: Timestamp,
    /// The file; none where nothing was written.
    pub file: Option<String>,
    /// Its length, in bytes.
    pub bytes: u64,
    /// Whether it can only be read with the recovery words.
    pub sealed: bool,
    /// Why there is no backup, or none that was proven.
    pub fault: Option<ToldFault>,
}

/// A fault as it is kept and shown: the word that programs know it by, and the sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToldFault {
    /// The word.
    pub code: String,
    /// The sentence.
    pub detail: String,
}

/// Why no backup was made, or why it was not proven. Its text is a sentence for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BackupFault {
    /// One at a time.
    #[error("A backup is being made already. Wait until that one is done.")]
    UnderWay,
    /// Nothing to keep.
    #[error("This box is not set up yet, so there is nothing to back up.")]
    NotSetUp,
    /// The folder is missing, or the disk that it was on.
    #[error(
        "The folder for backups is not there. If it is on a USB disk, plug that in; otherwise choose another folder."
    )]
    FolderGone,
    /// The folder cannot be written to.
    #[error(
        "Nothing can be written to the folder for backups: the disk is write-protected, or the box may not write there. Choose another folder or disk."
    )]
    FolderReadOnly,
    /// There is a file of that name.
    #[error("There is a file of that name already, and it was left alone. Choose another name.")]
    FileExists,
    /// No room where backups go.
    #[error(
        "The disk for backups is full. Remove what is not needed from it, or choose another disk."
    )]
    FolderFull,
    /// The disk that backups go to failed half-way.
    #[error(
        "The disk for backups was unplugged or reports errors. Plug it in firmly, or choose another disk."
    )]
    FolderFails,
    /// No room for the copy on the box's own disk.
    #[error("This box's own disk has too little room for making a backup. Free some space on it.")]
    BoxFull,
    /// The box's own disk failed.
    #[error("This box's own disk reports errors, so no backup could be made.")]
    BoxFails,
    /// What was written is not what is read back.
    #[error(
        "What was read back from the disk for backups is not what was written to it, so the file was removed. Do not trust that disk: choose another one."
    )]
    NotWhatWasWritten,
    /// The database itself is not sound.
    #[error(
        "The backup was made, but the data in it have a fault that was there before. Earlier backups are all kept; let somebody run `motoreach doctor`."
    )]
    Unsound,
    /// It was told to stop.
    #[error("The box was stopped before the backup was done. It will be made again.")]
    Stopped,
}

impl BackupFault {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::UnderWay => "backup_under_way",
            Self::NotSetUp => "not_set_up",
            Self::FolderGone => "folder_gone",
            Self::FolderReadOnly => "folder_read_only",
            Self::FileExists => "file_exists",
            Self::FolderFull => "folder_full",
            Self::FolderFails => "folder_failing",
            Self::BoxFull => "disk_full",
            Self::BoxFails => "storage_failing",
            Self::NotWhatWasWritten => "not_what_was_written",
            Self::Unsound => "unsound",
            Self::Stopped => "stopping",
        }
    }
}

impl From<BackupFault> for ToldFault {
    fn from(fault: BackupFault) -> Self {
        Self {
            code: fault.word().to_owned(),
            detail: fault.to_string(),
        }
    }
}

/// Why a file cannot be restored. Its text is a sentence for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BackupUnreadable {
    /// It cannot be opened or read at all.
    #[error(
        "The file cannot be read. Check that it is there, that the disk is plugged in, and try again."
    )]
    Gone,
    /// It is something else.
    #[error("This file is no MotoReach backup. Choose one whose name ends in .backup.")]
    NotABackup,
    /// It ends before its end.
    #[error("This backup ends too early: it was not copied whole. Copy it again, or use another.")]
    CutOff,
    /// Some of it was changed.
    #[error(
        "This backup is damaged or was not copied whole: what is in it is not what was written. Copy it again, or use another one."
    )]
    Damaged,
    /// The words are right, and of another workshop.
    #[error(
        "These are recovery words, but of another workshop than the one in this backup. Look for the right paper, or the right file."
    )]
    OtherWords,
    /// A newer program wrote it.
    #[error(
        "This backup was made by a newer MotoReach than this one. Update this box first, then restore it."
    )]
    Newer,
}

impl BackupUnreadable {
    /// The word that programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gone => "backup_gone",
            Self::NotABackup => "not_a_backup",
            Self::CutOff => "backup_cut_off",
            Self::Damaged => "backup_damaged",
            Self::OtherWords => "other_workshop",
            Self::Newer => "backup_newer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_backup_is_always_kept() {
        assert!(KeepRules::default().are_sound());
        let none = KeepRules {
            daily: 0,
            ..KeepRules::default()
        };
        assert!(!none.are_sound());
        let many = KeepRules {
            monthly: 367,
            ..KeepRules::default()
        };
        assert!(!many.are_sound());
    }
}
