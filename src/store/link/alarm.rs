//! The admin's link to the silence alarm: whoever opens it on a phone is told by the relay when this
//! box is not heard of for an hour.
//!
//! Its secret is derived from the root secret and a round that is counted here, so that the link can
//! be shown again; a new round makes a new link, and phones that opened the old one are forgotten.

use rusqlite::{Connection, OptionalExtension};

use crate::store::error::StoreError;
use crate::store::local;
use crate::store::tx::{View, WriteTx};

/// In `local_state`: the number of the newest link, from 1.
const ROUND: &str = "alarm_round";
/// In `local_state`: whether it opens anything, `yes` or `no`.
const ON: &str = "alarm_on";
/// What the secret is derived for.
const PURPOSE: &str = "silence-alarm";

/// The secret of the admin's link; none while nobody is to be told.
///
/// # Errors
/// The disk cannot be read.
pub fn alarm_secret(view: &View<'_>) -> Result<Option<[u8; 32]>, StoreError> {
    if noted(view.conn, ON)?.as_deref() != Some("yes") {
        return Ok(None);
    }
    let round = round(view.conn)?;
    let key = view.keys.secret(&format!("{PURPOSE} {round}"));
    Ok(Some(*key.as_bytes()))
}

/// Switches the alarm on with a new link, or off. Either way the old link opens nothing any more.
///
/// # Errors
/// Only what the disk says.
pub fn set_alarm(tx: &WriteTx<'_>, on: bool) -> Result<(), StoreError> {
    if on {
        let next = round(tx.conn)? + 1;
        local::note(tx, ROUND, &next.to_string())?;
    }
    local::note(tx, ON, if on { "yes" } else { "no" })
}

fn round(conn: &Connection) -> Result<i64, StoreError> {
    let round = noted(conn, ROUND)?.and_then(|text| text.parse().ok());
    Ok(round.unwrap_or(0))
}

fn noted(conn: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let mut query = conn.prepare_cached("select value from local_state where name = ?1")?;
    Ok(query.query_row([name], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use crate::clock::Clock;
    use crate::store::{DataDir, Store};

    use super::*;

    #[tokio::test]
    async fn every_link_is_new_and_the_present_one_can_be_shown_again() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::new(temp.path());
        let store = Store::open(dir, Clock::system(), Box::new(|_| {})).unwrap();
        let secret = || async { store.read(alarm_secret).await.unwrap() };
        let set = |on| store.write(move |tx| Ok(set_alarm(tx, on)?));
        assert_eq!(secret().await, None);
        set(true).await.unwrap();
        let first = secret().await.unwrap();
        assert_eq!(secret().await, Some(first));
        set(false).await.unwrap();
        assert_eq!(secret().await, None);
        set(true).await.unwrap();
        assert_ne!(secret().await, Some(first));
        store.close().await;
    }
}
