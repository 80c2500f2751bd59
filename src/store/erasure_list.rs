//! Who was forgotten, kept beside the backups: a backup from before still has their words, and whoever
//! restores it without a relay would bring them back. A restore takes the list along, and the box
//! erases them again at its first start.
//!
//! It names people by their keys alone, each with a MAC under the workshop's own secret: whoever can
//! write into the folder can make nobody forgotten. A file that was uploaded from elsewhere has no list
//! beside it; then the relay's copy of the journal says it, or nobody does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ring::hmac;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::backup;
use super::data_dir::DataDir;
use super::error::StoreError;
use super::keys::BoxKeys;
use super::tx::{View, WriteTx};
use super::{erasure, reader};
use crate::domain::{Extent, PersonKey, Timestamp};
use crate::wire::export::Fixed;

/// Where a restored box keeps what it still has to do, in `local_state`.
const PENDING: &str = "erasures_to_apply";
/// The longest list that is read, in bytes: tens of thousands of people.
const LIST_BYTES_MAX: u64 = 8 << 20;

#[derive(Serialize, Deserialize, Clone)]
struct Listed {
    person: Uuid,
    extent: String,
    mac: Fixed<32>,
}

/// Brings the list in the backup folder up to date.
///
/// # Errors
/// Only what the database says; a folder that is not there is brought up to date by the next backup.
pub fn keep(view: &View<'_>, dir: &DataDir) -> Result<(), StoreError> {
    let folder = backup::folder_of(dir, &backup::settings(view)?);
    join(&folder, view)
}

/// The same for a folder that a backup was just written into, from the copy that it was made of.
pub(super) fn keep_of_copy(copied: &Path, folder: &Path, keys: &BoxKeys) -> Result<(), StoreError> {
    let conn = reader::open(copied)?;
    let now = Timestamp(0);
    let view = View {
        conn: &conn,
        keys,
        now,
    };
    join(folder, &view)
}

fn join(folder: &Path, view: &View<'_>) -> Result<(), StoreError> {
    let forgotten = erasure::forgotten(view)?;
    if forgotten.is_empty() || !folder.is_dir() {
        return Ok(());
    }
    let mut list = read(folder, view.keys);
    for who in forgotten {
        list.retain(|known| {
            known.person != who.key.uuid() || known.extent == Extent::Everything.word()
        });
        if !list.iter().any(|known| known.person == who.key.uuid()) {
            let extent = who.extent.word().to_owned();
            list.push(Listed {
                person: who.key.uuid(),
                mac: mac(view.keys, who.key, &extent),
                extent,
            });
        }
    }
    if let Err(error) = write(folder, view.keys, &list) {
        tracing::warn!(%error, "who was forgotten could not be noted beside the backups");
    }
    Ok(())
}

/// What a restore from this folder must do: kept in the restored database until it was done.
pub(super) fn take_along(
    conn: &Connection,
    folder: &Path,
    keys: &BoxKeys,
) -> Result<(), rusqlite::Error> {
    let list = read(folder, keys);
    if list.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(&list).expect("ids and words always have a JSON form");
    conn.execute(
        "insert or replace into local_state (name, value) values (?1, ?2)",
        params![PENDING, json],
    )?;
    Ok(())
}

/// Who must be erased again since a backup was restored.
///
/// # Errors
/// Only what the disk says.
pub fn pending(view: &View<'_>) -> Result<Vec<(PersonKey, Extent)>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached("select value from local_state where name = ?1")?;
    let found = query
        .query_map([PENDING], |row| row.get::<_, String>(0))?
        .next()
        .transpose()?;
    let list: Vec<Listed> = found
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default();
    Ok(list
        .into_iter()
        .filter_map(|each| {
            let extent = Extent::from_word(&each.extent)?;
            Some((PersonKey::new(each.person), extent))
        })
        .collect())
}

/// It was done.
///
/// # Errors
/// Only what the disk says.
pub fn done(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached("delete from local_state where name = ?1")?
        .execute([PENDING])?;
    Ok(())
}

/// The lines of a list that this workshop wrote.
fn read(folder: &Path, keys: &BoxKeys) -> Vec<Listed> {
    let path = path(folder, keys);
    let is_list = fs::metadata(&path).is_ok_and(|file| file.len() <= LIST_BYTES_MAX);
    if !is_list {
        return Vec::new();
    }
    let list: Vec<Listed> = fs::read(&path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    list.into_iter()
        .filter(|each| {
            let person = PersonKey::new(each.person);
            let text = message(person, &each.extent);
            hmac::verify(&key(keys), &text, &each.mac.0).is_ok()
        })
        .collect()
}

/// Writes the list beside its place, then puts it there.
fn write(folder: &Path, keys: &BoxKeys, list: &[Listed]) -> io::Result<()> {
    let path = path(folder, keys);
    let beside = path.with_extension("part");
    let json = serde_json::to_vec(list)?;
    if fs::read(&path).is_ok_and(|there| there == json) {
        return Ok(());
    }
    fs::write(&beside, json)?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(&beside, &path)?;
    fs::File::open(folder)?.sync_all()
}

fn path(folder: &Path, keys: &BoxKeys) -> PathBuf {
    folder.join(format!("motoreach-erased-{}.json", keys.workshop()))
}

fn mac(keys: &BoxKeys, person: PersonKey, extent: &str) -> Fixed<32> {
    let tag = hmac::sign(&key(keys), &message(person, extent));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    Fixed(bytes)
}

fn message(person: PersonKey, extent: &str) -> Vec<u8> {
    [person.as_bytes(), extent.as_bytes()].concat()
}

fn key(keys: &BoxKeys) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, keys.secret("erasure-list").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::commands::{AddPerson, EraseLeftovers, ErasePerson, SetUp};
    use crate::domain::{Actor, EventId, FullName, LogId, Role, Username};
    use crate::seal::RootSecret;
    use crate::store::memory::MemoryStore;
    use crate::store::people;

    #[test]
    fn only_what_this_workshop_wrote_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let [ours, others] = [7, 8].map(|byte| BoxKeys::new(RootSecret::from_bytes([byte; 32])));
        let person = PersonKey::from_bytes([3; 16]);
        let listed = |keys: &BoxKeys| Listed {
            person: person.uuid(),
            extent: "words".to_owned(),
            mac: mac(keys, person, "words"),
        };
        let mut changed = listed(&ours);
        changed.extent = "everything".to_owned();
        write(
            folder.path(),
            &ours,
            &[listed(&others), changed, listed(&ours)],
        )
        .unwrap();
        let read = read(folder.path(), &ours);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].extent, "words");

        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("create table local_state (name text primary key, value text)")
            .unwrap();
        take_along(&conn, folder.path(), &ours).unwrap();
        let view = View {
            conn: &conn,
            keys: &ours,
            now: Timestamp(0),
        };
        assert_eq!(pending(&view).unwrap(), [(person, Extent::Words)]);
    }

    /// A backup from before somebody was forgotten is restored from the folder that it lies in.
    #[test]
    fn whoever_was_forgotten_after_a_backup_is_forgotten_again_when_it_is_restored() {
        let root = RootSecret::from_bytes([7; 32]);
        let log = LogId::from_bytes([1; 16]);
        let store = MemoryStore::new(root, log, Clock::manual(Timestamp(0)));
        let set_up = SetUp {
            workshop_name: FullName::parse("Nair Motors").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).unwrap();
        let asha = AddPerson {
            id: EventId::from_bytes([2; 16]),
            role: Role::Owner,
            full_name: FullName::parse("Asha Nair").unwrap(),
            username: None,
            phone: None,
            email: None,
            password_hash: None,
        };
        let asha = store.write(|tx| asha.run(tx, &Actor::the_box())).unwrap();
        let backup = store.copy();
        let erase = ErasePerson {
            person: asha.id,
            name: "Asha Nair".to_owned(),
            extent: Extent::Words,
        };
        store.write(|tx| erase.run(tx, &Actor::the_box())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        store.read(|view| join(folder.path(), view)).unwrap();

        take_along(backup.conn(), folder.path(), backup.keys()).unwrap();
        backup.write(|tx| EraseLeftovers.run(tx)).unwrap();
        let restored = backup.read(|view| people::load(view, asha.id)).unwrap();
        assert_eq!(restored.unwrap().full_name, "Erased owner");
        assert_eq!(backup.read(pending).unwrap(), []);
        assert_eq!(backup.faults().unwrap(), Vec::<String>::new());
    }
}
