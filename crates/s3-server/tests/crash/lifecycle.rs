//! Puts while lifecycle rules end versions as fast as they are written; what no rule is about stays, and what is held.

use holdfast_s3_server::engine::EngineError::BucketAlreadyOwnedByYou;
use holdfast_s3_server::engine::{
    Condition, Engine, NewBucket, ObjectAttributes, ObjectLock, Result, VersionEntry, VersionQuery,
};
use holdfast_s3_server::{Server, ServerSettings};
use holdfast_testkit::Dice;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::engine_bench::attributes;
use crate::frame::{Found, Step, bytes_of, check_bytes, stage, survives_kill_9};

const BUCKET: &str = "bkt";

/// Ends everything below `old/`: objects at once, versions and markers after a day, which has a millisecond.
const RULES: &str = "<LifecycleConfiguration><Rule><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status>\
    <Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>\
    <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>\
    <Rule><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status>\
    <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>\
    </LifecycleConfiguration>";

#[test]
fn what_should_stay_stays_when_the_lifecycle_is_killed() {
    const ROUNDS: u64 = 12;
    let name = "lifecycle::what_should_stay_stays_when_the_lifecycle_is_killed";
    let passes = survives_kill_9::<LifecycleStep>(name, ROUNDS);
    assert!(passes > 20, "only {passes} passes");
}

/// A version is put. The slot holds the ETags of those that stay, newest first.
struct LifecycleStep {
    key: String,
    etag: String,
    kind: Kind,
}

#[derive(PartialEq)]
enum Kind {
    /// No rule is about it.
    Kept,
    /// A legal hold is stronger than the rule.
    Held,
    /// It goes, sooner or later.
    Ended,
}

impl Step for LifecycleStep {
    type Content = Vec<String>;
    const TASKS: u64 = 2;

    fn new(mut dice: Dice, task: u64, name: String) -> Self {
        let n = dice.below(3);
        let (key, kind) = match dice.below(3) {
            0 => (format!("keep/{task}-{n}"), Kind::Kept),
            1 => (format!("old/held-{task}-{n}"), Kind::Held),
            _ => (format!("old/{task}-{n}"), Kind::Ended),
        };
        Self { key, etag: name, kind }
    }

    fn slot(&self) -> &str {
        &self.key
    }

    fn apply(&self, stay: &mut Vec<String>) {
        if self.kind != Kind::Ended {
            stay.insert(0, self.etag.clone());
        }
    }

    async fn run(&self, engine: &Engine) -> Result<()> {
        let lock = (self.kind == Kind::Held).then_some(ObjectLock { retention: None, legal_hold: Some(true) });
        let attributes = ObjectAttributes { lock, ..attributes(&self.etag) };
        let staged = stage(engine, BUCKET, bytes_of(&self.etag)).await?;
        engine.put(BUCKET, &self.key, staged, attributes, Condition::Always).await?;
        Ok(())
    }

    fn change(settings: &mut ServerSettings) {
        settings.lifecycle_day_ms = 1;
        settings.clock = std::sync::Arc::new(holdfast_base::SystemClock);
    }

    async fn prepare(server: &Server) -> Result<()> {
        let bucket = NewBucket {
            name: BUCKET.into(),
            region: "us-east-1".into(),
            has_object_lock: true,
            ..NewBucket::default()
        };
        match server.engine().make_bucket(bucket).await {
            Ok(_) | Err(BucketAlreadyOwnedByYou(_)) => {}
            Err(error) => return Err(error),
        }
        put_rules(server).await;
        Ok(())
    }

    async fn beside(server: &Server) -> Result<()> {
        Ok(server.run_lifecycle().await.map(|_| ())?)
    }

    async fn contents(engine: &Engine) -> Result<(Found<Self::Content>, usize)> {
        let (mut found, mut files) = (Found::new(), 0);
        let mut query = VersionQuery { max: 1000, ..VersionQuery::default() };
        loop {
            let page = engine.list_versions(BUCKET, query.clone()).await?;
            for entry in page.entries {
                let VersionEntry::Version(listed) = entry else { panic!("{entry:?}") };
                if listed.is_marker {
                    continue;
                }
                files += 1;
                let (key, etag) = (listed.object.key, listed.object.etag);
                let (_, file) = engine.open_object(BUCKET, &key, Some(listed.version)).await?;
                check_bytes(file, &key, &etag).await;
                if key.starts_with("keep/") || key.starts_with("old/held-") {
                    found.entry(key).or_insert_with(Vec::new).push(etag);
                }
            }
            let Some((key, version)) = page.next else { return Ok((found, files)) };
            (query.after_key, query.after_version) = (Some(key), version);
        }
    }
}

async fn put_rules(server: &Server) {
    let head = format!(
        "PUT /{BUCKET}?lifecycle HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        RULES.len()
    );
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(format!("{head}{RULES}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
