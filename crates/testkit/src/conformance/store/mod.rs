//! What every adapter of the store promises.
//!
//! A case is an async function of a [`Subject`]. [`store_conformance!`](crate::store_conformance) makes one
//! test of each case for one adapter. A case that needs a capability asks [`Subject::lacks`], which prints
//! why it is skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test suite")]

pub mod blobs;
pub mod entries;
pub mod events;

use std::any::Any;
use std::sync::Arc;

use holdfast_base::{Key, ManualClock};
use holdfast_store::{Adapter, Batch, Condition, Outcome, Space, Step};

/// The adapter under test, its clock, and whatever must live as long as it does.
pub struct Subject {
    /// The adapter.
    pub adapter: Arc<dyn Adapter>,
    /// Its clock. An adapter that asks another machine for the time takes no notice.
    pub clock: Arc<ManualClock>,
    /// A folder, a server.
    pub keep: Box<dyn Any + Send>,
}

/// When the clock of a subject begins, in milliseconds since the epoch.
pub const BEGIN_MS: u64 = 1_700_000_000_000;

impl Subject {
    /// Whether the case is to be skipped; says why.
    pub fn lacks(&self, capability: bool, what: &str) -> bool {
        if !capability {
            eprintln!("skipped: the adapter declares that it has no {what}");
        }
        !capability
    }

    async fn put(&self, name: &str, value: &str) -> u64 {
        self.put_if(name, value, Condition::Any).await.unwrap()
    }

    async fn put_if(&self, name: &str, value: &str, condition: Condition) -> holdfast_base::Result<u64> {
        let value = value.to_owned();
        let step = Step::Put { space: Space::Records, key: key(name), value, condition, ttl_ms: None };
        match one(self.adapter.commit(Batch::one(step)).await?) {
            Outcome::Put { version, .. } => Ok(version),
            other => panic!("a put answered {other:?}"),
        }
    }

    async fn delete(&self, name: &str) -> bool {
        match one(self.adapter.commit(Batch::one(Step::delete(Space::Records, key(name)))).await.unwrap()) {
            Outcome::Deleted { existed } => existed,
            other => panic!("a delete answered {other:?}"),
        }
    }

    async fn value(&self, name: &str) -> Option<String> {
        self.adapter.get(Space::Records, &key(name)).await.unwrap().map(|entry| entry.value)
    }
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn one(mut outcomes: Vec<Outcome>) -> Outcome {
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

/// Makes one `#[tokio::test]` of each case. `$make` is an async function that gives a fresh [`Subject`].
///
/// With `in turn`, makes one test of each group instead, for adapters whose server takes long to start.
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::store_conformance! { @cases each $make }
    };
    ($make:path, in turn) => {
        $crate::store_conformance! { @cases turn $make }
    };
    (@cases $way:ident $make:path) => {
        $crate::store_conformance! { @$way entries $make:
            a_key_never_put_is_absent
            a_put_is_read_back_exactly
            versions_count_from_one
            versions_go_on_counting_after_a_delete
            a_put_that_must_be_the_first_conflicts_with_an_entry
            a_put_with_a_stale_version_conflicts_and_changes_nothing
            only_one_of_many_racing_conditional_puts_wins
            the_time_of_creation_stays_and_the_time_of_update_moves
            deleting_says_whether_there_was_anything
            an_entry_is_invisible_at_its_last_millisecond
            a_put_without_ttl_takes_the_ttl_away
            records_and_kv_do_not_see_each_other
            odd_keys_are_kept_exactly_or_refused
            keys_are_listed_in_the_order_of_their_bytes
            a_list_can_be_bounded_and_reversed
            pages_join_to_the_whole_list
            a_prefix_that_ends_in_a_high_byte_finds_its_keys
            a_list_of_keys_has_no_values
            a_list_leaves_out_what_was_deleted_or_expired
            many_are_read_in_the_order_asked_for
            counting_counts_what_a_list_lists
            adding_begins_at_zero_and_keeps_the_expiry
            adding_to_what_is_no_number_is_refused
            concurrent_additions_are_all_counted
            a_batch_that_fails_changes_nothing
            a_batch_without_demands_works_everywhere
            a_value_that_is_too_large_is_refused
            a_large_value_is_read_back_exactly
            calls_after_close_are_closed_errors
        }
        $crate::store_conformance! { @$way events $make:
            versions_of_a_stream_have_no_gaps
            positions_grow_over_all_streams
            an_unexpected_version_conflicts_and_appends_nothing
            the_same_event_sent_again_is_stored_once
            another_event_with_a_taken_id_conflicts
            a_stream_is_listed_by_itself
            a_list_can_be_reversed_and_cut
            events_since_a_time_are_found
            streams_are_listed_by_name
            concurrent_appends_all_get_their_own_version
            several_events_of_a_batch_follow_each_other
        }
        $crate::store_conformance! { @$way blobs $make:
            a_blob_is_read_back_exactly
            an_absent_blob_is_nothing
            an_empty_blob_is_a_blob
            a_blob_larger_than_every_chunk_is_read_back_exactly
            a_range_gives_its_bytes
            a_range_behind_the_end_is_refused
            media_type_and_metadata_come_back
            nothing_is_visible_before_the_upload_is_finished
            an_aborted_upload_leaves_what_was_there
            a_blob_that_must_be_the_first_conflicts_with_one
            a_blob_with_a_stale_etag_conflicts
            deleting_blobs_says_which_were_there
            a_copy_is_a_blob_of_its_own
            blobs_are_listed_in_order_and_in_pages
            a_delimiter_folds_folders
            a_reader_goes_on_reading_what_was_replaced
            metadata_that_no_header_can_carry_is_refused
        }
    };
    (@each $group:ident $make:path: $($case:ident)*) => {
        mod $group {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::conformance::store::$group::$case($make().await).await;
                }
            )*
        }
    };
    (@turn $group:ident $make:path: $($case:ident)*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $group() {
            $(
                // Shown when the test fails: which case it was.
                eprintln!("{}", stringify!($case));
                $crate::conformance::store::$group::$case($make().await).await;
            )*
        }
    };
}
