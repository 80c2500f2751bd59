//! What happens in the sample's requests: the jobs of `stories.txt`, told again with other people
//! when there are more requests than jobs.

use crate::domain::Status;

use super::Staff;

const TEXT: &str = include_str!("stories.txt");
/// Messages of the long story when it is told again; in full it is told once.
const MESSAGES_TOLD_AGAIN_MAX: usize = 10;

/// Who does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    /// The vehicle's owner.
    Owner,
    /// Somebody of the workshop.
    Works(Staff),
}

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// Somebody writes.
    Says(Who, &'static str),
    /// Somebody reads what there is.
    Reads(Who),
    /// The job moves on.
    Becomes(Status),
}

/// One job from the counter to wherever it is now.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// Vehicles that it may happen to: make, model, year.
    pub(super) vehicles: Vec<(&'static str, &'static str, i64)>,
    /// What is wrong, as it was written down at the counter.
    pub(super) fault: &'static str,
    /// Whose job it is.
    pub(super) mechanic: Option<Staff>,
    /// What happens.
    pub(super) lines: Vec<Line>,
}

impl Story {
    /// What happens when it is told for the n-th time after the first.
    pub(super) fn lines_told(&self, told_before: usize) -> &[Line] {
        if told_before == 0 {
            return &self.lines;
        }
        let mut says = self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.is_message());
        let end = says
            .nth(MESSAGES_TOLD_AGAIN_MAX)
            .map_or(self.lines.len(), |(at, _)| at);
        &self.lines[..end]
    }
}

impl Line {
    /// Whether somebody writes.
    pub(super) const fn is_message(self) -> bool {
        matches!(self, Self::Says(..))
    }
}

/// Every job of the sample, in the order in which requests tell them.
///
/// # Errors
/// Names the line of `stories.txt` that cannot be read; a test keeps it from happening.
pub(super) fn all() -> Result<Vec<Story>, Misprint> {
    let mut stories: Vec<Story> = Vec::new();
    for (number, line) in TEXT.lines().enumerate() {
        let misprint = Misprint { line: number + 1 };
        match line {
            "" => {}
            comment if comment.starts_with('#') => {}
            "job" => stories.push(Story::default()),
            line => {
                let story = stories.last_mut().ok_or(misprint)?;
                read_line(story, line).ok_or(misprint)?;
            }
        }
    }
    Ok(stories)
}

fn read_line(story: &mut Story, line: &'static str) -> Option<()> {
    if let Some((who, text)) = line.split_once(": ")
        && let Some(who) = who_is(who)
    {
        story.lines.push(Line::Says(who, text));
        return Some(());
    }
    let (word, rest) = line.split_once(' ')?;
    match word {
        "vehicle" => {
            let mut parts = rest.split(" | ");
            let (make, model, year) = (parts.next()?, parts.next()?, parts.next()?);
            story.vehicles.push((make, model, year.parse().ok()?));
        }
        "fault" => story.fault = rest,
        "mechanic" => match who_is(rest)? {
            Who::Works(staff) => story.mechanic = Some(staff),
            Who::Owner => return None,
        },
        "becomes" => story.lines.push(Line::Becomes(Status::from_word(rest)?)),
        "reads" => story.lines.push(Line::Reads(who_is(rest)?)),
        _ => return None,
    }
    Some(())
}

fn who_is(word: &str) -> Option<Who> {
    if word == "owner" {
        return Some(Who::Owner);
    }
    Staff::ALL
        .into_iter()
        .find(|staff| staff.username() == word)
        .map(Who::Works)
}

/// A line of `stories.txt` that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line} of the sample's stories cannot be read")]
pub(super) struct Misprint {
    line: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Body, Description, VehicleText};

    #[test]
    fn every_story_can_be_told_by_the_rules_of_the_workshop() {
        for story in all().unwrap() {
            assert!(Description::parse(story.fault).is_ok() && !story.vehicles.is_empty());
            for (make, model, _) in &story.vehicles {
                assert!(VehicleText::parse(make).is_ok() && VehicleText::parse(model).is_ok());
            }
            let mut status = Status::Created;
            for line in &story.lines {
                match line {
                    Line::Says(_, text) => {
                        assert!(
                            status.takes_messages() && Body::parse(text).is_ok(),
                            "{text}"
                        );
                    }
                    Line::Becomes(next) => {
                        assert!(status.may_become().contains(next), "{status:?} to {next:?}");
                        status = *next;
                    }
                    Line::Reads(_) => {}
                }
            }
        }
    }

    #[test]
    fn conversations_are_short_but_for_one_that_scrolls() {
        let says = |lines: &[Line]| lines.iter().filter(|line| line.is_message()).count();
        let stories = all().unwrap();
        let told: Vec<usize> = stories.iter().map(|story| says(&story.lines)).collect();
        assert!(told[0] > 60, "{told:?}");
        assert!(
            told[1..].iter().all(|count| (2..=10).contains(count)),
            "{told:?}"
        );
        assert_eq!(says(stories[0].lines_told(1)), MESSAGES_TOLD_AGAIN_MAX);
    }
}
