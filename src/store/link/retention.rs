//! What a relay may forget the words of (`sync.md` §8): threads that were closed long ago, as far as a
//! backup that was proven has them. Without such a backup the relay may be the only other copy, and
//! forgets nothing.

use rusqlite::{OptionalExtension, params};

use crate::domain::{RequestKey, Seq, Status, Timestamp};
use crate::store::error::StoreError;
use crate::store::tx::{View, WriteTx};

/// How far the newest proven backup reaches, in `local_state`.
pub(in crate::store) const BACKED_UP: &str = "backup_proven_up_to";

/// The last position that a proven backup has, and the closed threads that nothing happened in since
/// `before`; at most `threads_max` of them. `None`: nothing may be forgotten.
pub fn retention(
    view: &View<'_>,
    before: Timestamp,
    threads_max: usize,
) -> Result<Option<(Seq, Vec<RequestKey>)>, StoreError> {
    let line: Option<String> = view
        .conn
        .prepare_cached("select value from local_state where name = ?1")?
        .query_row([BACKED_UP], |row| row.get(0))
        .optional()?;
    let Some(line) = line.and_then(|line| line.parse().ok()) else {
        return Ok(None);
    };
    let closed = [Status::Verified, Status::Cancelled, Status::Expired]
        .map(|status| format!("'{}'", status.word()));
    let sql = format!(
        "select key from request where status in ({}) and active_ms < ?1 and activity_seq <= ?2
         order by activity_seq limit ?3",
        closed.join(", ")
    );
    let limit = i64::try_from(threads_max).unwrap_or(i64::MAX);
    let keys = view
        .conn
        .prepare_cached(&sql)?
        .query_map(params![before.0, line, limit], |row| {
            row.get(0).map(RequestKey::from_bytes)
        })?
        .collect::<Result<_, _>>()?;
    Ok(Some((Seq(line), keys)))
}

/// Entries after a position were put elsewhere: what a backup has there is something else now.
pub(super) fn proven_at_most(tx: &WriteTx<'_>, common: Seq) -> Result<(), StoreError> {
    tx.conn
        .prepare_cached(
            "update local_state set value = ?2 where name = ?1 and cast(value as integer) > cast(?2 as integer)",
        )?
        .execute(params![BACKED_UP, common.to_string()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::commands::{ChangeRequest, Customer, OpenRequest, SetUp};
    use crate::domain::{Actor, Description, EventId, FullName, LogId, Plate, Username, Vehicle};
    use crate::seal::RootSecret;
    use crate::store::memory::MemoryStore;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn only_closed_threads_that_a_proven_backup_has_may_be_forgotten() {
        let log = LogId::from_bytes([1; 16]);
        let root = RootSecret::from_bytes([7; 32]);
        let store = MemoryStore::new(root, log, Clock::manual(NOW));
        let set_up = SetUp {
            workshop_name: FullName::parse("Nair Motors").unwrap(),
            full_name: FullName::parse("Meera Nair").unwrap(),
            username: Username::parse("meera").unwrap(),
            password_hash: "none".to_owned(),
        };
        store.write(|tx| set_up.run(tx)).unwrap();
        let opened = [1_u8, 2].map(|number| {
            let open = OpenRequest {
                id: EventId::from_bytes([number; 16]),
                customer: Customer::Named {
                    full_name: FullName::parse("Asha").unwrap(),
                    phone: None,
                    email: None,
                },
                vehicle: Vehicle {
                    plate: Plate::parse("KL 07 AB 1234").unwrap().into_string(),
                    make: None,
                    model: None,
                    year: None,
                },
                description: Description::parse("Brakes").unwrap(),
                assign_to: None,
            };
            store.write(|tx| open.run(tx, &Actor::the_box())).unwrap()
        });
        let cancel = ChangeRequest {
            status: Some(Status::Cancelled),
            ..ChangeRequest::default()
        };
        let first = opened[0].request.id;
        store
            .write(|tx| cancel.run(tx, &Actor::the_box(), first))
            .unwrap();
        let later = NOW.plus_ms(1);
        let ask = || store.read(|view| retention(view, later, 10)).unwrap();
        assert_eq!(ask(), None);

        let proven = |seq: i64| {
            store
                .write(|tx| {
                    tx.conn
                        .execute(
                            "insert into local_state (name, value) values (?1, ?2)
                             on conflict (name) do update set value = excluded.value",
                            params![BACKED_UP, seq.to_string()],
                        )
                        .unwrap();
                    Ok(())
                })
                .unwrap();
        };
        proven(3);
        assert_eq!(ask(), Some((Seq(3), Vec::new())));
        proven(100);
        assert_eq!(ask(), Some((Seq(100), vec![opened[0].request.key])));
        let earlier = store.read(|view| retention(view, NOW, 10)).unwrap();
        assert_eq!(earlier, Some((Seq(100), Vec::new())));
    }
}
