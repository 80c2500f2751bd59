//! Which relay this box belongs to, and what the relay said last.

use rusqlite::{OptionalExtension, params};

use crate::seal::Lineage;
use crate::store::error::StoreError;
use crate::store::tx::{CommandResult, View, WriteTx};
use crate::wire::link::Verdict;

/// The relay that is set up.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its address, as an admin typed it.
    pub url: String,
    /// What owners' links begin with, as the relay says; none before its first welcome.
    pub public_url: Option<String>,
    /// Which relay it is: its public key; none before its first welcome.
    pub relay_key: Option<[u8; 32]>,
    /// The pairing code that was typed, until it was used.
    pub pairing_code: Option<String>,
    /// Whether an admin said: this is the real one.
    pub claim: bool,
    /// Why the relay said no, until something is done about it.
    pub verdict: Option<Verdict>,
}

impl std::fmt::Debug for Settings {
    /// Without the pairing code: whoever has it may pair.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("url", &self.url)
            .field("claim", &self.claim)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

/// The relay that is set up, if one is.
pub fn settings(view: &View<'_>) -> Result<Option<Settings>, StoreError> {
    let mut query = view.conn.prepare_cached(
        "select url, public_url, relay_key, code, claim, verdict from relay
         where id = 1 and url is not null",
    )?;
    Ok(query
        .query_row([], |row| {
            Ok(Settings {
                url: row.get(0)?,
                public_url: row.get(1)?,
                relay_key: row.get(2)?,
                pairing_code: row.get(3)?,
                claim: row.get(4)?,
                verdict: row
                    .get::<_, Option<String>>(5)?
                    .and_then(|word| verdict_from_word(&word)),
            })
        })
        .optional()?)
}

/// Sets a relay up, or another address of it. Without a code it must be the relay that the box was
/// paired with before.
///
/// # Errors
/// Only what the disk says.
pub fn connect(tx: &mut WriteTx<'_>, url: &str, code: &str) -> CommandResult<()> {
    let code = Some(code.trim()).filter(|code| !code.is_empty());
    tx.conn
        .prepare_cached(
            "insert into relay (id, url, code, claim) values (1, ?1, ?2, 0)
             on conflict (id) do update set url = ?1, code = ?2, claim = 0, verdict = null",
        )?
        .execute(params![url, code])?;
    Ok(())
}

/// Lets go of the relay. Which one it was, and its newest grant, are kept for a return.
///
/// # Errors
/// Only what the disk says.
pub fn disconnect(tx: &mut WriteTx<'_>) -> CommandResult<()> {
    tx.conn
        .prepare_cached(
            "update relay set url = null, code = null, claim = 0, verdict = null where id = 1",
        )?
        .execute([])?;
    Ok(())
}

/// An admin says: this is the real one. It is said to the relay in the next session.
///
/// # Errors
/// Only what the disk says.
pub fn claim(tx: &mut WriteTx<'_>) -> CommandResult<()> {
    tx.conn
        .prepare_cached("update relay set claim = 1, verdict = null where id = 1")?
        .execute([])?;
    Ok(())
}

/// The relay said no. A code that it did not take is no use any more.
///
/// # Errors
/// Only what the disk says.
pub fn refused(tx: &mut WriteTx<'_>, verdict: Verdict) -> CommandResult<()> {
    tx.conn
        .prepare_cached(
            "update relay set verdict = ?1, code = case when ?2 then null else code end,
                 claim = 0 where id = 1",
        )?
        .execute(params![verdict_word(verdict), verdict == Verdict::BadCode])?;
    Ok(())
}

/// The relay said yes: its grant, and which relay it is. Another relay than before has nothing yet.
///
/// # Errors
/// Only what the disk says.
pub fn granted(
    tx: &mut WriteTx<'_>,
    lineage: &Lineage,
    membership: Option<&[u8]>,
    relay_key: &[u8; 32],
    public_url: &str,
) -> CommandResult<()> {
    tx.conn
        .prepare_cached(
            "update relay set
                 membership = case when relay_key is ?4 then coalesce(?3, membership) else ?3 end,
                 applied_log = case when relay_key is ?4 then applied_log end,
                 applied_seq = case when relay_key is ?4 then applied_seq end,
                 applied_chain = case when relay_key is ?4 then applied_chain end,
                 generation = ?1, nonce = ?2, relay_key = ?4, public_url = ?5,
                 code = null, claim = 0, verdict = null
             where id = 1",
        )?
        .execute(params![
            lineage.generation.cast_signed(),
            lineage.nonce,
            membership,
            relay_key,
            public_url,
        ])?;
    Ok(())
}

/// The word for a refusal; none for the two verdicts that are none.
const fn verdict_word(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Resume | Verdict::Restored => None,
        Verdict::Quarantined => Some("quarantined"),
        Verdict::Superseded => Some("superseded"),
        Verdict::Unknown => Some("unknown"),
        Verdict::BadCode => Some("bad_code"),
    }
}

fn verdict_from_word(word: &str) -> Option<Verdict> {
    [
        Verdict::Quarantined,
        Verdict::Superseded,
        Verdict::Unknown,
        Verdict::BadCode,
    ]
    .into_iter()
    .find(|verdict| verdict_word(*verdict) == Some(word))
}
