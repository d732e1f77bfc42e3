//! Lifecycle rules at work, by a clock that the tests move.

use std::sync::Arc;

use holdfast_base::ManualClock;
use holdfast_s3_server::LifecycleRun;

use crate::client::{Fixture, Reply};

const DAY_MS: u64 = 86_400_000;
/// A midnight UTC.
const MIDNIGHT_MS: u64 = 20_000 * DAY_MS;
const HOUR_MS: u64 = 3_600_000;
const VERSIONING: &[u8] = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";

/// A server whose clock stands at one o'clock in the morning.
struct World {
    s3: Fixture,
    clock: Arc<ManualClock>,
}

impl World {
    async fn new() -> Self {
        Self::with_days_of(DAY_MS).await
    }

    async fn with_days_of(day_ms: u64) -> Self {
        let clock = Arc::new(ManualClock::at(MIDNIGHT_MS + HOUR_MS));
        let of_server = Arc::clone(&clock);
        let s3 = Fixture::with(|settings| {
            settings.clock = of_server;
            settings.lifecycle_day_ms = day_ms;
        });
        Self { s3: s3.await, clock }
    }

    async fn versioned() -> Self {
        let world = Self::new().await;
        assert_eq!(world.s3.put("/bkt?versioning", VERSIONING).await.status, 200);
        world
    }

    /// Sets rules; each is about what its filter says.
    async fn rules(&self, rules: &[(&str, &str)]) {
        let rule = |(filter, actions): &(&str, &str)| {
            format!("<Rule><Filter>{filter}</Filter><Status>Enabled</Status>{actions}</Rule>")
        };
        let rules: String = rules.iter().map(rule).collect();
        let body = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
        let set = self.s3.put("/bkt?lifecycle", body.as_bytes()).await;
        assert_eq!(set.status, 200, "{}", set.text());
    }

    async fn put(&self, key: &str) -> String {
        let reply = self.s3.put(&format!("/bkt/{key}"), key.as_bytes()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.header("x-amz-version-id").to_owned()
    }

    async fn delete(&self, target: &str) -> Reply {
        self.s3.send("DELETE", &format!("/bkt/{target}"), &[], b"").await
    }

    async fn run(&self) -> LifecycleRun {
        self.s3.server.run_lifecycle().await.unwrap()
    }

    async fn keys(&self) -> Vec<String> {
        self.s3.get("/bkt").await.elements("Key")
    }

    /// Ids of all versions and markers, by key, newest first.
    async fn versions(&self) -> Vec<String> {
        self.s3.get("/bkt?versions").await.elements("VersionId")
    }

    async fn markers(&self) -> usize {
        self.s3.get("/bkt?versions").await.elements("DeleteMarker").len()
    }
}

fn expire(days: u32) -> String {
    format!("<Expiration><Days>{days}</Days></Expiration>")
}

fn expire_noncurrent(days: u32, newer: &str) -> String {
    format!("<NoncurrentVersionExpiration><NoncurrentDays>{days}</NoncurrentDays>{newer}</NoncurrentVersionExpiration>")
}

const LONE_MARKERS: &str = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";

#[tokio::test]
async fn an_object_ends_at_the_midnight_after_its_days() {
    let world = World::new().await;
    world.put("k").await;
    world.rules(&[("", &expire(2))]).await;
    world.clock.advance_ms(3 * DAY_MS - HOUR_MS - 1);
    assert_eq!((world.run().await, world.keys().await), (LifecycleRun::default(), vec!["k".to_owned()]));
    world.clock.advance_ms(1);
    assert_eq!(world.run().await, LifecycleRun { expired_objects: 1, ..LifecycleRun::default() });
    assert_eq!(world.s3.get("/bkt/k").await.error(), (404, "NoSuchKey".into()));
    assert!(world.run().await.is_idle());
    assert_eq!(world.s3.send("DELETE", "/bkt", &[], b"").await.status, 204);
}

#[tokio::test]
async fn only_what_a_filter_is_about_ends() {
    let world = World::new().await;
    let put = async |key: &str, size: usize, tags: &str| {
        let tags = [("x-amz-tagging", tags)];
        world.s3.send("PUT", &format!("/bkt/{key}"), &tags, &vec![b'x'; size]).await;
    };
    put("logs/a", 1, "").await;
    put("logs/large", 100, "").await;
    put("other", 1, "").await;
    put("tagged", 1, "a=1").await;
    put("tagged-twice", 1, "a=1&b=2").await;
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let small = "<And><Prefix>logs/</Prefix><ObjectSizeLessThan>100</ObjectSizeLessThan></And>";
    let both = format!("<And>{}{}</And>", tag("a", "1"), tag("b", "2"));
    world.rules(&[(small, &expire(1)), (&both, &expire(1)), (&tag("a", "2"), &expire(1))]).await;
    world.clock.advance_ms(2 * DAY_MS);
    assert_eq!(world.run().await.expired_objects, 2);
    assert_eq!(world.keys().await, ["logs/large", "other", "tagged"]);
}

#[tokio::test]
async fn a_date_ends_objects_at_once_and_a_disabled_rule_nothing() {
    let world = World::new().await;
    world.put("k").await;
    let date = "<Expiration><Date>2024-10-04T00:00:00Z</Date></Expiration>"; // day 20,000
    let body = format!(
        "<LifecycleConfiguration><Rule><Filter/><Status>Disabled</Status>{date}</Rule></LifecycleConfiguration>"
    );
    world.s3.put("/bkt?lifecycle", body.as_bytes()).await;
    assert!(world.run().await.is_idle());
    world.rules(&[("", &date.replace("2024-10-04", "2024-10-05"))]).await;
    assert!(world.run().await.is_idle());
    world.rules(&[("", date)]).await;
    assert_eq!(world.run().await.expired_objects, 1);
}

#[tokio::test]
async fn a_versioned_object_ends_with_a_delete_marker_and_its_versions_stay() {
    let world = World::versioned().await;
    let first = world.put("k").await;
    world.rules(&[("", &expire(1))]).await;
    world.clock.advance_ms(2 * DAY_MS);
    assert_eq!(world.run().await, LifecycleRun { expired_objects: 1, ..LifecycleRun::default() });
    assert_eq!(world.s3.get("/bkt/k").await.header("x-amz-delete-marker"), "true");
    assert_eq!(world.s3.get(&format!("/bkt/k?versionId={first}")).await.text(), "k");
    world.clock.advance_ms(10 * DAY_MS);
    assert!(world.run().await.is_idle());
    assert_eq!(world.versions().await.len(), 2);
}

#[tokio::test]
async fn a_suspended_bucket_puts_a_null_marker_over_the_null_version() {
    let world = World::versioned().await;
    let kept = world.put("k").await;
    let suspended = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    world.s3.put("/bkt?versioning", suspended).await;
    world.put("k").await;
    world.rules(&[("", &expire(1))]).await;
    world.clock.advance_ms(2 * DAY_MS);
    assert_eq!(world.run().await.expired_objects, 1);
    assert_eq!((world.versions().await, world.markers().await), (vec!["null".to_owned(), kept], 1));
}

#[tokio::test]
async fn a_version_ends_its_days_after_it_was_replaced() {
    let world = World::versioned().await;
    world.put("k").await;
    world.rules(&[("", &expire_noncurrent(1, ""))]).await;
    world.clock.advance_ms(30 * DAY_MS);
    assert!(world.run().await.is_idle());
    let second = world.put("k").await;
    world.clock.advance_ms(DAY_MS);
    assert!(world.run().await.is_idle());
    world.clock.advance_ms(DAY_MS);
    assert_eq!(world.run().await, LifecycleRun { removed_versions: 1, ..LifecycleRun::default() });
    assert_eq!(world.versions().await, [second]);
    world.delete("k").await;
    world.clock.advance_ms(2 * DAY_MS);
    assert_eq!(world.run().await.removed_versions, 1);
    assert_eq!((world.versions().await.len(), world.markers().await), (1, 1));
}

#[tokio::test]
async fn the_newest_noncurrent_versions_stay_where_a_rule_keeps_some() {
    let world = World::versioned().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, world.put("k").await);
    }
    world.rules(&[("", &expire_noncurrent(1, "<NewerNoncurrentVersions>2</NewerNoncurrentVersions>"))]).await;
    world.clock.advance_ms(9 * DAY_MS);
    assert_eq!(world.run().await.removed_versions, 2);
    assert_eq!(world.versions().await, ids[..3]);
}

#[tokio::test]
async fn a_delete_marker_ends_when_nothing_is_behind_it() {
    let world = World::versioned().await;
    let id = world.put("a").await;
    world.delete("a").await;
    world.delete("b").await;
    world.put("c").await;
    world.delete("c").await;
    world.put("c").await;
    world.rules(&[("", LONE_MARKERS)]).await;
    assert_eq!(world.run().await, LifecycleRun { removed_markers: 1, ..LifecycleRun::default() });
    assert_eq!(world.markers().await, 2);
    world.delete(&format!("a?versionId={id}")).await;
    assert_eq!(world.run().await.removed_markers, 1);
    assert_eq!(world.versions().await.len(), 3);
}

#[tokio::test]
async fn a_rule_with_days_ends_lone_markers_of_that_age_too() {
    let world = World::versioned().await;
    world.delete("k").await;
    world.rules(&[("", &expire(1))]).await;
    assert!(world.run().await.is_idle());
    world.clock.advance_ms(2 * DAY_MS);
    assert_eq!(world.run().await.removed_markers, 1);
    assert_eq!(world.versions().await.len(), 0);
}

#[tokio::test]
async fn uploads_of_a_prefix_are_aborted() {
    let world = World::new().await;
    let begin =
        async |key: &str| world.s3.send("POST", &format!("/bkt/{key}?uploads"), &[], b"").await.element("UploadId");
    let (old, other) = (begin("up/a").await, begin("other").await);
    world.s3.put(&format!("/bkt/up/a?partNumber=1&uploadId={old}"), b"part").await;
    let abort =
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    world.rules(&[("<Prefix>up/</Prefix>", abort)]).await;
    world.clock.advance_ms(DAY_MS);
    let new = begin("up/b").await;
    world.clock.advance_ms(DAY_MS - HOUR_MS);
    assert_eq!(world.run().await, LifecycleRun { aborted_uploads: 1, ..LifecycleRun::default() });
    let left = world.s3.get("/bkt?uploads").await.elements("UploadId");
    assert_eq!(left, [other, new]);
    let gone = world.s3.put(&format!("/bkt/up/a?partNumber=1&uploadId={old}"), b"part").await;
    assert_eq!(gone.error(), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn a_locked_version_does_not_end_before_its_time() {
    let world = World::new().await;
    world.s3.put("/bkt?versioning", VERSIONING).await;
    let enabled = b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    assert_eq!(world.s3.put("/bkt?object-lock", enabled).await.status, 200);
    let (retained, held, free) = (world.put("k").await, world.put("k").await, world.put("k").await);
    let retention =
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2024-11-01T00:00:00Z</RetainUntilDate></Retention>";
    let set = async |what: &str, version: &str, body: &str| {
        let set = world.s3.put(&format!("/bkt/k?{what}&versionId={version}"), body.as_bytes()).await;
        assert_eq!(set.status, 200, "{}", set.text());
    };
    set("retention", &retained, retention).await;
    set("legal-hold", &held, "<LegalHold><Status>ON</Status></LegalHold>").await;
    world.rules(&[("", &format!("{}{}", expire(1), expire_noncurrent(1, "")))]).await;
    world.clock.advance_ms(2 * DAY_MS);
    assert_eq!(world.run().await, LifecycleRun { expired_objects: 1, ..LifecycleRun::default() });
    world.clock.advance_ms(5 * DAY_MS);
    assert_eq!(world.run().await.removed_versions, 1);
    let left = world.versions().await;
    assert!(left.contains(&retained) && left.contains(&held) && !left.contains(&free), "{left:?}");
    world.clock.advance_ms(30 * DAY_MS);
    assert_eq!(world.run().await.removed_versions, 1);
    assert!(!world.versions().await.contains(&retained) && world.versions().await.contains(&held));
}

#[tokio::test]
async fn short_days_pass_to_the_millisecond() {
    let world = World::with_days_of(1000).await;
    world.rules(&[("", &expire(2))]).await;
    world.put("k").await;
    let told = world.s3.get("/bkt/k").await.header("x-amz-expiration").to_owned();
    assert!(told.starts_with("expiry-date=\"Fri, 04 Oct 2024 01:00:02 GMT\""), "{told}");
    world.clock.advance_ms(2000);
    // The server's own passes and this one: whichever comes first.
    world.run().await;
    assert_eq!(world.keys().await.len(), 0);
}

#[tokio::test]
async fn many_versions_end_page_by_page() {
    let world = World::versioned().await;
    let engine = world.s3.server.engine();
    for n in 0..2300 {
        engine.delete("bkt", &format!("k/{}", n % 3), holdfast_s3_server::engine::Condition::Always).await.unwrap();
    }
    world.put("k/1").await;
    world.put("last").await;
    world.rules(&[("<Prefix>k/</Prefix>", &format!("{LONE_MARKERS}{}", expire_noncurrent(1, "")))]).await;
    world.clock.advance_ms(2 * DAY_MS);
    assert_eq!(world.run().await, LifecycleRun { removed_versions: 2298, ..LifecycleRun::default() });
    assert_eq!(world.run().await, LifecycleRun { removed_markers: 2, ..LifecycleRun::default() });
    assert_eq!(world.keys().await, ["k/1", "last"]);
    assert_eq!(world.versions().await.len(), 2);
}
