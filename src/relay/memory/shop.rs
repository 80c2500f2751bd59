//! One workshop in the reference: its journal, its runs, its mailbox.

use std::collections::{BTreeMap, BTreeSet};

use super::{All, Run, Shop, Waiting};
use crate::domain::{EventId, RequestKey, Seq, Timestamp, WorkshopKey};
use crate::relay::judge::judge;
use crate::relay::limits::{
    MESSAGE, POST_BYTES_PER_WORKSHOP_MAX, POST_KEPT_MS, POSTS_PER_INVITE_MAX,
    POSTS_PER_WORKSHOP_MAX, REFUSED_PER_INVITE_MAX,
};
use crate::relay::lineage::Standing;
use crate::relay::store::{Appended, Posted, Wake, incarnation_at};
use crate::seal::{Chain, Clear, Position, SealedPost};
use crate::wire::link::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Entries, Given, GivenEntry, Incarnation,
};

impl Shop {
    pub(super) fn new(standing: Standing) -> Self {
        Self {
            standing,
            entries: Vec::new(),
            head: None,
            history: Vec::new(),
            runs: Vec::new(),
            erased: BTreeSet::new(),
            posts: BTreeMap::new(),
            line: Seq(0),
            closed: BTreeSet::new(),
            doors: Vec::new(),
            seen_ms: 0,
            forks: 0,
        }
    }

    pub(super) fn seq(&self) -> Seq {
        Seq(i64::try_from(self.entries.len()).unwrap())
    }

    pub(super) fn chain_at(&self, seq: Seq) -> Option<Chain> {
        match seq.0 {
            0 => Some(Chain::GENESIS),
            at => {
                let at = usize::try_from(at).ok()? - 1;
                self.entries.get(at).map(|(_, entry)| entry.chain)
            }
        }
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.entries.last().map(|(log, entry)| Position {
            log: *log,
            seq: entry.seq,
            chain: entry.chain,
        })
    }

    pub(super) fn contains(&self, id: EventId) -> bool {
        self.entries.iter().any(|(_, entry)| entry.id == id)
    }

    pub(super) fn unsettled(&self) -> usize {
        let entries = self.runs.iter().flat_map(|run| &run.entries);
        entries.filter(|given| !given.settled).count()
    }

    fn erase(&mut self, id: EventId) {
        self.erased.insert(id);
        let here = self.entries.iter_mut().map(|(_, entry)| entry);
        let runs = self.runs.iter_mut().flat_map(|run| &mut run.entries);
        for entry in here.chain(runs.map(|given| &mut given.entry)) {
            if entry.id == id {
                entry.body = None;
            }
        }
    }

    pub(super) fn place(&self, id: EventId) -> Option<i64> {
        let found = self.posts.iter().find(|(_, waiting)| waiting.post.id == id);
        found.map(|(place, _)| *place)
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.posts.values().filter(|post| post.refused.is_none())
    }

    /// The runs with their entries, as they are given back: oldest first, then the tail; or the tail
    /// as the beginning of the run that proves it.
    pub(super) fn runs_with_tail(&self, common: Seq) -> Vec<Run> {
        let mut runs = self.runs.clone();
        let common = Seq(common.0.max(0));
        let Some(begins) = self.chain_at(common).filter(|_| common < self.seq()) else {
            return runs;
        };
        let tail = self.tail(common);
        match self.head {
            Some(ends) => runs.push(Run {
                begins,
                entries: tail,
                ends,
            }),
            None => {
                let proves = self.position().unwrap().chain;
                let run = runs.iter_mut().rfind(|run| run.begins == proves).unwrap();
                run.begins = begins;
                run.entries.splice(0..0, tail);
            }
        }
        runs
    }

    fn tail(&self, common: Seq) -> Vec<GivenEntry> {
        let tail = self.entries.iter().filter(|(_, entry)| entry.seq > common);
        tail.map(|(log, entry)| GivenEntry {
            log: *log,
            entry: entry.clone(),
            settled: false,
        })
        .collect()
    }

    pub(super) fn append(
        &mut self,
        all: &mut All,
        workshop: WorkshopKey,
        batch: Entries,
        wakes: &mut Vec<Wake>,
    ) -> Appended {
        let end = self.position();
        let reached = match judge(end, &self.history, &self.standing.public_key, &batch) {
            Ok(reached) => reached,
            Err(why) => return why,
        };
        if batch.entries.iter().any(|entry| self.contains(entry.id)) {
            return Appended::Forged;
        }
        if end.is_none_or(|end| end.log != batch.log) {
            self.history.push(Incarnation {
                log: batch.log,
                first: Seq(self.seq().0 + 1),
            });
            wakes.push(Wake::Workshop(workshop));
        }
        for mut entry in batch.entries {
            if self.erased.contains(&entry.id) {
                entry.body = None;
            }
            for given in self.runs.iter_mut().flat_map(|run| &mut run.entries) {
                if given.entry.id == entry.id {
                    given.settled = true;
                    given.entry.body = None;
                }
            }
            self.posts.retain(|_, waiting| waiting.post.id != entry.id);
            wakes.extend(all.grant(workshop, &entry).map(Wake::Revoked));
            wakes.extend(entry.thread.map(|thread| Wake::Thread(workshop, thread)));
            let clear = entry.clear.clone();
            self.entries.push((batch.log, entry));
            if let Some(Clear::Erased { event }) = clear {
                self.erase(event);
            }
        }
        self.runs
            .retain(|run| run.entries.iter().any(|given| !given.settled));
        self.head = Some(batch.head);
        Appended::Applied(reached)
    }

    pub(super) fn fork(&mut self, common: Position) -> Option<Position> {
        let log = incarnation_at(&self.history, common.seq);
        let here = self.chain_at(common.seq) == Some(common.chain)
            && (common.seq.0 == 0 || log == Some(common.log));
        if here && common.seq < self.seq() {
            self.runs = self.runs_with_tail(common.seq);
            self.entries.retain(|(_, entry)| entry.seq <= common.seq);
            self.history.retain(|each| each.first <= common.seq);
            self.head = None;
            self.line = self.line.min(common.seq);
            self.forks += 1;
        }
        here.then_some(common)
    }

    pub(super) fn trim(&mut self, now: Timestamp) {
        let old = now.0 - POST_KEPT_MS;
        self.posts.retain(|_, waiting| waiting.kept_ms > old);
        let line = self.line;
        let later = self.entries.iter().filter(|(_, entry)| entry.seq > line);
        let alive: BTreeSet<_> = later.filter_map(|(_, entry)| entry.thread).collect();
        for (_, entry) in &mut self.entries {
            let closed = entry
                .thread
                .is_some_and(|it| self.closed.contains(&it) && !alive.contains(&it));
            if closed && entry.kind == MESSAGE {
                entry.body = None;
            }
        }
    }

    pub(super) fn post(&mut self, place: i64, post: SealedPost, now: Timestamp) -> Posted {
        if self.contains(post.id) {
            return Posted::InJournal;
        }
        if self.waiting().any(|waiting| waiting.post.id == post.id) {
            return Posted::Kept;
        }
        let count = |posts: usize| i64::try_from(posts).unwrap();
        let of_invite = self
            .waiting()
            .filter(|waiting| waiting.post.invite == post.invite);
        let bytes: usize = self.waiting().map(|it| it.post.sealed.len()).sum();
        if count(of_invite.count()) >= POSTS_PER_INVITE_MAX
            || count(self.waiting().count()) >= POSTS_PER_WORKSHOP_MAX
            || count(bytes + post.sealed.len()) > POST_BYTES_PER_WORKSHOP_MAX
        {
            return Posted::TooMany;
        }
        self.posts.retain(|_, waiting| waiting.post.id != post.id);
        let waiting = Waiting {
            post,
            refused: None,
            kept_ms: now.0,
        };
        self.posts.insert(place, waiting);
        Posted::Kept
    }

    pub(super) fn refuse(&mut self, id: EventId, why: String) -> Option<RequestKey> {
        let waiting = self.posts.get_mut(&self.place(id)?)?;
        if waiting.refused.is_some() {
            return None;
        }
        waiting.refused = Some(why);
        let (thread, invite) = (waiting.post.thread, waiting.post.invite);
        let mut left = REFUSED_PER_INVITE_MAX;
        let mut gone = BTreeSet::new();
        for (place, waiting) in self.posts.iter().rev() {
            if waiting.refused.is_some() && waiting.post.invite == invite {
                left -= 1;
                gone.extend((left < 0).then_some(*place));
            }
        }
        self.posts.retain(|place, _| !gone.contains(place));
        Some(thread)
    }
}

/// A page of what is given back; the cursor is the run's number and the entry's in it.
pub(super) fn page_of(runs: &[Run], cursor: Option<&[u8]>) -> Given {
    let at = |bytes: &[u8]| usize::from_be_bytes(bytes.try_into().unwrap());
    let (run, from) = cursor.map_or((0, 0), |cursor| (at(&cursor[..8]), at(&cursor[8..])));
    let cursor = |run: usize, from: usize| [run.to_be_bytes(), from.to_be_bytes()].concat();
    let Some(found) = runs.get(run) else {
        return Given {
            begins: None,
            entries: Vec::new(),
            ends: None,
            next: None,
        };
    };
    let mut size = 0;
    let entries: Vec<_> = found.entries[from..]
        .iter()
        .take(BATCH_ENTRIES_MAX)
        .take_while(|given| {
            let first = size == 0;
            size += given.entry.size();
            first || size <= BATCH_BYTES_MAX
        })
        .cloned()
        .collect();
    let to = from + entries.len();
    let ended = to == found.entries.len();
    let next = if ended {
        (run + 1 < runs.len()).then(|| cursor(run + 1, 0))
    } else {
        Some(cursor(run, to))
    };
    Given {
        begins: (from == 0).then_some(found.begins),
        entries,
        ends: Some(found.ends),
        next,
    }
}
