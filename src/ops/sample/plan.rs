//! When what happens in the sample: every request's story laid out in time, then all of them in one
//! order, so that the journal, the numbers of requests and the times on screen agree.

use super::stories::{self, Line, Misprint, Story};
use crate::domain::Timestamp;

const MINUTE_MS: i64 = 60 * 1_000;
/// The newest message of all is this old.
const NEWEST_AGE_MS: i64 = 4 * MINUTE_MS;
/// Conversations end this far apart, or closer where there are many.
const ENDS_APART_MS: i64 = 37 * MINUTE_MS;
/// All conversations end within this time.
const ENDS_WITHIN_MS: i64 = 5 * 24 * 60 * MINUTE_MS;
/// A conversation with more messages than this goes on for days.
const MESSAGES_OF_A_DAY: usize = 20;

/// One thing to do, with what follows from it at once.
#[derive(Debug)]
pub(super) struct Step {
    /// When it happens.
    pub(super) at: Timestamp,
    /// In which request of the sample, from 1.
    pub(super) request: u32,
    /// What.
    pub(super) deed: Deed,
    /// Readings and moves until the next message.
    pub(super) then: Vec<Line>,
}

/// What a step begins with.
#[derive(Debug)]
pub(super) enum Deed {
    /// The vehicle is taken in.
    Open {
        /// The job.
        story: Story,
        /// How often it was told before.
        told_before: usize,
    },
    /// A message is written.
    Say {
        /// Which message of the request, from 0.
        place: u16,
        /// Who writes.
        who: super::stories::Who,
        /// What, before names are filled in.
        text: &'static str,
    },
}

/// The steps of these requests in order of time, none before `from` or after `now`.
///
/// # Errors
/// The stories cannot be read.
pub(super) fn plan(
    requests: &[u32],
    from: Timestamp,
    now: Timestamp,
) -> Result<Vec<Step>, Misprint> {
    let stories = stories::all()?;
    let count = i64::try_from(requests.len()).unwrap_or(i64::MAX).max(1);
    let apart = ENDS_APART_MS.min(ENDS_WITHIN_MS / count);
    let mut steps = Vec::new();
    let mut opens_before = i64::MAX;
    // From the newest to the oldest, because numbers are given out in the order of opening.
    for (back, &number) in (0_i64..).zip(requests.iter().rev()) {
        let at = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let story = &stories[at % stories.len()];
        let end = now.0.saturating_sub(NEWEST_AGE_MS + back * apart);
        let mut told = tell(number, story, at / stories.len(), end);
        if let Some(open) = told.first_mut() {
            open.at.0 = open.at.0.min(opens_before - MINUTE_MS);
            opens_before = open.at.0;
        }
        steps.push(told);
    }
    let mut steps: Vec<Step> = steps.into_iter().rev().flatten().collect();
    for step in &mut steps {
        step.at = step.at.max(from).min(now);
    }
    // Stable: what happens at one moment stays in the order of requests, and of each story.
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

/// One story, its last message at `end_ms`.
fn tell(number: u32, story: &Story, told_before: usize, end_ms: i64) -> Vec<Step> {
    let step = |deed| Step {
        at: Timestamp(0),
        request: number,
        deed,
        then: Vec::new(),
    };
    let mut steps = vec![step(Deed::Open {
        story: story.clone(),
        told_before,
    })];
    let mut place = 0;
    for line in story.lines_told(told_before) {
        match *line {
            Line::Says(who, text) => {
                steps.push(step(Deed::Say { place, who, text }));
                place += 1;
            }
            Line::Reads(_) | Line::Becomes(_) => {
                if let Some(last) = steps.last_mut() {
                    last.then.push(*line);
                }
            }
        }
    }
    let slower = if steps.len() > MESSAGES_OF_A_DAY {
        5
    } else {
        1
    };
    let mut at = end_ms;
    for (back, step) in (0_i64..).zip(steps.iter_mut().rev()) {
        step.at = Timestamp(at);
        // Between two and twenty-eight minutes, never twice the same.
        at -= (2 + (i64::from(number) * 11 + back * 17) % 27) * slower * MINUTE_MS - back * 1_137;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_339_800_000);

    #[test]
    fn requests_open_in_the_order_of_their_numbers_and_stories_keep_theirs() {
        let requests: Vec<u32> = (1..=200).collect();
        let steps = plan(&requests, Timestamp(0), NOW).unwrap();
        let mut opened = 0;
        let mut said = vec![0; 201];
        for step in &steps {
            let request = step.request as usize;
            match step.deed {
                Deed::Open { .. } => {
                    assert_eq!(step.request, opened + 1);
                    opened = step.request;
                }
                Deed::Say { place, .. } => {
                    assert!(step.request <= opened);
                    assert_eq!(place, said[request]);
                    said[request] += 1;
                }
            }
        }
        assert_eq!(opened, 200);
        assert!(steps.is_sorted_by_key(|step| step.at) && steps.iter().all(|it| it.at < NOW));
    }

    #[test]
    fn nothing_happens_before_what_is_there_already_or_in_the_future() {
        let steps = plan(&[7, 8], NOW, NOW).unwrap();
        assert!(steps.len() > 4 && steps.iter().all(|step| step.at == NOW));
    }
}
