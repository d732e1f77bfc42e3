//! Puts, gets and pages of the disk engine alone, beside plain files written and read the same way:
//! `cargo run --release -p holdfast-s3-server --example engine_speed [folder]`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use holdfast_base::SystemClock;
use holdfast_s3_server::engine::{Condition, Durability, Engine, EngineSettings, ListQuery, ObjectAttributes};

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from).join("holdfast-engine-speed");
    for durability in [Durability::Process, Durability::Disk] {
        println!("durability {durability:?}");
        let _ = std::fs::remove_dir_all(&folder);
        let mut settings = EngineSettings::new(folder.join("engine"), Arc::new(SystemClock));
        settings.durability = durability;
        let engine = Engine::open(settings).await.unwrap();
        engine.create_bucket("bucket", "us-east-1").await.unwrap();
        for (bytes, tasks, count) in
            [(1 << 10, 1, 2000), (1 << 10, 16, 20_000), (1 << 10, 64, 20_000), (1 << 20, 16, 500)]
        {
            let count = if durability == Durability::Disk { count / 20 } else { count };
            measure(&engine, &folder, durability, (bytes, tasks, count)).await;
        }
        let query = ListQuery { max: 100, ..ListQuery::default() };
        let begun = Instant::now();
        for _ in 0..1000 {
            assert_eq!(engine.list("bucket", query.clone()).await.unwrap().entries.len(), 100);
        }
        println!("  pages of 100: {:.0}/s", 1000.0 / begun.elapsed().as_secs_f64());
        engine.close().await;
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

async fn measure(engine: &Engine, folder: &Path, durability: Durability, (bytes, tasks, count): (usize, usize, usize)) {
    let body = Bytes::from(vec![7; bytes]);
    let plain = folder.join(format!("plain-{bytes}-{tasks}"));
    std::fs::create_dir_all(&plain).unwrap();
    let files = run(tasks, count, |n| {
        let (body, path) = (body.clone(), plain.join(n.to_string()));
        async move { tokio::task::spawn_blocking(move || write(&path, &body, durability)).await.unwrap() }
    })
    .await;
    let puts = run(tasks, count, |n| put(engine.clone(), format!("{bytes}/{tasks}/{n}"), body.clone())).await;
    let again = run(tasks, count, |n| put(engine.clone(), format!("{bytes}/{tasks}/{n}"), body.clone())).await;
    let reads = run(tasks, count, |n| {
        let path = plain.join(n.to_string());
        async move { tokio::task::spawn_blocking(move || drop(std::fs::read(path).unwrap())).await.unwrap() }
    })
    .await;
    let gets = run(tasks, count, |n| get(engine.clone(), format!("{bytes}/{tasks}/{n}"))).await;
    println!(
        "  {bytes:>7} B, {tasks:>2} at once: put {puts:>6.0}/s (plain files {files:>6.0}/s, ratio {:.2}), overwrite {again:>6.0}/s, get {gets:>6.0}/s (plain files {reads:>6.0}/s, ratio {:.2})",
        puts / files,
        gets / reads
    );
}

/// As durable as the engine's.
fn write(path: &Path, body: &[u8], durability: Durability) {
    let mut file = File::create(path).unwrap();
    file.write_all(body).unwrap();
    if durability == Durability::Disk {
        file.sync_all().unwrap();
        File::open(path.parent().unwrap()).unwrap().sync_all().unwrap();
    }
}

async fn put(engine: Engine, key: String, body: Bytes) {
    let mut staged = engine.stage("bucket").await.unwrap();
    staged.write(body).await.unwrap();
    let headers = vec![("content-type".to_owned(), "application/octet-stream".to_owned())];
    let attributes = ObjectAttributes {
        etag: "0123456789abcdef0123456789abcdef".to_owned(),
        headers,
        ..ObjectAttributes::default()
    };
    engine.put("bucket", &key, staged, attributes, Condition::Always).await.unwrap();
}

async fn get(engine: Engine, key: String) {
    let (info, file) = engine.open_object("bucket", &key, None).await.unwrap();
    let mut stream = file.stream(0..info.size);
    let mut read = 0;
    while let Some(chunk) = stream.try_next().await.unwrap() {
        read += chunk.len() as u64;
    }
    assert_eq!(read, info.size);
}

/// How many a second.
async fn run<F: Future<Output = ()> + Send + 'static>(tasks: usize, count: usize, work: impl Fn(usize) -> F) -> f64 {
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for n in 0..count {
        if running.len() >= tasks {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(work(n));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    count as f64 / begun.elapsed().as_secs_f64()
}
