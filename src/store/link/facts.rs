//! What a hello says: where the journal ends, its incarnations, the newest grant.

use rusqlite::OptionalExtension;

use crate::domain::Seq;
use crate::seal::{Chain, Lineage, Position, SignedHead};
use crate::store::error::StoreError;
use crate::store::incarnations;
use crate::store::keys::BoxKeys;
use crate::store::tx::View;
use crate::wire::link::Incarnation;

/// What the box says of itself at the beginning of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkFacts {
    /// Where its journal ends.
    pub head: Position,
    /// Its incarnations, oldest first; the newest may have no entry yet.
    pub history: Vec<Incarnation>,
    /// The newest grant that it has stored.
    pub lineage: Option<Lineage>,
    /// The relay's proof that this workshop may use it.
    pub membership: Option<Vec<u8>>,
}

/// What the box says of itself.
pub fn facts(view: &View<'_>) -> Result<LinkFacts, StoreError> {
    let history = incarnations::all(view.conn)?
        .into_iter()
        .map(|(first, log)| Incarnation {
            log,
            first: Seq(first),
        })
        .collect();
    let mut query = view
        .conn
        .prepare_cached("select generation, nonce, membership from relay where id = 1")?;
    let granted = query
        .query_row([], |row| {
            let generation: Option<i64> = row.get(0)?;
            let nonce: Option<[u8; 16]> = row.get(1)?;
            let lineage = generation.zip(nonce).map(|(generation, nonce)| Lineage {
                generation: generation.cast_unsigned(),
                nonce,
            });
            Ok((lineage, row.get(2)?))
        })
        .optional()?;
    let (lineage, membership) = granted.unwrap_or((None, None));
    Ok(LinkFacts {
        head: incarnations::head(view.conn)?,
        history,
        lineage,
        membership,
    })
}

/// The journal's chain at some positions, in their order; none where there is no such entry.
pub fn chains(view: &View<'_>, seqs: &[Seq]) -> Result<Vec<Option<Chain>>, StoreError> {
    seqs.iter()
        .map(|seq| Ok(incarnations::chain_at(view.conn, *seq)?))
        .collect()
}

/// The box's word that it wrote everything up to a position.
pub fn sign(keys: &BoxKeys, position: Position) -> SignedHead {
    SignedHead::sign(keys.link_key(), position)
}
