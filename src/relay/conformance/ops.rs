//! What may happen to a relay's store, in any order (`random`).

use proptest::collection::vec;
use proptest::prelude::*;

/// Copies of boxes: the first three of one workshop, the last of another.
pub(super) const PENS: usize = 4;

#[derive(Clone, Debug)]
pub(super) enum Op {
    Enter {
        pen: usize,
        claim: bool,
        days: i64,
    },
    /// The grant is stored, but the relay is not told.
    EnterUnconfirmed {
        pen: usize,
    },
    Write {
        pen: usize,
        first: u64,
        count: u64,
        thread: Option<u64>,
    },
    Say {
        pen: usize,
        number: u64,
        clear: u8,
        of: u64,
    },
    Incarnate {
        pen: usize,
    },
    /// Sends from where the relay is, or from a little before or after.
    Send {
        pen: usize,
        off: i64,
        count: usize,
    },
    /// An admin says that this copy is the real one; all that it has is sent and then trimmed.
    Prevail {
        pen: usize,
        closed: Vec<u64>,
    },
    Fork {
        pen: usize,
        back: usize,
        follow: bool,
    },
    Copy {
        from: usize,
        to: usize,
    },
    Post {
        pen: usize,
        number: u64,
        of: u64,
    },
    Refuse {
        pen: usize,
        number: u64,
    },
    Retain {
        pen: usize,
        back: i64,
        closed: Vec<u64>,
    },
    Trim {
        pen: usize,
    },
    Subscribe {
        pen: usize,
        endpoint: u8,
        of: u64,
    },
    Shown {
        endpoint: u8,
        gone: bool,
    },
    /// The relay is backed up, or restored.
    Backup,
    Restore,
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let pen = || 0..PENS;
    prop_oneof![
        3 => (pen(), prop::bool::weighted(0.3), 0..40_i64)
            .prop_map(|(pen, claim, days)| Op::Enter { pen, claim, days }),
        1 => pen().prop_map(|pen| Op::EnterUnconfirmed { pen }),
        5 => (pen(), 0..400_u64, 1..70_u64, prop::option::of(0..3_u64))
            .prop_map(|(pen, first, count, thread)| Op::Write { pen, first, count, thread }),
        2 => (pen(), 400..440_u64, 0..3_u8, 0..440_u64)
            .prop_map(|(pen, number, clear, of)| Op::Say { pen, number, clear, of }),
        1 => pen().prop_map(|pen| Op::Incarnate { pen }),
        8 => (pen(), prop_oneof![9 => Just(0), 1 => -3..3_i64], 1..70_usize)
            .prop_map(|(pen, off, count)| Op::Send { pen, off, count }),
        3 => (pen(), vec(0..3_u64, 0..4)).prop_map(|(pen, closed)| Op::Prevail { pen, closed }),
        3 => (pen(), prop_oneof![4 => 0..12_usize, 1 => 0..200_usize], prop::bool::weighted(0.8))
            .prop_map(|(pen, back, follow)| Op::Fork { pen, back, follow }),
        1 => (0..3_usize, 0..3_usize).prop_map(|(from, to)| Op::Copy { from, to }),
        3 => (pen(), 0..440_u64, 0..4_u64).prop_map(|(pen, number, of)| Op::Post { pen, number, of }),
        1 => (pen(), 0..440_u64).prop_map(|(pen, number)| Op::Refuse { pen, number }),
        2 => (pen(), 0..40_i64, vec(0..3_u64, 0..4))
            .prop_map(|(pen, back, closed)| Op::Retain { pen, back, closed }),
        2 => pen().prop_map(|pen| Op::Trim { pen }),
        1 => (pen(), 0..3_u8, 0..4_u64)
            .prop_map(|(pen, endpoint, of)| Op::Subscribe { pen, endpoint, of }),
        1 => (0..3_u8, any::<bool>()).prop_map(|(endpoint, gone)| Op::Shown { endpoint, gone }),
        1 => Just(Op::Backup),
        1 => Just(Op::Restore),
    ]
}
