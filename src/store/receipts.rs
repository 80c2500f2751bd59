//! Who has read a conversation, and up to where.

use rusqlite::{OptionalExtension, Row, params};

use super::error::StoreError;
use super::tx::View;
use super::words::{side_from_word, side_word};
use crate::domain::{MessageId, Receipt, RequestId, Seq, Side, Timestamp};

const RECEIPT: &str = "select t.side, p.full_name, t.up_to_seq, t.at_ms, t.seq
    from receipt t join person p on p.id = t.person_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Receipt> {
    let side: String = row.get(0)?;
    Ok(Receipt {
        side: side_from_word(&side).ok_or(rusqlite::Error::InvalidQuery)?,
        name: row.get(1)?,
        up_to: MessageId(row.get(2)?),
        at: Timestamp(row.get(3)?),
        rev: Seq(row.get(4)?),
    })
}

/// The receipt that stands at this position of the journal.
pub(super) fn at(view: &View<'_>, seq: Seq) -> Result<Option<Receipt>, StoreError> {
    let mut query = view
        .conn
        .prepare_cached(&format!("{RECEIPT} where t.seq = ?1"))?;
    Ok(query.query_row([seq.0], from_row).optional()?)
}

/// How far each side has read, as far as they have read at all.
pub fn newest(view: &View<'_>, request: RequestId) -> Result<Vec<Receipt>, StoreError> {
    let sql = format!(
        "{RECEIPT} where t.request_id = ?1 and t.side = ?2 order by t.up_to_seq desc, t.seq limit 1"
    );
    let mut query = view.conn.prepare_cached(&sql)?;
    let mut receipts = Vec::with_capacity(2);
    for side in [Side::User, Side::Workshop] {
        receipts.extend(
            query
                .query_row(params![request.0, side_word(side)], from_row)
                .optional()?,
        );
    }
    Ok(receipts)
}
