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
    let (owner, assigned) = match actor.role {
        Role::Admin => (None, None),
        Role::Mechanic => (None, Some(actor.id.0)),
        Role::Owner => (Some(actor.id.0), None),
    };
    let only = match actor.scope {
        Scope::Everything => None,
        Scope::Only(request) => Some(request.0),
    };
    // The newest message of the other side is looked for from the end of the conversation.
    let mut query = view.conn.prepare_cached(
        "select r.id, case ?1 when 'user' then w.name else o.full_name end,
                case ?1 when 'user' then r.user_unread else r.workshop_unread end as unread,
                (select m.seq from message m
                 where m.request_id = r.id and m.erased_why is null and m.side <> ?1
                 order by m.seq desc limit 1) as newest
         from request r
         join person o on o.id = r.owner_id
         join workshop w on w.id = 1
         where unread > 0
           and (?2 is null or r.owner_id = ?2)
           and (?3 is null or r.assigned_to = ?3)
           and (?4 is null or r.id = ?4)
         order by newest desc",
    )?;
    let rows = query
        .query_map(params![side_word(side), owner, assigned, only], |row| {
            Ok((
                RequestId(row.get(0)?),
                row.get(1)?,
                row.get(2)?,
                MessageId(row.get(3)?),
            ))
        })?
        .collect::<Result<Vec<(RequestId, String, i64, MessageId)>, _>>()?;
    let total = rows.iter().map(|(_, _, count, _)| count).sum();
    let mut items = Vec::with_capacity(rows.len().min(ITEMS_MAX));
    for (request, other_party, count, newest) in rows.into_iter().take(ITEMS_MAX) {
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
