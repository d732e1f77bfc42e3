//! The server is killed (SIGKILL) while lifecycle rules end versions as fast as they are written.
#![allow(clippy::panic)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_s3_server::engine::{
    Condition, Engine, EngineError, NewBucket, ObjectAttributes, ObjectLock, VersionEntry, VersionId, VersionQuery,
};
use holdfast_s3_server::{Server, ServerSettings};
use holdfast_testkit::crash::{Child, CrashTest, Role};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::Reply;

const ROUNDS: u64 = 12;
const NAME: &str = "lifecycle_crash::what_should_stay_stays_when_the_lifecycle_is_killed";

/// Ends everything below `old/`: objects at once, versions and markers after a day, which has a millisecond.
const RULES: &str = "<LifecycleConfiguration><Rule><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status>\
    <Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>\
    <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>\
    <Rule><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status>\
    <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>\
    </LifecycleConfiguration>";

#[test]
fn what_should_stay_stays_when_the_lifecycle_is_killed() {
    let test = CrashTest::named(NAME);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match test.role() {
        Role::Child(child) => runtime.block_on(work_until_killed(child)),
        Role::Parent => {
            let folder = tempfile::tempdir().unwrap();
            let mut stay = BTreeMap::new();
            let mut passes = 0;
            for round in 0..ROUNDS {
                for line in test.kill_one(folder.path(), round) {
                    match line.split(' ').collect::<Vec<_>>().as_slice() {
                        [version, key] => drop(stay.insert((*version).to_owned(), (*key).to_owned())),
                        _ => passes += 1,
                    }
                }
                runtime.block_on(check(folder.path(), &stay));
            }
            assert!(stay.len() > 20 && passes > 20, "{} versions to stay, {passes} passes", stay.len());
        }
    }
}

fn settings(folder: &Path) -> ServerSettings {
    let mut settings = ServerSettings::new(folder);
    settings.lifecycle_day_ms = 1;
    settings
}

async fn work_until_killed(child: Child) {
    let server = Arc::new(Server::start(settings(child.folder())).await.unwrap());
    let bucket =
        NewBucket { name: "bkt".into(), region: "us-east-1".into(), has_object_lock: true, ..NewBucket::default() };
    match server.engine().make_bucket(bucket).await {
        Ok(_) | Err(EngineError::BucketAlreadyOwnedByYou(_)) => {}
        Err(error) => panic!("{error}"),
    }
    put_rules(server.address()).await;
    let child = Arc::new(child);
    let (writing, noting) = (Arc::clone(&server), Arc::clone(&child));
    let writer = tokio::spawn(async move {
        for n in 0.. {
            for (key, held, stays) in [
                (format!("keep/{}", n % 3), false, true),
                (format!("old/{}", n % 3), false, false),
                (format!("old/held-{}", n % 3), true, true),
            ] {
                let version = put(writing.engine(), &key, held).await;
                if stays {
                    noting.acknowledge(&format!("{version} {key}"));
                }
            }
        }
    });
    loop {
        server.run_lifecycle().await.unwrap();
        child.acknowledge("pass");
        if writer.is_finished() {
            writer.await.unwrap();
            return;
        }
    }
}

async fn put_rules(address: SocketAddr) {
    let head = format!(
        "PUT /bkt?lifecycle HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        RULES.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{head}{RULES}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Reply::read(&answer, false).status, 200);
}

async fn put(engine: &Engine, key: &str, held: bool) -> VersionId {
    let lock = held.then_some(ObjectLock { retention: None, legal_hold: Some(true) });
    let attributes = ObjectAttributes { etag: "etag".into(), lock, ..ObjectAttributes::default() };
    let mut staged = engine.stage("bkt").await.unwrap();
    staged.write(Bytes::copy_from_slice(key.as_bytes())).await.unwrap();
    engine.put("bkt", key, staged, attributes, Condition::Always).await.unwrap().version.unwrap()
}

/// What a new process finds has all that should stay; its first passes end the rest, and no file is left over.
async fn check(folder: &Path, stay: &BTreeMap<String, String>) {
    let mut settings = settings(folder);
    // Its own passes are not waited for: only those that are asked for here.
    settings.lifecycle_day_ms = 86_400_000;
    let server = Server::start(settings).await.unwrap();
    let engine = server.engine();
    let found = versions(engine).await;
    for (version, key) in stay {
        assert_eq!(found.get(version), Some(&(key.clone(), false)), "{key} {version} is gone");
        let id = VersionId::read(version).unwrap();
        let (info, file) = engine.open_object("bkt", key, Some(id)).await.unwrap();
        assert_eq!((info.size, file.in_memory().unwrap().as_ref()), (key.len() as u64, key.as_bytes()));
    }
    server.stop().await;
    let objects = found.values().filter(|(_, is_marker)| !is_marker).count();
    let files = files(folder);
    assert_eq!(files, objects, "files, versions are {found:?}");
}

/// Key, and whether it is a delete marker, of every version.
async fn versions(engine: &Engine) -> BTreeMap<String, (String, bool)> {
    let mut found = BTreeMap::new();
    let mut query = VersionQuery { max: 1000, ..VersionQuery::default() };
    loop {
        let page = match engine.list_versions("bkt", query.clone()).await {
            Ok(page) => page,
            Err(EngineError::NoSuchBucket(_)) => return found, // killed before it was made
            Err(error) => panic!("{error}"),
        };
        for entry in page.entries {
            let VersionEntry::Version(listed) = entry else { panic!("{entry:?}") };
            found.insert(listed.version.to_string(), (listed.object.key, listed.is_marker));
        }
        let Some((key, version)) = page.next else { return found };
        (query.after_key, query.after_version) = (Some(key), version);
    }
}

/// How many data files there are below the engine's directory.
fn files(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += files(&path);
        } else if path.parent().and_then(Path::file_name).is_none_or(|parent| parent != ".holdfast") {
            count += 1;
        }
    }
    count
}
