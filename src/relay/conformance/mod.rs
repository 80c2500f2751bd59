//! What every store of a relay must do: each claim here is held against the reference in memory and
//! against SQLite, without and with threads and a disk.
//!
//! A new store adds a line to `hold` and passes, or it is none.

mod alarms;
mod forks;
mod journal;
mod lineage;
mod links;
mod mailbox;
mod ops;
pub(super) mod pen;
mod random;
mod retention;

use crate::domain::Timestamp;
use crate::relay::memory::MemoryRelay;
use crate::relay::sqlite::SqliteRelay;

/// Runs a claim to its end.
fn run(claim: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(claim);
}

/// Each claim as a test for each store.
macro_rules! hold {
    ($($concern:ident: $($claim:ident)+;)+) => {
        mod of_the_reference { $(mod $concern { $(
            #[test]
            fn $claim() {
                use super::super::*;
                run($concern::$claim(MemoryRelay::new()));
            }
        )+ })+ }

        mod of_sqlite_in_memory { $(mod $concern { $(
            #[test]
            fn $claim() {
                use super::super::*;
                run($concern::$claim(SqliteRelay::in_memory()));
            }
        )+ })+ }

        mod of_sqlite_on_a_disk { $(mod $concern { $(
            #[test]
            fn $claim() {
                use super::super::*;
                let dir = tempfile::tempdir().unwrap();
                let store = SqliteRelay::open(dir.path(), Timestamp(0)).unwrap();
                run(async {
                    $concern::$claim(store.clone()).await;
                    store.close().await;
                });
            }
        )+ })+ }
    };
}

hold! {
    lineage:
        a_workshop_enters_by_membership_or_code_and_no_other_way
        a_code_is_for_one_workshop_and_may_be_shown_again_by_it
        a_code_that_ended_is_none
        a_box_goes_on_after_a_cut_between_welcome_and_grant
        the_first_older_copy_is_a_restore_and_the_second_within_30_days_a_clone
        an_older_copy_after_30_days_is_a_restore_again
        a_restore_cut_before_its_grant_is_no_clone
        nobody_goes_on_in_quarantine_until_one_is_declared_real
        the_other_copy_is_superseded_for_30_days_unless_it_is_declared_real
        a_relay_that_went_back_in_time_blames_nobody
        another_key_is_another_workshop
        an_older_session_changes_nothing
        the_box_was_heard_of_and_says_where_it_is_found;
    journal:
        batches_are_applied_in_order_and_where_they_lead_is_told
        a_batch_that_comes_again_or_late_changes_nothing
        a_forged_batch_changes_nothing
        a_new_incarnation_goes_on_where_the_old_one_ended
        an_owner_reads_a_thread_in_stretches_without_what_is_the_staffs
        an_erased_body_never_comes_back
        two_workshops_with_the_same_ids_never_meet;
    forks:
        what_a_fork_replaces_is_given_back_until_it_came_back
        a_position_elsewhere_is_no_common_one
        a_fork_to_the_beginning_leaves_nothing_but_orphans
        forks_upon_forks_can_still_be_verified
        long_runs_come_in_pages
        an_erased_body_is_gone_from_the_orphans_too
        links_that_were_revoked_stay_so_through_a_fork;
    mailbox:
        a_post_waits_until_the_journal_has_it
        a_refused_post_waits_again_when_it_is_offered_again
        posts_come_in_pages_and_in_order
        a_full_mailbox_says_so
        only_the_newest_refusals_are_remembered
        a_post_among_the_orphans_is_kept_until_it_came_back;
    links:
        a_link_opens_its_thread_with_its_keys
        a_revoked_link_gets_no_new_key
        whoever_had_a_link_first_keeps_it
        pushes_go_where_a_link_still_opens_the_thread
        a_link_has_so_many_browsers
        hints_come_after_the_fact
        an_operator_sees_how_each_workshop_fares;
    alarms:
        an_alarm_is_the_newest_that_the_box_asked_for
        a_phone_is_told_as_long_as_its_link_opens_something
        a_workshop_has_so_many_phones
        a_phone_that_is_gone_is_told_nothing
        what_the_phones_were_told_is_remembered
        an_older_session_sets_no_alarm;
    retention:
        the_words_of_closed_threads_go_and_their_chain_stays
        a_thread_that_goes_on_keeps_its_words
        everything_is_read_as_before_below_the_line
        a_fork_below_the_line_gives_everything_back
        after_a_fork_nothing_is_forgotten_that_no_backup_has
        an_erased_body_is_gone_from_a_packed_block_too
        old_posts_are_given_up;
}
