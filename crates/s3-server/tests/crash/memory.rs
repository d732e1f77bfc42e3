//! A server that keeps everything in memory is killed: nothing of it is left.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_s3_server::{Server, ServerSettings};
use holdfast_testkit::Dice;
use holdfast_testkit::crash::{Child, CrashTest, Role};

use crate::frame::Step as _;
use crate::mixed::MixedStep;

const ROUNDS: u64 = 6;

#[test]
fn a_server_in_memory_has_no_file_and_leaves_none_behind_when_it_is_killed() {
    let test = CrashTest::named("memory::a_server_in_memory_has_no_file_and_leaves_none_behind_when_it_is_killed");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match test.role() {
        Role::Child(child) => runtime.block_on(work_until_killed(child)),
        Role::Parent => {
            let folder = tempfile::tempdir().unwrap();
            let mut acknowledged = 0;
            for round in 0..test.rounds(ROUNDS) {
                for line in test.kill_one(folder.path(), round) {
                    assert!(!line.starts_with('/'), "the server had {line} open");
                    acknowledged += 1;
                }
                let left: Vec<_> =
                    std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
                assert!(left.is_empty(), "round {round} left {left:?}");
            }
            assert!(acknowledged > 4 * ROUNDS, "only {acknowledged} steps were acknowledged");
        }
    }
}

async fn work_until_killed(child: Child) {
    let before = open_files();
    let mut settings = ServerSettings::new(child.folder());
    settings.max_memory_bytes = Some(1 << 30);
    settings.min_part_bytes = 5;
    let server = Arc::new(Server::start(settings).await.unwrap());
    MixedStep::prepare(&server).await.unwrap();
    for n in 0.. {
        for task in 0..MixedStep::TASKS {
            let dice = Dice::new(child.round() * 1_000_000 + n * MixedStep::TASKS + task);
            MixedStep::new(dice, task, format!("{task}-{n}")).run(server.engine()).await.unwrap();
            child.acknowledge(&format!("{task} {n}"));
        }
        for path in open_files().into_iter().filter(|path| !before.contains(path)) {
            child.acknowledge(&path.display().to_string());
        }
    }
}

/// The files that this process has open, pipes, sockets and devices apart.
fn open_files() -> Vec<PathBuf> {
    let links = std::fs::read_dir("/proc/self/fd").unwrap();
    let files = links.filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
    files.filter(|path| path.is_absolute() && !path.starts_with("/dev") && !path.starts_with("/proc")).collect()
}
