//! When the copies disagree: the last common position is found, what is missing here comes back, and
//! one transaction makes one journal of both (`sync.md` §4).

use super::{BoxEnd, State};
use crate::domain::Seq;
use crate::seal::{Chain, Position};
use crate::sync::link::End;
use crate::sync::link::box_wishes::{Adopted, BoxNews, BoxOrder};
use crate::sync::link::search::Search;
use crate::wire::link::{Applied, Fork, Frame, GiveBack, Given, Probe};

impl BoxEnd {
    pub(super) fn compare(&mut self) {
        let search = Search::new(self.facts.head.seq.min(self.relay_end.seq));
        self.search_on(search);
    }

    pub(super) fn search_on(&mut self, mut search: Search) {
        if let Some(common) = search.found() {
            return self.take_back(common);
        }
        let seqs = search.ask().to_vec();
        self.store(BoxOrder::Chains(seqs.clone()));
        self.send(Frame::Probe(Probe { seqs }));
        self.state = State::Comparing {
            search,
            ours: None,
            theirs: None,
        };
    }

    pub(super) fn compared(
        &mut self,
        mut search: Search,
        ours: Option<Vec<Option<Chain>>>,
        theirs: Option<Vec<Option<Chain>>>,
    ) {
        if let (Some(ours), Some(theirs)) = (&ours, &theirs) {
            search.compare(ours, theirs);
            return self.search_on(search);
        }
        self.state = State::Comparing {
            search,
            ours,
            theirs,
        };
    }

    pub(super) fn take_back(&mut self, common: Seq) {
        self.state = State::Clearing { common };
        self.store(BoxOrder::Clear);
    }

    pub(super) fn ask_back(&mut self, common: Seq, cursor: Option<Vec<u8>>) {
        self.state = State::TakingBack { common };
        self.send(Frame::GiveBack(GiveBack { common, cursor }));
    }

    pub(super) fn given(&mut self, common: Seq, given: Given) {
        let next = given.next.clone();
        self.state = State::Staging { common, next };
        self.store(BoxOrder::Stage(Box::new(given)));
    }

    pub(super) fn adopted(&mut self, adopted: Adopted) {
        self.tell(BoxNews::Merged(adopted));
        match adopted {
            Adopted::Kept | Adopted::FastForward => self.live(self.relay_end),
            Adopted::Forked(common) => {
                self.state = State::Forking { common };
                self.send(Frame::Fork(Fork { common }));
            }
        }
    }

    pub(super) fn forked(&mut self, common: Position, applied: Applied) {
        if applied.rewind || applied.position != Some(common) {
            return self.end(End::Rewound);
        }
        self.live(common);
    }
}
