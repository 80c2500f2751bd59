//! Customers and their vehicles, made up by number: the first few hundred are all different, then
//! names come again with another plate.

use super::stories::Story;
use crate::domain::Vehicle;

const FIRST_NAMES: [&str; 24] = [
    "Asha", "Thomas", "Fathima", "Arjun", "Divya", "Mathew", "Sneha", "Imran", "Anjali", "Vishnu",
    "Priya", "George", "Nandini", "Rahul", "Ayesha", "Suresh", "Leela", "Kevin", "Deepa", "Harish",
    "Maria", "Naveen", "Sunita", "Abdul",
];
const LAST_NAMES: [&str; 23] = [
    "Varghese",
    "Kumar",
    "Beevi",
    "Krishnan",
    "Joseph",
    "Rao",
    "Iyer",
    "Rahman",
    "Das",
    "Nambiar",
    "Shetty",
    "Fernandes",
    "Mohan",
    "Sharma",
    "Khan",
    "Panicker",
    "D'Souza",
    "Reddy",
    "Thampi",
    "Cherian",
    "Bhat",
    "Gupta",
    "Unnikrishnan",
];
/// District codes of Kerala and its neighbours.
const DISTRICTS: [&str; 8] = [
    "KL 07", "KL 39", "KL 41", "KL 01", "KL 08", "TN 37", "KA 03", "KL 17",
];
const SERIES: [&str; 7] = ["AB", "CX", "BK", "DA", "CJ", "AU", "BW"];

/// The owner of request `number` (from 1).
pub(super) fn full_name(number: u32) -> String {
    let at = at(number);
    // 24 and 23 have no common divisor: 552 different names.
    let (first, last) = (
        FIRST_NAMES[at % FIRST_NAMES.len()],
        LAST_NAMES[at % LAST_NAMES.len()],
    );
    match at / (FIRST_NAMES.len() * LAST_NAMES.len()) {
        0 => format!("{first} {last}"),
        again => format!("{first} {last} {}", again + 1),
    }
}

/// What they sign in with.
pub(super) fn username(number: u32) -> String {
    format!("owner{number}")
}

/// A number that nobody has: mobile numbers of India begin with 6 to 9.
pub(super) fn phone(number: u32) -> String {
    format!("+91 55{:08}", number % 100_000_000)
}

/// Their vehicle: one of those that the story suits.
pub(super) fn vehicle(number: u32, story: &Story, told_before: usize) -> Vehicle {
    let (make, model, year) = story.vehicles[told_before % story.vehicles.len()];
    Vehicle {
        plate: plate(number),
        make: Some(make.to_owned()),
        model: Some(model.to_owned()),
        year: Some(year),
    }
}

/// A plate of its own for each of the first 9,000, and another district after that.
fn plate(number: u32) -> String {
    let at = at(number);
    let (district, series) = (DISTRICTS[at % DISTRICTS.len()], SERIES[at % SERIES.len()]);
    // 7,919 is a prime that does not divide 9,000: every figure comes once.
    let figure = 1_000 + (at * 7_919 + 3_821) % 9_000;
    match at / 9_000 {
        0 => format!("{district} {series} {figure}"),
        again => format!("{district} {series}{again} {figure}"),
    }
}

fn at(number: u32) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::{FullName, Phone, Plate, Username};

    #[test]
    fn a_thousand_owners_differ_and_would_pass_at_the_counter() {
        let mut seen = BTreeSet::new();
        for number in 1..=10_000 {
            let name = FullName::parse(&full_name(number)).unwrap();
            let phone = Phone::parse(&phone(number)).unwrap();
            let username = Username::parse(&username(number)).unwrap();
            let plate = Plate::parse(&plate(number)).unwrap();
            for text in [
                name.as_str(),
                phone.as_str(),
                username.as_str(),
                plate.as_str(),
            ] {
                assert!(seen.insert(text.to_owned()), "{text} comes twice");
            }
        }
    }
}
