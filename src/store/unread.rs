//! The red dots: what somebody has not read yet, over all their requests.

use rusqlite::params;

use super::error::StoreError;
use super::messages;
use super::tx::View;
use super::words::side_word;
use crate::domain::{Actor, MessageId, RequestId, Role, Scope, Unread, UnreadItem};

/// Requests listed in a summary, newest first; the total counts all of them.
const ITEMS_MAX: usize = 200;

/// What this actor has not read. For staff that is what nobody of the workshop has read; mechanics
/// count only their own jobs.
pub fn summary(view: &View<'_>, actor: &Actor) -> Result<Unread, StoreError> {
    let side = actor.side();
    let (unread, other_party, whose) = match actor.role {
        Role::Admin => ("r.workshop_unread", "o.full_name", "?1 = ?1"),
        Role::Mechanic => ("r.workshop_unread", "o.full_name", "r.assigned_to = ?1"),
        Role::Owner => ("r.user_unread", "w.name", "r.owner_id = ?1"),
    };
    let only = match actor.scope {
        Scope::Everything => None,
        Scope::Only(request) => Some(request.0),
    };
    let unread_ones =
        format!("from request r where {unread} > 0 and {whose} and (?2 is null or r.id = ?2)");
    let total = view
        .conn
        .prepare_cached(&format!("select coalesce(sum({unread}), 0) {unread_ones}"))?
        .query_row(params![actor.id.0, only], |row| row.get(0))?;
    // Of the requests with the newest messages, the newest message of the other side: it is looked
    // for from the end of the conversation.
    let mut query = view.conn.prepare_cached(&format!(
        "select r.id, {other_party}, {unread},
                (select m.seq from message m
                 where m.request_id = r.id and m.erased_why is null and m.side <> ?3
                 order by m.seq desc limit 1) as newest
         from (select * {unread_ones} order by r.last_message_seq desc limit {ITEMS_MAX}) r
         join person o on o.id = r.owner_id
         join workshop w on w.id = 1
         where newest is not null
         order by newest desc"
    ))?;
    let rows = query
        .query_map(params![actor.id.0, only, side_word(side)], |row| {
            Ok((
                RequestId(row.get(0)?),
                row.get(1)?,
                row.get(2)?,
                MessageId(row.get(3)?),
            ))
        })?
        .collect::<Result<Vec<(RequestId, String, i64, MessageId)>, _>>()?;
    let mut items = Vec::with_capacity(rows.len());
    for (request, other_party, count, newest) in rows {
        if let Some(message) = messages::load(view, newest)? {
            let excerpt = message.content.excerpt();
            items.push(UnreadItem {
                request,
                other_party,
                count,
                excerpt,
                at: message.at,
            });
        }
    }
    Ok(Unread { total, items })
}
