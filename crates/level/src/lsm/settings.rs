//! What SlateDB is told: bounded memory, bounded retries, and few requests of an idle database.

use std::time::Duration;

use slatedb::config::{
    CompactorOptions, DbReaderOptions, GarbageCollectorDirectoryOptions, GarbageCollectorOptions,
    GarbageCollectorScheduleOptions, Settings,
};

/// Blocks, indexes and filters in memory, a database.
pub(super) const CACHE_BYTES: u64 = 32 << 20;
/// What is written becomes a table of about this size.
const TABLE_BYTES: usize = 16 << 20;
/// Writes wait when this much is not yet in tables.
const UNFLUSHED_BYTES: usize = 64 << 20;
/// Writes wait when this many tables are not compacted: enough for what comes between two looks of the compactor.
const UNCOMPACTED_TABLES: usize = 32;
/// A write that waits for nothing is in the bucket this much later.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How often a writer looks at the manifest and its compactor for work; what an idle database costs.
const POLL_INTERVAL: Duration = Duration::from_secs(30);
const COLLECT_INTERVAL: Duration = Duration::from_secs(600);
/// SlateDB waits at most this long between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Settings of a writer.
pub(super) fn writer(timeout: Duration) -> Settings {
    let directory =
        || Some(GarbageCollectorDirectoryOptions { interval: Some(COLLECT_INTERVAL), ..Default::default() });
    Settings {
        flush_interval: Some(FLUSH_INTERVAL),
        manifest_poll_interval: POLL_INTERVAL,
        l0_sst_size_bytes: TABLE_BYTES,
        l0_max_ssts: UNCOMPACTED_TABLES,
        l0_max_ssts_per_key: UNCOMPACTED_TABLES,
        max_unflushed_bytes: UNFLUSHED_BYTES,
        compactor_options: Some(CompactorOptions {
            poll_interval: POLL_INTERVAL,
            object_store_max_retries: Some(retries(timeout)),
            ..CompactorOptions::default()
        }),
        garbage_collector_options: Some(GarbageCollectorOptions {
            manifest_options: directory(),
            wal_options: directory(),
            wal_fence_options: None,
            compacted_options: directory(),
            compactions_options: directory(),
            detach_options: Some(GarbageCollectorScheduleOptions { interval: Some(COLLECT_INTERVAL) }),
            object_store_max_retries: Some(retries(timeout)),
            ..GarbageCollectorOptions::default()
        }),
        object_store_max_retries: Some(retries(timeout)),
        ..Settings::default()
    }
}

/// Settings of a reader, which looks for what is new at this interval.
pub(super) fn reader(timeout: Duration, poll: Duration) -> DbReaderOptions {
    DbReaderOptions {
        manifest_poll_interval: poll,
        max_memtable_bytes: UNFLUSHED_BYTES as u64,
        object_store_max_retries: Some(retries(timeout)),
        ..DbReaderOptions::default()
    }
}

/// As many as fit in a time; without a bound SlateDB retries for ever.
fn retries(timeout: Duration) -> u32 {
    let pauses = timeout.as_millis() / LONGEST_PAUSE.as_millis();
    u32::try_from(pauses).unwrap_or(u32::MAX).max(2)
}
