//! Which backups are too many. A clock never causes one to be removed: what was made while the time was
//! not sure, or is said to come from the future, is counted by itself, by how far its journal goes.

use std::collections::BTreeSet;

use super::folder::Found;
use super::name::utc;
use crate::domain::{KeepRules, Timestamp};

/// Further ahead than any time zone or summer time: that clock was wrong.
const AHEAD_MS_MAX: i64 = 36 * 3_600 * 1_000;

/// The present, and whether this box has been told it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Present {
    /// Now.
    pub(super) now: Timestamp,
    /// Whether that can be trusted.
    pub(super) is_sure: bool,
}

/// The names of those that may be removed, of files that are ours. `proven` is the newest that was
/// proven, and stays whatever the rules say.
pub(super) fn too_many(
    files: &[Found],
    proven: &str,
    rules: KeepRules,
    present: Present,
) -> Vec<String> {
    let is_dated = |file: &&Found| {
        file.clock_was_sure && (!present.is_sure || file.made <= present.now.plus_ms(AHEAD_MS_MAX))
    };
    let (dated, undated): (Vec<_>, Vec<_>) = files.iter().partition(is_dated);
    let mut names = undated_too_many(undated, rules);
    // While nobody told this box the time, it cannot tell which days are long ago.
    if present.is_sure {
        names.extend(dated_too_many(dated, rules));
    }
    names.retain(|name| name != proven);
    names
}

fn undated_too_many(mut files: Vec<&Found>, rules: KeepRules) -> Vec<String> {
    files.sort_by_key(|file| std::cmp::Reverse((file.seq, file.made)));
    // A box that never had a line to the world has no others: as many as it would keep with dates.
    let KeepRules {
        daily,
        weekly,
        monthly,
    } = rules;
    let kept = daily.saturating_add(weekly).saturating_add(monthly).max(1) as usize;
    files
        .into_iter()
        .skip(kept)
        .map(|file| file.name.clone())
        .collect()
}

fn dated_too_many(mut files: Vec<&Found>, rules: KeepRules) -> Vec<String> {
    files.sort_by_key(|file| std::cmp::Reverse((file.made, file.seq)));
    let mut days = Newest::of(rules.daily.max(1));
    let mut weeks = Newest::of(rules.weekly);
    let mut months = Newest::of(rules.monthly);
    let mut names = Vec::new();
    for file in files {
        let Some(at) = utc(file.made) else {
            continue;
        };
        let week = at.date().iso_week_date();
        // Each is asked, whatever the others say.
        let kept = [
            days.takes((at.year().into(), at.month().into(), at.day().into())),
            weeks.takes((week.year().into(), week.week().into(), 0)),
            months.takes((at.year().into(), at.month().into(), 0)),
        ];
        if !kept.contains(&true) {
            names.push(file.name.clone());
        }
    }
    names
}

/// Takes the newest of each of so many days, weeks or months.
struct Newest {
    taken: BTreeSet<(i32, i32, i32)>,
    most: usize,
}

impl Newest {
    const fn of(most: u32) -> Self {
        Self {
            taken: BTreeSet::new(),
            most: most as usize,
        }
    }

    fn takes(&mut self, when: (i32, i32, i32)) -> bool {
        self.taken.len() < self.most && self.taken.insert(when)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 3_600 * 1_000;
    /// 2026-11-25T02:30Z, a Wednesday.
    const NOW: Timestamp = Timestamp(1_795_573_800_000);
    const SURE: Present = Present {
        now: NOW,
        is_sure: true,
    };

    fn made(days_ago: i64) -> Found {
        Found {
            name: format!("{days_ago:+}"),
            made: NOW.plus_ms(-days_ago * DAY_MS),
            clock_was_sure: true,
            seq: 10_000 - days_ago,
            bytes: 1,
            sealed: true,
        }
    }

    fn kept(files: &[Found], rules: KeepRules, present: Present) -> Vec<String> {
        let gone = too_many(files, "+0", rules, present);
        files
            .iter()
            .map(|file| file.name.clone())
            .filter(|name| !gone.contains(name))
            .collect()
    }

    #[test]
    fn of_a_year_of_nights_days_weeks_and_months_are_kept() {
        let files: Vec<_> = (0..365).map(made).collect();
        let kept = kept(&files, KeepRules::default(), SURE);
        // Seven days; the newest of each of four weeks (this Wednesday, then Sundays); the newest of six months.
        assert_eq!(
            kept,
            [
                "+0", "+1", "+2", "+3", "+4", "+5", "+6", "+10", "+17", "+25", "+56", "+86",
                "+117", "+148"
            ]
        );
    }

    #[test]
    fn a_box_that_was_off_for_a_year_removes_nothing_by_age() {
        let files: Vec<_> = (0..7).map(|day| made(400 + day)).chain([made(0)]).collect();
        let rules = KeepRules {
            daily: 7,
            weekly: 0,
            monthly: 0,
        };
        // One of them gives way to the new one, and no more.
        assert_eq!(too_many(&files, "+0", rules, SURE), ["+406"]);
    }

    #[test]
    fn a_clock_never_causes_one_to_be_removed() {
        let files: Vec<_> = (0..5).map(made).collect();
        let rules = KeepRules {
            daily: 5,
            weekly: 0,
            monthly: 0,
        };
        // From 2040, sure of itself; and from 1970, which knows that it does not know.
        let mut future: Vec<_> = (1..=9).map(|night| made(-5_000 - night)).collect();
        for file in &mut future {
            file.seq = 1;
        }
        let mut past: Vec<_> = (0..3).map(|night| made(20_000 + night)).collect();
        for file in &mut past {
            file.clock_was_sure = false;
        }
        let all: Vec<_> = [files.clone(), future, past].concat();
        let gone = too_many(&all, "+0", rules, SURE);
        for file in &files {
            assert!(!gone.contains(&file.name), "{gone:?}");
        }
        // The others are thinned out by themselves: five of twelve are left.
        assert_eq!(gone.len(), 7);

        // A box that is in 1970 now removes nothing that has a date.
        let lost = Present {
            now: Timestamp(0),
            is_sure: false,
        };
        let many: Vec<_> = (0..100).map(made).collect();
        assert_eq!(too_many(&many, "+0", rules, lost), Vec::<String>::new());
    }

    #[test]
    fn the_newest_proven_one_stays_whatever_the_rules_say() {
        let files: Vec<_> = (0..3).map(made).collect();
        let rules = KeepRules {
            daily: 1,
            weekly: 0,
            monthly: 0,
        };
        assert_eq!(too_many(&files, "+2", rules, SURE), ["+1"]);
    }
}
