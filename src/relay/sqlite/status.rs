//! What an operator is told, and whether the disk takes a write.

use rusqlite::Connection;

use super::trouble::Done;
use crate::domain::WorkshopKey;
use crate::relay::store::WorkshopLine;

/// Every workshop, in the order in which they entered.
pub(super) fn workshops(conn: &Connection) -> Done<Vec<WorkshopLine>> {
    let mut query = conn.prepare_cached(
        "select key, head_seq,
                (select coalesce(sum(length(body)), 0) from entry where workshop = n)
                    + (select coalesce(sum(length(body)), 0) from orphan where workshop = n)
                    + (select coalesce(sum(length(entries)), 0) from block where workshop = n),
                posts,
                (select min(kept_ms) from post where workshop = n and refused is null),
                (select count(*) from orphan where workshop = n and settled = 0),
                (select count(*) from invite where workshop = n and not revoked),
                seen_ms, quarantined, forks
         from workshop order by n",
    )?;
    let lines = query.query_map([], |row| {
        Ok(WorkshopLine {
            workshop: WorkshopKey::from_bytes(row.get(0)?),
            entries: row.get(1)?,
            bytes: row.get(2)?,
            posts: row.get(3)?,
            oldest_post_ms: row.get(4)?,
            orphans: row.get(5)?,
            invites: row.get(6)?,
            seen_ms: row.get(7)?,
            quarantined: row.get(8)?,
            forks: row.get(9)?,
        })
    })?;
    Ok(lines.collect::<Result<_, _>>()?)
}

/// A real write that changes nothing that anybody sees.
pub(super) fn probe(conn: &Connection) -> Done<()> {
    conn.prepare_cached("update probe set turn = turn + 1 where id = 1")?
        .execute([])?;
    Ok(())
}
