//! The protocol once more, over a server that keeps everything in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;

/// Room enough for every test.
const MAX_MEMORY_BYTES: Option<u64> = Some(1 << 30);
/// Modules that look at files or start a server again, and what builds on them.
const ON_DISK: [&str; 4] = ["encryption_copies", "encryption_on_disk", "predecessor", "states_on_disk"];

#[path = "protocol/access.rs"]
mod access;
#[path = "protocol/acl.rs"]
mod acl;
#[path = "protocol/attributes.rs"]
mod attributes;
#[path = "protocol/auth.rs"]
mod auth;
#[path = "protocol/bodies.rs"]
mod bodies;
#[path = "protocol/bucket_settings.rs"]
mod bucket_settings;
#[path = "protocol/client.rs"]
mod client;
#[path = "protocol/conditions.rs"]
mod conditions;
#[path = "protocol/console.rs"]
mod console;
#[path = "protocol/cors.rs"]
mod cors;
#[path = "protocol/encrypted.rs"]
mod encrypted;
#[path = "protocol/encryption.rs"]
mod encryption;
#[path = "protocol/encryption_headers.rs"]
mod encryption_headers;
#[path = "protocol/encryption_uploads.rs"]
mod encryption_uploads;
#[path = "protocol/faults.rs"]
mod faults;
#[path = "protocol/forms.rs"]
mod forms;
#[path = "protocol/guarded.rs"]
mod guarded;
#[path = "protocol/hostile.rs"]
mod hostile;
#[path = "protocol/lifecycle.rs"]
mod lifecycle;
#[path = "protocol/lifecycle_rules.rs"]
mod lifecycle_rules;
#[path = "protocol/limits.rs"]
mod limits;
#[path = "protocol/memory.rs"]
mod memory;
#[path = "protocol/multipart.rs"]
mod multipart;
#[path = "protocol/object_lock.rs"]
mod object_lock;
#[path = "protocol/objects.rs"]
mod objects;
#[path = "protocol/odd_requests.rs"]
mod odd_requests;
#[path = "protocol/owners.rs"]
mod owners;
#[path = "protocol/signer.rs"]
mod signer;
#[path = "protocol/states.rs"]
mod states;
#[path = "protocol/tagging.rs"]
mod tagging;
#[path = "protocol/tls.rs"]
mod tls;
#[path = "protocol/versions.rs"]
mod versions;

#[test]
fn every_module_of_the_protocol_runs_here_too() {
    let of = |text: &str| -> BTreeSet<String> {
        let names = text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
        names.map(str::to_owned).collect()
    };
    let (mut on_disk, mut here) = (of(include_str!("protocol/main.rs")), of(include_str!("protocol_in_memory.rs")));
    assert!(here.remove("memory") && ON_DISK.iter().all(|module| on_disk.remove(*module)));
    assert_eq!(here, on_disk, "add the module here, with its path");
}
