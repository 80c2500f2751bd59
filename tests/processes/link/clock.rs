//! A box without a clock of its own: it believes that it is 1970, or twenty years from now. Order is
//! the journal's, and nothing of the link depends on what the time is.

use crate::harness::Workshop;

use super::Said;

const ROUNDS: usize = 5;
/// Before any computer.
const TO_1970_S: &str = "-1800000000";
/// Five leap days in it.
const TWENTY_YEARS_S: &str = "631152000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_that_believes_in_1970_or_in_twenty_years_from_now_has_the_same_conversation() {
    for shift in [TO_1970_S, TWENTY_YEARS_S] {
        let shift = ("MOTOREACH_CLOCK_SHIFT_S", shift);
        let workshop = Workshop::open_with(&[shift]).await;
        let owner = workshop.owner(0).await;
        let mut said = Said::default();
        said.by_both(&workshop, &owner, ROUNDS).await;
        said.is_everywhere(&workshop, &owner).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_between_starts_changes_no_order() {
    let mut workshop = Workshop::open().await;
    let owner = workshop.owner(0).await;
    let mut said = Said::default();
    said.by_both(&workshop, &owner, ROUNDS).await;
    said.is_everywhere(&workshop, &owner).await;
    for shift in [TO_1970_S, "0", TWENTY_YEARS_S, "3600", TO_1970_S] {
        workshop.stop_box().await;
        workshop
            .start_box_with(&[("MOTOREACH_CLOCK_SHIFT_S", shift)])
            .await;
        said.by_both(&workshop, &owner, ROUNDS).await;
        said.is_everywhere(&workshop, &owner).await;
    }
}
