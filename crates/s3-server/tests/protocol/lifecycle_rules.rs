//! Lifecycle rules over the wire: what is taken, refused and given back.

use std::sync::Arc;

use holdfast_base::ManualClock;

use crate::client::{Fixture, Reply};
use crate::guarded::{Guarded, NOW_MS};

const EXPIRATION: &str = "<Expiration><Days>1</Days></Expiration>";

fn configuration(rules: &str) -> String {
    format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>")
}

/// A rule with an empty filter, or with what stands in `more` instead.
fn rule(more: &str) -> String {
    let filter = if more.contains("Filter") || more.contains("Prefix") { "" } else { "<Filter/>" };
    format!("<Rule>{filter}<Status>Enabled</Status>{more}</Rule>")
}

fn filter(inner: &str) -> String {
    format!("<Filter>{inner}</Filter>")
}

async fn put(s3: &Fixture, rules: &str) -> Reply {
    s3.put("/bkt?lifecycle", configuration(rules).as_bytes()).await
}

async fn at(now_ms: u64) -> Fixture {
    Fixture::with(|settings| settings.clock = Arc::new(ManualClock::at(now_ms))).await
}

#[tokio::test]
async fn rules_are_given_back_as_they_were_set() {
    let s3 = Fixture::start().await;
    assert_eq!(s3.get("/bkt?lifecycle").await.error(), (404, "NoSuchLifecycleConfiguration".into()));
    let tag = |key: &str| format!("<Tag><Key>{key}</Key><Value>v</Value></Tag>");
    let sizes = "<ObjectSizeGreaterThan>0</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan>";
    let rules = [
        "<ID>a</ID><Filter><Prefix></Prefix></Filter><Status>Disabled</Status>\
         <Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration>"
            .to_owned(),
        format!(
            "<ID>b</ID><Filter><And><Prefix>p</Prefix>{}{}{sizes}</And></Filter><Status>Enabled</Status>\
             <Transition><Days>0</Days><StorageClass>GLACIER</StorageClass></Transition>{EXPIRATION}",
            tag("x"),
            tag("y"),
        ),
        "<ID>c</ID><Filter></Filter><Status>Enabled</Status>\
         <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>\
         <NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays>\
         <NewerNoncurrentVersions>1</NewerNoncurrentVersions><StorageClass>STANDARD_IA</StorageClass>\
         </NoncurrentVersionTransition>\
         <NoncurrentVersionExpiration><NoncurrentDays>31</NoncurrentDays>\
         <NewerNoncurrentVersions>100</NewerNoncurrentVersions></NoncurrentVersionExpiration>\
         <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>"
            .to_owned(),
        format!("<ID>d</ID><Filter>{}</Filter><Status>Enabled</Status>{EXPIRATION}", tag("x")),
    ];
    let set = put(&s3, &rules.iter().map(|rule| format!("<Rule>{rule}</Rule>")).collect::<String>()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let got = s3.get("/bkt?lifecycle").await;
    assert_eq!(got.elements("Rule"), rules);
    let minimum = "x-amz-transition-default-minimum-object-size";
    assert_eq!([set.header(minimum), got.header(minimum)], ["all_storage_classes_128K", "all_storage_classes_128K"]);
    assert_eq!(s3.send("DELETE", "/bkt?lifecycle", &[], b"").await.status, 204);
    assert_eq!(s3.get("/bkt?lifecycle").await.error(), (404, "NoSuchLifecycleConfiguration".into()));
    assert_eq!(s3.send("DELETE", "/bkt?lifecycle", &[], b"").await.status, 204);
}

#[tokio::test]
async fn rules_from_before_filters_have_a_prefix_of_their_own() {
    let s3 = Fixture::start().await;
    let rules = [format!("<ID>a</ID><Prefix>a/</Prefix><Status>Enabled</Status>{EXPIRATION}")];
    assert_eq!(put(&s3, &format!("<Rule>{}</Rule>", rules[0])).await.status, 200);
    assert_eq!(s3.get("/bkt?lifecycle").await.elements("Rule"), rules);
    let of = |prefix: &str| rule(&format!("<Prefix>{prefix}</Prefix>{EXPIRATION}"));
    let mixed = format!("{}{}", of("a"), rule(EXPIRATION));
    let newer = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>\
        <NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration>";
    for rules in [
        mixed,
        format!("{}{}", rule(EXPIRATION), of("a")),
        format!("{}{}", of("a"), of("ab")),
        format!("{}{}{}", of("b"), of("a"), of("")),
        rule(&format!("<Prefix></Prefix>{newer}")),
    ] {
        assert_eq!(put(&s3, &rules).await.error(), (400, "InvalidRequest".into()), "{rules}");
    }
    assert_eq!(put(&s3, &format!("{}{}", of("a/"), of("b/"))).await.status, 200);
}

#[tokio::test]
async fn a_rule_without_an_id_gets_one() {
    let s3 = Fixture::start().await;
    assert_eq!(put(&s3, &format!("{}{}", rule(EXPIRATION), rule(&format!("<ID/>{EXPIRATION}")))).await.status, 200);
    let ids = s3.get("/bkt?lifecycle").await.elements("ID");
    assert!(ids.len() == 2 && ids[0] != ids[1] && ids.iter().all(|id| !id.is_empty()), "{ids:?}");
    assert_eq!(s3.get("/bkt?lifecycle").await.elements("ID"), ids);
}

#[tokio::test]
async fn what_is_not_well_formed_is_refused() {
    let s3 = Fixture::start().await;
    let days = |days: &str| rule(&format!("<Expiration><Days>{days}</Days></Expiration>"));
    let of_filter = |inner: &str| rule(&format!("{}{EXPIRATION}", filter(inner)));
    for rules in [
        "<Rules/>".to_owned(),
        format!("<Rule><Status>Enabled</Status>{EXPIRATION}</Rule>"),
        rule(EXPIRATION).replace("Enabled", "enabled"),
        rule(EXPIRATION).replace("<Status>Enabled</Status>", ""),
        rule("<Expire/>"),
        rule("<Expiration/>"),
        rule("<Expiration><Days>1</Days><Date>2030-01-01T00:00:00Z</Date></Expiration>"),
        rule("<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
        rule(
            "<Expiration><Date>2030-01-01T00:00:00Z</Date><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>",
        ),
        rule("<Expiration><Date>tomorrow</Date></Expiration>"),
        days("one"),
        days("1.5"),
        rule("<NoncurrentVersionExpiration/>"),
        rule("<AbortIncompleteMultipartUpload/>"),
        of_filter("<Prefix>a</Prefix><ObjectSizeLessThan>1</ObjectSizeLessThan>"),
        of_filter("<And><Prefix>a</Prefix></And>"),
        of_filter("<Suffix>a</Suffix>"),
        of_filter("<ObjectSizeLessThan>many</ObjectSizeLessThan>"),
        of_filter("<Tag><Key>a</Key></Tag>"),
        rule("<Transition><Days>1</Days><StorageClass>STANDARD</StorageClass></Transition>"),
        rule("<Transition><StorageClass>GLACIER</StorageClass></Transition>"),
    ] {
        assert_eq!(put(&s3, &rules).await.error(), (400, "MalformedXML".into()), "{rules}");
    }
    assert_eq!(s3.get("/bkt?lifecycle").await.status, 404);
}

#[tokio::test]
async fn values_that_can_not_be_are_refused() {
    let s3 = Fixture::start().await;
    let tag = "<Tag><Key>a</Key><Value>v</Value></Tag>";
    let days = |days: &str| format!("<Expiration><Days>{days}</Days></Expiration>");
    let noncurrent = |inner: &str| rule(&format!("<NoncurrentVersionExpiration>{inner}</NoncurrentVersionExpiration>"));
    let abort =
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    let marker = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    let moved = |days: u32, class: &str| {
        format!("<Transition><Days>{days}</Days><StorageClass>{class}</StorageClass></Transition>")
    };
    let twice = rule(&format!("<ID>a</ID>{EXPIRATION}"));
    let of_filter = |inner: &str, action: &str| rule(&format!("{}{action}", filter(inner)));
    for (rules, code) in [
        (format!("{twice}{twice}"), "InvalidArgument"),
        (rule(&format!("<ID>{}</ID>{EXPIRATION}", "i".repeat(256))), "InvalidArgument"),
        (rule(&days("0")), "InvalidArgument"),
        (rule(&days("-1")), "InvalidArgument"),
        (rule(&days("2147483648")), "InvalidArgument"),
        (rule("<Expiration><Date>2030-01-01T12:00:00Z</Date></Expiration>"), "InvalidArgument"),
        (noncurrent("<NoncurrentDays>0</NoncurrentDays>"), "InvalidArgument"),
        (
            noncurrent("<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>0</NewerNoncurrentVersions>"),
            "InvalidArgument",
        ),
        (
            noncurrent("<NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>101</NewerNoncurrentVersions>"),
            "InvalidArgument",
        ),
        (rule(&abort.replace(">1<", ">0<")), "InvalidArgument"),
        (rule(&moved(29, "STANDARD_IA")), "InvalidArgument"),
        (rule(&format!("{}{EXPIRATION}", moved(1, "GLACIER"))), "InvalidArgument"),
        (of_filter(&format!("<Prefix>{}</Prefix>", "p".repeat(1025)), EXPIRATION), "InvalidArgument"),
        (String::new(), "InvalidRequest"),
        (rule(""), "InvalidRequest"),
        (rule(&moved(1, "GLACIER").repeat(2)), "InvalidRequest"),
        (
            rule(&format!("{}<Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>", moved(1, "GLACIER"))),
            "InvalidRequest",
        ),
        (of_filter(tag, abort), "InvalidRequest"),
        (of_filter(tag, marker), "InvalidRequest"),
        (of_filter("<ObjectSizeLessThan>1</ObjectSizeLessThan>", abort), "InvalidRequest"),
        (of_filter("<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>", marker), "InvalidRequest"),
        (of_filter(&format!("<And>{tag}{tag}</And>"), EXPIRATION), "InvalidRequest"),
        (of_filter("<ObjectSizeGreaterThan>-1</ObjectSizeGreaterThan>", EXPIRATION), "InvalidRequest"),
        (of_filter("<ObjectSizeLessThan>0</ObjectSizeLessThan>", EXPIRATION), "InvalidRequest"),
        (
            of_filter(
                "<And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan></And>",
                EXPIRATION,
            ),
            "InvalidRequest",
        ),
        (of_filter("<Tag><Key>aws:a</Key><Value>v</Value></Tag>", EXPIRATION), "InvalidTag"),
    ] {
        assert_eq!(put(&s3, &rules).await.error(), (400, code.into()), "{rules}");
    }
    assert_eq!(s3.get("/bkt?lifecycle").await.status, 404);
}

#[tokio::test]
async fn a_bucket_has_at_most_a_thousand_rules() {
    let s3 = Fixture::start().await;
    let rules: Vec<String> = (0..1001).map(|n| rule(&format!("<ID>{n}</ID>{EXPIRATION}"))).collect();
    assert_eq!(put(&s3, &rules.concat()).await.error(), (400, "InvalidRequest".into()));
    assert_eq!(put(&s3, &rules[..1000].concat()).await.status, 200);
    assert_eq!(s3.get("/bkt?lifecycle").await.elements("Rule").len(), 1000);
}

#[tokio::test]
async fn the_least_size_of_transitions_is_kept() {
    let s3 = Fixture::start().await;
    let name = "x-amz-transition-default-minimum-object-size";
    let body = configuration(&rule(EXPIRATION));
    let put = async |value| s3.send("PUT", "/bkt?lifecycle", &[(name, value)], body.as_bytes()).await;
    assert_eq!(put("whatever").await.error(), (400, "InvalidRequest".into()));
    assert_eq!(put("varies_by_storage_class").await.header(name), "varies_by_storage_class");
    assert_eq!(s3.get("/bkt?lifecycle").await.header(name), "varies_by_storage_class");
}

#[tokio::test]
async fn reads_and_writes_tell_when_an_object_expires_and_by_which_rule() {
    // 2026-11-20T14:35:34Z, so that two days end at the midnight after the 22nd.
    let s3 = at(NOW_MS).await;
    let two_days = "<Expiration><Days>2</Days></Expiration>";
    let tag = filter("<Tag><Key>a</Key><Value>1</Value></Tag>");
    let rules = format!(
        "{}{}{}",
        rule(&format!("<ID>logs &amp; more</ID>{}{two_days}", filter("<Prefix>logs/</Prefix>"))),
        rule(&format!("<ID>tagged</ID>{tag}{EXPIRATION}")),
        rule(
            "<ID>old</ID><Filter><Prefix>old/</Prefix></Filter><Expiration><Date>2026-11-01T00:00:00Z</Date></Expiration>"
        ),
    );
    assert_eq!(put(&s3, &rules).await.status, 200);
    let logs = "expiry-date=\"Mon, 23 Nov 2026 00:00:00 GMT\", rule-id=\"logs%20%26%20more\"";
    let tagged = "expiry-date=\"Sun, 22 Nov 2026 00:00:00 GMT\", rule-id=\"tagged\"";
    let told = |reply: &Reply| reply.header("x-amz-expiration").to_owned();
    assert_eq!(told(&s3.put("/bkt/logs/a", b"x").await), logs);
    assert_eq!(told(&s3.get("/bkt/logs/a").await), logs);
    assert_eq!(told(&s3.send("HEAD", "/bkt/logs/a", &[], b"").await), logs);
    assert_eq!(told(&s3.send("PUT", "/bkt/logs/b", &[("x-amz-tagging", "a=1")], b"x").await), tagged);
    let copy = s3.send("PUT", "/bkt/logs/c", &[("x-amz-copy-source", "/bkt/logs/a")], b"").await;
    assert_eq!(told(&copy), logs);
    assert_eq!(told(&s3.put("/bkt/other", b"x").await), "");
    let old = "expiry-date=\"Sun, 01 Nov 2026 00:00:00 GMT\", rule-id=\"old\"";
    assert_eq!(told(&s3.put("/bkt/old/a", b"x").await), old);
    s3.send("DELETE", "/bkt?lifecycle", &[], b"").await;
    assert_eq!(told(&s3.get("/bkt/logs/a").await), "");
}

#[tokio::test]
async fn the_newest_version_tells_its_end_by_its_id_too_and_older_ones_do_not() {
    let s3 = at(NOW_MS).await;
    s3.put("/bkt?versioning=", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>").await;
    assert_eq!(put(&s3, &rule(&format!("<ID>all</ID>{}{EXPIRATION}", filter("<Prefix></Prefix>")))).await.status, 200);
    let old = s3.put("/bkt/k", b"old").await.header("x-amz-version-id").to_owned();
    let new = s3.put("/bkt/k", b"new").await.header("x-amz-version-id").to_owned();
    for method in ["GET", "HEAD"] {
        for (version, tells) in [(&new, true), (&old, false)] {
            let target = format!("/bkt/k?versionId={version}");
            let told = s3.send(method, &target, &[], b"").await.header("x-amz-expiration").contains("rule-id=\"all\"");
            assert_eq!(told, tells, "{method} {target}");
        }
    }
}

#[tokio::test]
async fn uploads_tell_when_they_are_aborted() {
    let s3 = at(NOW_MS).await;
    let abort =
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    put(&s3, &rule(&format!("<ID>a</ID>{}{abort}", filter("<Prefix>up/</Prefix>")))).await;
    let begun = s3.send("POST", "/bkt/up/a?uploads", &[], b"").await;
    let listed = s3.get(&format!("/bkt/up/a?uploadId={}", begun.element("UploadId"))).await;
    for reply in [&begun, &listed] {
        let told = (reply.header("x-amz-abort-date"), reply.header("x-amz-abort-rule-id"));
        assert_eq!(told, ("Tue, 24 Nov 2026 00:00:00 GMT", "a"));
    }
    assert_eq!(s3.send("POST", "/bkt/other?uploads", &[], b"").await.header("x-amz-abort-date"), "");
}

#[tokio::test]
async fn rules_need_rights() {
    let guarded = Guarded::start().await;
    let body = configuration(&rule(EXPIRATION));
    let s3 = &guarded.s3;
    let allow = |action: &str| {
        format!(r#"{{"Effect":"Allow","Principal":"*","Action":"{action}","Resource":"arn:aws:s3:::bkt"}}"#)
    };
    let answers = async || {
        let set = s3.put("/bkt?lifecycle", body.as_bytes()).await.status;
        (set, s3.get("/bkt?lifecycle").await.status, s3.send("DELETE", "/bkt?lifecycle", &[], b"").await.status)
    };
    assert_eq!(answers().await, (403, 403, 403));
    guarded.put_policy(&allow("s3:PutLifecycleConfiguration")).await;
    assert_eq!(answers().await, (200, 403, 204));
    guarded.put_policy(&allow("s3:GetLifecycleConfiguration")).await;
    assert_eq!(answers().await, (403, 404, 403));
}
