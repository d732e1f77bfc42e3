//! `Durability::Disk` without a power switch: the server's system calls are traced, and before each answer all that it
//! rests on must have been synced, in the right order. What a file system may drop in a power cut is what was not.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use holdfast_s3_server::Durability;

use crate::client::Fixture;

const CHILD: &str = "HOLDFAST_POWER_CUT";
const TEST: &str = "power_cut::nothing_is_acknowledged_before_all_that_it_rests_on_is_synced";
const CALLS: &str = "openat,write,pwrite64,copy_file_range,rename,renameat,renameat2,link,linkat,fsync,fdatasync";
const MARK: &str = "acknowledged: ";
const OBJECTS: usize = 12;

#[test]
#[expect(clippy::disallowed_methods, reason = "the parent tells the child what it is by its environment")]
fn nothing_is_acknowledged_before_all_that_it_rests_on_is_synced() {
    if let Ok(folder) = std::env::var(CHILD) {
        return put_objects(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(trace) = trace_child(folder.path()) else { return };
    let mut disk = Disk::default();
    let acknowledged: Vec<String> = completed_calls(&trace).iter().filter_map(|call| disk.take(call)).collect();
    assert_eq!(acknowledged.len(), OBJECTS, "{acknowledged:?}");
}

/// Runs this test once more under strace; `None`, with the reason told, where the system forbids tracing.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn trace_child(folder: &Path) -> Option<String> {
    let output = folder.join("trace");
    let data = folder.join("data");
    let traced = Command::new("strace")
        .args(["-f", "-y", "-s", "64", "-e", &format!("trace={CALLS}"), "-o"])
        .arg(&output)
        .arg(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(CHILD, &data)
        .stdout(Stdio::null())
        .output()
        .expect("strace is installed (`node scripts/run.mjs tools` does that)");
    let said = String::from_utf8_lossy(&traced.stderr);
    if said.contains("PTRACE") && said.contains("not permitted") {
        eprintln!("skipped: this system does not let a process trace its child: {said}");
        return None;
    }
    assert!(traced.status.success(), "{said}");
    Some(std::fs::read_to_string(&output).unwrap())
}

/// Small and large objects, one in parts; each is acknowledged by a line once it is answered.
fn put_objects(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let s3 = Fixture::with(|settings| {
            settings.directory = folder.into();
            settings.durability = Durability::Disk;
            settings.min_part_bytes = 1;
        });
        let s3 = s3.await;
        for n in 0..OBJECTS {
            let key = format!("object-{n:02}");
            if n % 4 == 3 {
                put_in_parts(&s3, &key).await;
            } else {
                let body = vec![b'x'; [10, 70_000, 900_000][n % 3]];
                assert_eq!(s3.put(&format!("/bkt/{key}"), &body).await.status, 200);
            }
            std::io::stdout().write_all(format!("\n{MARK}{key}\n").as_bytes()).unwrap();
        }
        s3.server.stop().await;
    });
}

async fn put_in_parts(s3: &Fixture, key: &str) {
    let id = s3.send("POST", &format!("/bkt/{key}?uploads"), &[], b"").await.element("UploadId");
    let mut parts = String::new();
    for number in 1..=2 {
        let put = s3.put(&format!("/bkt/{key}?partNumber={number}&uploadId={id}"), &[b'p'; 100_000]).await;
        let etag = put.header("etag").replace('"', "&quot;");
        parts.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let completed = s3.send("POST", &format!("/bkt/{key}?uploadId={id}"), &[], body.as_bytes()).await;
    assert_eq!(completed.status, 200, "{}", completed.text());
}

/// The calls of all threads in the order in which they ended, each in one piece.
fn completed_calls(trace: &str) -> Vec<String> {
    let mut unfinished: HashMap<&str, String> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread, begun.trim_end().to_owned());
        } else if let Some((_, rest)) = call.strip_prefix("<... ").and_then(|call| call.split_once("resumed>")) {
            calls.extend(unfinished.remove(thread).map(|begun| begun + rest));
        } else {
            calls.push(call.to_owned());
        }
    }
    calls
}

/// What would be left if the power went now.
#[derive(Default)]
struct Disk {
    /// Files with bytes that are not synced.
    dirty: HashSet<String>,
    /// Files whose name is in a folder that was not synced since.
    nameless: HashSet<String>,
    /// Files that were synced since the last acknowledgement, with their names: what objects are made of.
    whole: HashSet<String>,
    /// Whether the index's log was synced after the last of those.
    is_committed: bool,
    is_log_dirty: bool,
}

impl Disk {
    /// Takes one call; gives the object that it acknowledges.
    fn take(&mut self, call: &str) -> Option<String> {
        if let Some((_, key)) = call.split_once(MARK) {
            return Some(self.acknowledge(key.split("\\n").next().unwrap_or(key)));
        }
        if call.rsplit_once(" = ").is_none_or(|(_, result)| result.starts_with('-')) {
            return None;
        }
        let name = call.split('(').next().unwrap_or_default();
        let paths = paths_of(call);
        match (name, paths.as_slice()) {
            ("openat", [.., path]) if call.contains("O_CREAT") => {
                self.nameless.insert(path.clone());
            }
            ("write" | "pwrite64", [path, ..]) | ("copy_file_range", [_, path, ..]) => self.write(path),
            ("fsync" | "fdatasync", [path, ..]) => self.sync(path),
            // The old name is durable or not as it was; recovery knows both, so the new one need not be.
            ("rename" | "renameat" | "renameat2" | "link" | "linkat", [.., from, to]) if self.whole.contains(from) => {
                self.whole.insert(to.clone());
            }
            _ => {}
        }
        None
    }

    fn write(&mut self, path: &str) {
        if path.ends_with("index.db-wal") {
            self.is_log_dirty = true;
        } else if path.contains("/.holdfast/staging/") {
            self.dirty.insert(path.to_owned());
        }
    }

    fn sync(&mut self, path: &str) {
        if path.ends_with("index.db-wal") {
            self.is_committed |= self.is_log_dirty && !self.whole.is_empty();
            self.is_log_dirty = false;
        } else if self.dirty.remove(path) || self.nameless.contains(path) {
            if !self.nameless.contains(path) {
                self.whole.insert(path.to_owned());
            }
        } else {
            // A folder: the names in it are durable now.
            let in_it = |file: &String| Path::new(file).parent() == Some(Path::new(path));
            let named: Vec<String> = self.nameless.iter().filter(|file| in_it(file)).cloned().collect();
            for file in named {
                self.nameless.remove(&file);
                if !self.dirty.contains(&file) {
                    self.whole.insert(file);
                }
            }
        }
    }

    fn acknowledge(&mut self, key: &str) -> String {
        let of_staging: Vec<&String> = self.whole.iter().filter(|file| file.contains("/staging/")).collect();
        assert!(!of_staging.is_empty(), "{key} was acknowledged before its file was synced with its name");
        assert!(self.is_committed, "{key} was acknowledged before the index's log was synced");
        (self.is_committed, self.is_log_dirty) = (false, false);
        self.whole.clear();
        key.to_owned()
    }
}

/// Paths of descriptors (`5</path>`) and of strings (`"/path"`), in their order.
fn paths_of(call: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = call;
    while let Some(at) = rest.find(['<', '"']) {
        let close = if rest[at..].starts_with('<') { '>' } else { '"' };
        let inner = &rest[at + 1..];
        let Some(end) = inner.find(close) else { break };
        if inner.starts_with('/') {
            paths.push(inner[..end].to_owned());
        }
        rest = &inner[end + 1..];
    }
    paths
}
