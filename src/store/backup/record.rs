//! What the box notes of its backups in `local_state`: where they go, how many are kept, the newest
//! attempt, and the newest that was proven. A backup carries nothing of it but the settings.

use serde::{Deserialize, Serialize};

use crate::domain::{BackupProof, KeepRules, LastBackup, Seq, Timestamp, ToldFault};
use crate::seal::Chain;
use crate::store::error::StoreError;
use crate::store::incarnations;
use crate::store::link::BACKED_UP;
use crate::store::local::{self, note};
use crate::store::tx::{View, WriteTx};

const SETTINGS: &str = "backup_settings";
const LAST: &str = "backup_last";
const PROOF: &str = "backup_proof";
/// What was noted of backups says nothing of the box that is restored from one.
pub(super) const NOTES: [&str; 3] = [LAST, PROOF, BACKED_UP];

/// Where backups go, and how many are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The folder; none: `backups` in the data directory.
    pub folder: Option<Chosen>,
    /// How many are kept.
    pub keep: KeepRules,
}

/// A folder that somebody chose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chosen {
    /// Its path.
    pub path: String,
    /// Whether it was on another disk than the data. A disk that is not plugged in leaves an empty
    /// folder of the same name behind, and what went there would fill the card.
    pub other_disk: bool,
}

#[derive(Serialize, Deserialize)]
struct KeptSettings {
    folder: Option<Chosen>,
    daily: u32,
    weekly: u32,
    monthly: u32,
}

#[derive(Serialize, Deserialize)]
struct KeptProof {
    at: i64,
    seq: i64,
    messages: i64,
    of: i64,
    seconds: i64,
    file: String,
}

#[derive(Serialize, Deserialize)]
struct KeptLast {
    at: i64,
    file: Option<String>,
    bytes: u64,
    sealed: bool,
    fault: Option<(String, String)>,
}

/// Where backups go, and how many are kept.
pub fn settings(view: &View<'_>) -> Result<Settings, StoreError> {
    let kept: Option<KeptSettings> = local::kept(view, SETTINGS)?;
    Ok(kept.map_or_else(Settings::default, |kept| Settings {
        folder: kept.folder,
        keep: KeepRules {
            daily: kept.daily,
            weekly: kept.weekly,
            monthly: kept.monthly,
        },
    }))
}

/// Changes where backups go, and how many are kept.
pub fn set(tx: &WriteTx<'_>, settings: Settings) -> Result<(), StoreError> {
    let Settings { folder, keep } = settings;
    let KeepRules {
        daily,
        weekly,
        monthly,
    } = keep;
    let kept = KeptSettings {
        folder,
        daily,
        weekly,
        monthly,
    };
    local::keep(tx, SETTINGS, &kept)
}

/// The newest backup that was proven by restoring it.
pub fn last_proof(view: &View<'_>) -> Result<Option<BackupProof>, StoreError> {
    let kept: Option<KeptProof> = local::kept(view, PROOF)?;
    Ok(kept.map(|kept| BackupProof {
        at: Timestamp(kept.at),
        seq: Seq(kept.seq),
        messages: kept.messages,
        of: kept.of,
        seconds: kept.seconds,
        file: kept.file,
    }))
}

/// The newest attempt at a backup, whatever came of it.
pub fn last(view: &View<'_>) -> Result<Option<LastBackup>, StoreError> {
    let kept: Option<KeptLast> = local::kept(view, LAST)?;
    Ok(kept.map(|kept| LastBackup {
        at: Timestamp(kept.at),
        file: kept.file,
        bytes: kept.bytes,
        sealed: kept.sealed,
        fault: kept.fault.map(|(code, detail)| ToldFault { code, detail }),
    }))
}

/// Notes what came of an attempt.
pub(super) fn note_last(tx: &WriteTx<'_>, last: &LastBackup) -> Result<(), StoreError> {
    let fault = last.fault.clone();
    let kept = KeptLast {
        at: last.at.0,
        file: last.file.clone(),
        bytes: last.bytes,
        sealed: last.sealed,
        fault: fault.map(|fault| (fault.code, fault.detail)),
    };
    local::keep(tx, LAST, &kept)
}

/// Notes that a backup was proven. From now on a relay may forget what it has (`link::retention`),
/// unless copies of the journal were brought together meanwhile: what the backup has after `chain`'s
/// place stands elsewhere then, and the next one will tell.
pub(super) fn note_proof(
    tx: &WriteTx<'_>,
    proof: &BackupProof,
    chain: Chain,
) -> Result<(), StoreError> {
    let kept = KeptProof {
        at: proof.at.0,
        seq: proof.seq.0,
        messages: proof.messages,
        of: proof.of,
        seconds: proof.seconds,
        file: proof.file.clone(),
    };
    local::keep(tx, PROOF, &kept)?;
    if incarnations::chain_at(tx.conn, proof.seq)? == Some(chain) {
        note(tx, BACKED_UP, &proof.seq.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::{BackupFault, LogId};
    use crate::seal::RootSecret;
    use crate::store::memory::MemoryStore;

    #[test]
    fn what_is_noted_is_read_back() {
        let root = RootSecret::from_bytes([7; 32]);
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        let store = MemoryStore::new(root, LogId::from_bytes([1; 16]), clock);
        assert_eq!(store.read(settings).unwrap(), Settings::default());
        assert_eq!(store.read(last).unwrap(), None);
        assert_eq!(store.read(last_proof).unwrap(), None);

        let chosen = Settings {
            folder: Some(Chosen {
                path: "/media/stick".to_owned(),
                other_disk: true,
            }),
            keep: KeepRules {
                daily: 3,
                weekly: 0,
                monthly: 12,
            },
        };
        let failed = LastBackup {
            at: Timestamp(5),
            file: None,
            bytes: 0,
            sealed: true,
            fault: Some(BackupFault::FolderGone.into()),
        };
        let proof = BackupProof {
            at: Timestamp(9),
            seq: Seq(0),
            messages: 30,
            of: 30,
            seconds: 1,
            file: "motoreach.backup".to_owned(),
        };
        store
            .write(|tx| {
                set(tx, chosen.clone())?;
                note_last(tx, &failed)?;
                Ok(note_proof(tx, &proof, Chain::GENESIS)?)
            })
            .unwrap();
        assert_eq!(store.read(settings).unwrap(), chosen);
        assert_eq!(store.read(last).unwrap(), Some(failed));
        assert_eq!(store.read(last_proof).unwrap(), Some(proof));
        let line = |view: &View<'_>| crate::store::link::retention(view, Timestamp(0), 1);
        assert_eq!(store.read(line).unwrap(), Some((Seq(0), Vec::new())));
    }
}
