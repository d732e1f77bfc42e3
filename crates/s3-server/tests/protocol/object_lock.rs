//! Object lock over the wire.

use std::sync::Arc;

use holdfast_base::ManualClock;

use crate::client::{Fixture, Reply};
use crate::guarded::{Guarded, NOW_MS};

const DAY_MS: u64 = 86_400_000;
/// A day after [`NOW_MS`], and two.
const TOMORROW: &str = "2026-11-21T14:35:34.000Z";
const LATER: &str = "2026-11-22T14:35:34.000Z";
const YESTERDAY: &str = "2026-11-19T14:35:34.000Z";
/// The SHA-256 of `x`, as a checksum.
const OF_X: (&str, &str) = ("x-amz-checksum-sha256", "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=");
const BYPASS: (&str, &str) = ("x-amz-bypass-governance-retention", "true");

/// A server whose bucket `locked` has object lock, and the clock that it goes by.
async fn locked() -> (Fixture, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let of_server = Arc::clone(&clock);
    let s3 = Fixture::with(|settings| settings.clock = of_server).await;
    let made = s3.send("PUT", "/locked", &[("x-amz-bucket-object-lock-enabled", "true")], b"").await;
    assert_eq!(made.status, 200);
    (s3, clock)
}

fn retention(mode: &str, until: &str) -> String {
    format!("<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>")
}

fn configuration(rule: &str) -> String {
    format!("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>")
}

fn default_of(inner: &str) -> String {
    configuration(&format!("<Rule><DefaultRetention>{inner}</DefaultRetention></Rule>"))
}

fn held(status: &str) -> String {
    format!("<LegalHold><Status>{status}</Status></LegalHold>")
}

fn version(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-amz-version-id").to_owned()
}

async fn put(s3: &Fixture, target: &str, headers: &[(&str, &str)]) -> Reply {
    s3.send("PUT", target, &[headers, &[OF_X]].concat(), b"x").await
}

async fn put_document(s3: &Fixture, target: &str, document: &str) -> Reply {
    s3.put(target, document.as_bytes()).await
}

fn denied() -> (u16, String) {
    (403, "AccessDenied".into())
}

fn refused(code: &str) -> (u16, String) {
    (400, code.into())
}

#[tokio::test]
async fn a_bucket_made_with_object_lock_keeps_versions_and_can_not_stop_to() {
    let (s3, _) = locked().await;
    assert_eq!(s3.get("/locked?versioning").await.element("Status"), "Enabled");
    let got = s3.get("/locked?object-lock").await;
    assert_eq!((got.status, got.element("ObjectLockEnabled"), got.element("Rule")), (200, "Enabled".into(), "".into()));
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    let refused = put_document(&s3, "/locked?versioning", suspended).await;
    assert_eq!(refused.error(), (409, "InvalidBucketState".into()));
    assert_eq!(s3.get("/locked?versioning").await.element("Status"), "Enabled");
    let again = s3.send("PUT", "/bkt", &[("x-amz-bucket-object-lock-enabled", "true")], b"").await;
    assert_eq!(again.error(), (409, "BucketAlreadyOwnedByYou".into()));
}

#[tokio::test]
async fn a_bucket_that_keeps_versions_gets_object_lock_later() {
    let (s3, _) = locked().await;
    let missing = s3.get("/bkt?object-lock").await;
    assert_eq!(missing.error(), (404, "ObjectLockConfigurationNotFoundError".into()));
    let versioning = |status| format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    let enabled = configuration("");
    let state = (409, "InvalidBucketState".to_owned());
    assert_eq!(put_document(&s3, "/bkt?object-lock", &enabled).await.error(), state);
    put_document(&s3, "/bkt?versioning", &versioning("Suspended")).await;
    assert_eq!(put_document(&s3, "/bkt?object-lock", &enabled).await.error(), state);
    put_document(&s3, "/bkt?versioning", &versioning("Enabled")).await;
    assert_eq!(put_document(&s3, "/bkt?object-lock", &enabled).await.status, 200);
    assert_eq!(put_document(&s3, "/bkt?versioning", &versioning("Suspended")).await.error(), state);
}

#[tokio::test]
async fn a_configuration_is_given_back_and_a_wrong_one_refused() {
    let (s3, _) = locked().await;
    let mode = "<Mode>COMPLIANCE</Mode>";
    for (document, code) in [
        (String::new(), "MalformedXML"),
        ("<ObjectLockConfiguration/>".to_owned(), "MalformedXML"),
        (configuration("").replace("Enabled<", "Disabled<"), "MalformedXML"),
        (configuration("<Rule/>"), "MalformedXML"),
        (default_of(""), "MalformedXML"),
        (default_of(mode), "MalformedXML"),
        (default_of("<Days>1</Days>"), "MalformedXML"),
        (default_of("<Mode>compliance</Mode><Days>1</Days>"), "MalformedXML"),
        (default_of(&format!("{mode}<Days>1</Days><Years>1</Years>")), "MalformedXML"),
        (default_of(&format!("{mode}<Days>one</Days>")), "MalformedXML"),
        (default_of(&format!("{mode}<Days>0</Days>")), "InvalidArgument"),
        (default_of(&format!("{mode}<Years>-1</Years>")), "InvalidArgument"),
        (default_of(&format!("{mode}<Years>101</Years>")), "InvalidArgument"),
        (default_of(&format!("{mode}<Days>36501</Days>")), "InvalidArgument"),
    ] {
        assert_eq!(put_document(&s3, "/locked?object-lock", &document).await.error(), refused(code), "{document}");
    }
    for period in ["<Days>36500</Days>", "<Years>100</Years>"] {
        let document = default_of(&format!("{mode}{period}"));
        assert_eq!(put_document(&s3, "/locked?object-lock", &document).await.status, 200);
        assert_eq!(s3.get("/locked?object-lock").await.element("DefaultRetention"), format!("{mode}{period}"));
    }
    put_document(&s3, "/locked?object-lock", &configuration("")).await;
    assert_eq!(s3.get("/locked?object-lock").await.element("Rule"), "");
}

#[tokio::test]
async fn a_default_retention_is_given_to_new_versions_that_bring_none() {
    let (s3, _) = locked().await;
    let before = version(&put(&s3, "/locked/before", &[]).await);
    put_document(&s3, "/locked?object-lock", &default_of("<Mode>GOVERNANCE</Mode><Days>1</Days>")).await;
    let of = async |target: &str| {
        let head = s3.send("HEAD", target, &[], b"").await;
        let header = |name| head.header(name).to_owned();
        (header("x-amz-object-lock-mode"), header("x-amz-object-lock-retain-until-date"))
    };
    let pair = |mode: &str, until: &str| (mode.to_owned(), until.to_owned());
    put(&s3, "/locked/put", &[]).await;
    assert_eq!(of("/locked/put").await, pair("GOVERNANCE", TOMORROW));
    let own = [("x-amz-object-lock-mode", "COMPLIANCE"), ("x-amz-object-lock-retain-until-date", LATER)];
    put(&s3, "/locked/own", &own).await;
    assert_eq!(of("/locked/own").await, pair("COMPLIANCE", LATER));
    s3.send("PUT", "/locked/copy", &[("x-amz-copy-source", "/locked/own")], b"").await;
    assert_eq!(of("/locked/copy").await, pair("GOVERNANCE", TOMORROW));
    let id = s3.send("POST", "/locked/parts?uploads", &own, b"").await.element("UploadId");
    let part = put(&s3, &format!("/locked/parts?partNumber=1&uploadId={id}"), &[]).await;
    let part = format!("<Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>", part.header("etag"));
    let body = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
    let done = s3.send("POST", &format!("/locked/parts?uploadId={id}"), &[], body.as_bytes()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(of("/locked/parts").await, pair("COMPLIANCE", LATER));
    assert_eq!(of(&format!("/locked/before?versionId={before}")).await, pair("", ""));
    put_document(&s3, "/locked?object-lock", &default_of("<Mode>COMPLIANCE</Mode><Years>1</Years>")).await;
    put(&s3, "/locked/put", &[]).await;
    assert_eq!(of("/locked/put").await, pair("COMPLIANCE", "2027-11-20T14:35:34.000Z"));
}

#[tokio::test]
async fn a_retention_keeps_its_version_until_its_time_and_only_that_one() {
    let (s3, clock) = locked().await;
    let first = version(&put(&s3, "/locked/k", &[]).await);
    let target = format!("/locked/k?retention&versionId={first}");
    assert_eq!(put_document(&s3, &target, &retention("COMPLIANCE", TOMORROW)).await.status, 200);
    let got = s3.get(&target).await;
    assert_eq!((got.element("Mode"), got.element("RetainUntilDate")), ("COMPLIANCE".into(), TOMORROW.into()));
    let second = version(&put(&s3, "/locked/k", &[]).await);
    let named = format!("/locked/k?versionId={first}");
    assert_eq!(s3.send("DELETE", &named, &[], b"").await.error(), denied());
    assert_eq!(s3.send("DELETE", &named, &[BYPASS], b"").await.error(), denied());
    assert_eq!(s3.send("DELETE", &format!("/locked/k?versionId={second}"), &[], b"").await.status, 204);
    let marked = s3.send("DELETE", "/locked/k", &[], b"").await;
    assert_eq!((marked.status, marked.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(s3.send("DELETE", "/locked", &[], b"").await.error(), (409, "BucketNotEmpty".into()));
    assert_eq!(s3.get(&named).await.text(), "x");
    clock.advance_ms(DAY_MS);
    assert_eq!(s3.get(&target).await.element("Mode"), "COMPLIANCE");
    assert_eq!(s3.send("DELETE", &named, &[], b"").await.status, 204);
}

#[tokio::test]
async fn a_retention_may_be_longer_and_only_with_a_bypass_shorter_or_another() {
    let (s3, _) = locked().await;
    let empty = "<Retention/>".to_owned();
    put(&s3, "/locked/k", &[]).await;
    let set = async |document: &str, headers: &[(&str, &str)]| {
        s3.send("PUT", "/locked/k?retention", headers, document.as_bytes()).await.error()
    };
    let done = (200, String::new());
    assert_eq!(set(&retention("GOVERNANCE", TOMORROW), &[]).await, done);
    assert_eq!(set(&retention("GOVERNANCE", LATER), &[]).await, done);
    assert_eq!(set(&retention("GOVERNANCE", TOMORROW), &[]).await, denied());
    assert_eq!(set(&retention("COMPLIANCE", LATER), &[]).await, denied());
    assert_eq!(set(&empty, &[]).await, denied());
    assert_eq!(set(&retention("GOVERNANCE", TOMORROW), &[BYPASS]).await, done);
    assert_eq!(set(&empty, &[BYPASS]).await, done);
    assert_eq!(s3.get("/locked/k?retention").await.error(), (404, "NoSuchObjectLockConfiguration".into()));
    assert_eq!(set(&retention("COMPLIANCE", TOMORROW), &[]).await, done);
    assert_eq!(set(&retention("COMPLIANCE", LATER), &[]).await, done);
    assert_eq!(set(&retention("COMPLIANCE", TOMORROW), &[BYPASS]).await, denied());
    assert_eq!(set(&retention("GOVERNANCE", LATER), &[BYPASS]).await, denied());
    assert_eq!(set(&empty, &[BYPASS]).await, denied());
    assert_eq!(s3.get("/locked/k?retention").await.element("RetainUntilDate"), LATER);
}

#[tokio::test]
async fn governance_can_be_bypassed_by_a_delete() {
    let (s3, _) = locked().await;
    let lock = [("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-object-lock-retain-until-date", TOMORROW)];
    let id = version(&put(&s3, "/locked/k", &lock).await);
    let target = format!("/locked/k?versionId={id}");
    assert_eq!(
        s3.send("DELETE", &target, &[("x-amz-bypass-governance-retention", "false")], b"").await.error(),
        denied()
    );
    assert_eq!(s3.send("DELETE", &target, &[BYPASS], b"").await.status, 204);
    let elsewhere = s3.send("DELETE", "/bkt/k", &[BYPASS], b"").await;
    assert_eq!(elsewhere.error(), refused("InvalidArgument"));
}

#[tokio::test]
async fn a_legal_hold_keeps_its_version_until_it_is_lifted() {
    let (s3, clock) = locked().await;
    let hold = [("x-amz-object-lock-legal-hold", "ON")];
    let id = version(&put(&s3, "/locked/k", &hold).await);
    let target = format!("/locked/k?versionId={id}");
    assert_eq!(s3.get(&target).await.header("x-amz-object-lock-legal-hold"), "ON");
    assert_eq!(s3.get("/locked/k?legal-hold").await.element("Status"), "ON");
    clock.advance_ms(1000 * DAY_MS);
    assert_eq!(s3.send("DELETE", &target, &[BYPASS], b"").await.error(), denied());
    let lifted = put_document(&s3, &format!("/locked/k?legal-hold&versionId={id}"), &held("OFF")).await;
    assert_eq!(version(&lifted), id);
    assert_eq!(s3.get(&target).await.header("x-amz-object-lock-legal-hold"), "OFF");
    assert_eq!(s3.send("DELETE", &target, &[], b"").await.status, 204);
    put(&s3, "/locked/never", &[]).await;
    let never = s3.get("/locked/never?legal-hold").await;
    assert_eq!(never.error(), (404, "NoSuchObjectLockConfiguration".into()));
    assert_eq!(put_document(&s3, "/locked/never?legal-hold", &held("on")).await.error(), refused("MalformedXML"));
}

#[tokio::test]
async fn of_many_deletes_only_the_locked_ones_are_refused() {
    let (s3, _) = locked().await;
    let lock = [("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-object-lock-retain-until-date", TOMORROW)];
    let locked = version(&put(&s3, "/locked/locked", &lock).await);
    let free = version(&put(&s3, "/locked/free", &[]).await);
    let object = |key: &str, id: &str| format!("<Object><Key>{key}</Key><VersionId>{id}</VersionId></Object>");
    let marker = "<Object><Key>locked</Key></Object>";
    let body = format!("<Delete>{}{}{marker}</Delete>", object("locked", &locked), object("free", &free));
    let done = s3.send("POST", "/locked?delete", &[], body.as_bytes()).await;
    let errors = done.elements("Error");
    assert_eq!((errors.len(), done.elements("Deleted").len(), done.element("Code")), (1, 2, "AccessDenied".into()));
    assert!(errors[0].contains(&format!("<VersionId>{locked}</VersionId>")), "{errors:?}");
    let body = format!("<Delete>{}</Delete>", object("locked", &locked));
    let done = s3.send("POST", "/locked?delete", &[BYPASS], body.as_bytes()).await;
    assert_eq!((done.elements("Error").len(), done.elements("Deleted").len()), (0, 1));
}

#[tokio::test]
async fn locks_that_can_not_be_are_refused_and_nothing_is_written() {
    let (s3, _) = locked().await;
    let mode = ("x-amz-object-lock-mode", "GOVERNANCE");
    let until = |date| ("x-amz-object-lock-retain-until-date", date);
    for headers in [
        &[mode][..],
        &[until(TOMORROW)],
        &[("x-amz-object-lock-mode", "governance"), until(TOMORROW)],
        &[mode, until("tomorrow")],
        &[mode, until(YESTERDAY)],
        &[("x-amz-object-lock-legal-hold", "on")],
    ] {
        for (method, target) in [("PUT", "/locked/k"), ("POST", "/locked/k?uploads")] {
            let reply = s3.send(method, target, &[headers, &[OF_X]].concat(), b"x").await;
            assert_eq!(reply.error(), refused("InvalidArgument"), "{target} {headers:?}");
        }
    }
    assert_eq!(s3.get("/locked/k").await.status, 404);
    put(&s3, "/locked/k", &[]).await;
    for (document, code) in [
        (String::new(), "MalformedXML"),
        (retention("governance", TOMORROW), "MalformedXML"),
        (retention("GOVERNANCE", "soon"), "MalformedXML"),
        (retention("GOVERNANCE", YESTERDAY), "InvalidArgument"),
        ("<Retention><Mode>GOVERNANCE</Mode></Retention>".to_owned(), "MalformedXML"),
    ] {
        assert_eq!(put_document(&s3, "/locked/k?retention", &document).await.error(), refused(code), "{document}");
    }
    let marker = version_of_marker(&s3).await;
    let named = format!("/locked/k?retention&versionId={marker}");
    let of_marker = put_document(&s3, &named, &retention("GOVERNANCE", TOMORROW)).await;
    assert_eq!(of_marker.error(), (405, "MethodNotAllowed".into()));
}

async fn version_of_marker(s3: &Fixture) -> String {
    s3.send("DELETE", "/locked/k", &[], b"").await.header("x-amz-version-id").to_owned()
}

#[tokio::test]
async fn a_bucket_without_object_lock_takes_no_locks() {
    let (s3, _) = locked().await;
    s3.put("/bkt/k", b"x").await;
    let hold = [("x-amz-object-lock-legal-hold", "ON")];
    assert_eq!(put(&s3, "/bkt/new", &hold).await.error(), refused("InvalidRequest"));
    assert_eq!(s3.send("POST", "/bkt/new?uploads", &hold, b"").await.error(), refused("InvalidRequest"));
    let copied = s3.send("PUT", "/bkt/new", &[hold[0], ("x-amz-copy-source", "/bkt/k")], b"").await;
    assert_eq!(copied.error(), refused("InvalidRequest"));
    for target in ["/bkt/k?retention", "/bkt/k?legal-hold"] {
        assert_eq!(s3.get(target).await.error(), refused("InvalidRequest"));
    }
    let set = put_document(&s3, "/bkt/k?retention", &retention("GOVERNANCE", TOMORROW)).await;
    assert_eq!(set.error(), refused("InvalidRequest"));
    assert_eq!(put_document(&s3, "/bkt/k?legal-hold", &held("ON")).await.error(), refused("InvalidRequest"));
    assert_eq!(s3.get("/bkt/new").await.status, 404);
}

#[tokio::test]
async fn bytes_that_will_be_locked_need_a_checksum() {
    let (s3, _) = locked().await;
    let hold = ("x-amz-object-lock-legal-hold", "ON");
    let md5 = ("content-md5", "ndTkYSaMgDT1yFZOFVxnpg==");
    let put = async |target: &str, headers: &[(&str, &str)]| s3.send("PUT", target, headers, b"x").await.error();
    assert_eq!(put("/locked/k", &[]).await, (200, String::new()));
    assert_eq!(put("/locked/k", &[hold]).await, refused("InvalidRequest"));
    assert_eq!(put("/locked/k", &[hold, md5]).await, (200, String::new()));
    assert_eq!(put("/locked/k", &[hold, OF_X]).await, (200, String::new()));
    put_document(&s3, "/locked?object-lock", &default_of("<Mode>GOVERNANCE</Mode><Days>1</Days>")).await;
    assert_eq!(put("/locked/k", &[]).await, refused("InvalidRequest"));
    let id = s3.send("POST", "/locked/parts?uploads", &[], b"").await.element("UploadId");
    let part = format!("/locked/parts?partNumber=1&uploadId={id}");
    assert_eq!(put(&part, &[]).await, refused("InvalidRequest"));
    assert_eq!(put(&part, &[OF_X]).await, (200, String::new()));
    assert_eq!(put("/bkt/k", &[]).await, (200, String::new()));
}

#[tokio::test]
async fn locks_need_rights_of_their_own() {
    let guarded = Guarded::start().await;
    let signer = guarded.signer();
    let versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    guarded.signed(&signer, "PUT", "/bkt?versioning=", versioning).await;
    let enabled = guarded.signed(&signer, "PUT", "/bkt?object-lock=", configuration("").as_bytes()).await;
    assert_eq!(enabled.status, 200, "{}", enabled.text());
    let id = version(&guarded.put("k", b"body").await);
    let governed = retention("GOVERNANCE", TOMORROW);
    let set = guarded.signed(&signer, "PUT", "/bkt/k?retention=", governed.as_bytes()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let allow = |actions: &str| {
        format!(r#"{{"Effect":"Allow","Principal":"*","Action":[{actions}],"Resource":"arn:aws:s3:::bkt/*"}}"#)
    };
    let (s3, target) = (&guarded.s3, format!("/bkt/k?versionId={id}"));

    guarded.put_policy(&allow(r#""s3:GetObject","s3:DeleteObjectVersion","s3:PutObjectRetention""#)).await;
    assert_eq!(s3.get("/bkt/k").await.header("x-amz-object-lock-mode"), "");
    assert_eq!(s3.get("/bkt/k?retention").await.error(), denied());
    assert_eq!(s3.send("PUT", "/bkt/k?retention", &[], b"<Retention/>").await.error(), denied());
    assert_eq!(s3.send("PUT", "/bkt/k?retention", &[BYPASS], b"<Retention/>").await.error(), denied());
    assert_eq!(s3.send("DELETE", &target, &[BYPASS], b"").await.error(), denied());
    let longer = retention("GOVERNANCE", LATER);
    assert_eq!(s3.send("PUT", "/bkt/k?retention", &[], longer.as_bytes()).await.status, 200);

    let all = r#""s3:GetObject","s3:GetObjectRetention","s3:DeleteObjectVersion","s3:BypassGovernanceRetention""#;
    guarded.put_policy(&allow(all)).await;
    assert_eq!(s3.get("/bkt/k").await.header("x-amz-object-lock-mode"), "GOVERNANCE");
    assert_eq!(s3.send("DELETE", &target, &[BYPASS], b"").await.status, 204);
}

#[tokio::test]
async fn a_policy_bounds_how_long_a_retention_may_be() {
    let guarded = Guarded::start().await;
    let signer = guarded.signer();
    let versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    guarded.signed(&signer, "PUT", "/bkt?versioning=", versioning).await;
    guarded.signed(&signer, "PUT", "/bkt?object-lock=", configuration("").as_bytes()).await;
    guarded.put("k", b"body").await;
    let long = r#"{"NumericGreaterThan":{"s3:object-lock-remaining-retention-days":"1"}}"#;
    let deny = format!(
        r#"{{"Effect":"Deny","Principal":"*","Action":"s3:PutObjectRetention","Resource":"arn:aws:s3:::bkt/*","Condition":{long}}}"#
    );
    assert_eq!(guarded.put_policy(&deny).await.status, 204);
    let set = async |until| {
        guarded.signed(&signer, "PUT", "/bkt/k?retention=", retention("GOVERNANCE", until).as_bytes()).await.status
    };
    assert_eq!((set(LATER).await, set(TOMORROW).await), (403, 200));
}
