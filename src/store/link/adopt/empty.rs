//! Messages that came back without their words: the copy that still knew why is lost, or the relay had
//! kept them for as long as it may. The journal says itself that the words are gone, so that it proves
//! sound again and everybody shows the same.

use uuid::Uuid;

use crate::domain::{Actor, Event, EventId, RequestKey};
use crate::store::error::StoreError;
use crate::store::tx::WriteTx;

/// Messages looked at at once.
const PAGE_ROWS: i64 = 256;

/// Records for each of them that its words are gone.
pub(super) fn explain(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    loop {
        let empty = found(tx)?;
        if empty.is_empty() {
            return Ok(());
        }
        for (message, request) in empty {
            let id = EventId::new(Uuid::now_v7());
            let event = Event::MessageExpired { request, message };
            tx.record(id, &Actor::the_box(), &event)?;
        }
    }
}

fn found(tx: &WriteTx<'_>) -> Result<Vec<(EventId, RequestKey)>, StoreError> {
    let mut query = tx.conn.prepare_cached(
        "select e.id, r.key from message m
         join event e on e.seq = m.seq join request r on r.id = m.request_id
         where m.erased_why is null and e.body is null order by m.seq limit ?1",
    )?;
    let rows = query.query_map([PAGE_ROWS], |row| {
        Ok((
            EventId::from_bytes(row.get(0)?),
            RequestKey::from_bytes(row.get(1)?),
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
