//! Uploads by forms: fields, policies, signatures, and what is answered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::Reply;
use crate::guarded::{Guarded, NOW};
use crate::signer::{Signer, sha256};

const BOUNDARY: &str = "xYzZY";
const UNTIL: &str = "2026-11-20T14:36:34Z";

/// A form for `bkt`: fields in order, then the file.
#[derive(Clone, Default)]
struct Form {
    fields: Vec<(String, String)>,
    file: Option<(String, Vec<u8>)>,
}

impl Form {
    fn of(fields: &[(&str, &str)], file: &[u8]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { fields, file: Some(("up/load.txt".to_owned(), file.to_vec())) }
    }

    /// Signs a policy of these conditions, beside those for the bucket and the fields of the signature.
    fn signed(mut self, signer: &Signer, conditions: &str) -> Self {
        let credential = format!("{}/{}", signer.key, signer.scope());
        let policy = format!(
            r#"{{"expiration":"{UNTIL}","conditions":[{{"bucket":"bkt"}},{{"x-amz-algorithm":"AWS4-HMAC-SHA256"}},
            {{"x-amz-credential":"{credential}"}},{{"x-amz-date":"{NOW}"}}{conditions}]}}"#
        );
        let policy = STANDARD.encode(policy);
        let signature = signer.sign(&policy);
        for (name, value) in [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", &credential),
            ("x-amz-date", NOW),
            ("policy", &policy),
            ("x-amz-signature", &signature),
        ] {
            self.fields.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.bytes());
        }
        if let Some((name, bytes)) = &self.file {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: text/plain\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").bytes());
        body
    }

    async fn post(&self, s3: &Guarded) -> Reply {
        post(s3, &self.body()).await
    }
}

async fn post(s3: &Guarded, body: &[u8]) -> Reply {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    s3.s3.send("POST", "/bkt", &[("content-type", &content_type)], body).await
}

fn simple(s3: &Guarded) -> Form {
    Form::of(&[("key", "up/a")], b"data").signed(&s3.signer(), r#",["starts-with","$key","up/"]"#)
}

#[tokio::test]
async fn a_signed_form_puts_its_file_with_what_its_fields_say() {
    let s3 = Guarded::start().await;
    let fields =
        [("key", "up/${filename}"), ("Content-Type", "text/html"), ("x-amz-meta-colour", "red"), ("x-ignore-x", "1")];
    let conditions =
        r#",["starts-with","$key","up/"],{"content-type":"text/html"},["starts-with","$x-amz-meta-colour",""]"#;
    let posted = Form::of(&fields, b"data").signed(&s3.signer(), conditions).post(&s3).await;
    assert_eq!(posted.status, 204, "{}", posted.text());
    let got = s3.get("up/load.txt").await;
    assert_eq!((got.text().as_str(), got.header("content-type")), ("data", "text/html"));
    assert_eq!(got.header("x-amz-meta-colour"), "red");
    assert_eq!(posted.header("etag"), got.header("etag"));
    assert!(posted.header("location").ends_with("/bkt/up/load.txt"));
}

#[tokio::test]
async fn a_large_file_streams_through() {
    let s3 = Guarded::start().await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let form = Form::of(&[("key", "large")], &bytes).signed(&s3.signer(), r#",{"key":"large"}"#);
    assert_eq!(form.post(&s3).await.status, 204);
    assert_eq!(s3.get("large").await.body, bytes);
}

#[tokio::test]
async fn each_part_of_the_signature_of_a_form_counts() {
    let s3 = Guarded::start().await;
    let changed = |name: &str, from: &str, to: &str| {
        let mut form = simple(&s3);
        for (_, value) in form.fields.iter_mut().filter(|(known, _)| known == name) {
            *value = value.replacen(from, to, 1);
        }
        form
    };
    let missing = |name: &str| simple(&s3).without(name);
    for (form, status, code) in [
        (changed("x-amz-signature", "", "0"), 403, "SignatureDoesNotMatch"),
        (changed("policy", "e", "f"), 403, "SignatureDoesNotMatch"),
        (changed("x-amz-credential", "STORAGE", "NOBODY"), 403, "InvalidAccessKeyId"),
        (changed("x-amz-credential", "us-east-1", "eu-west-1"), 400, "InvalidArgument"),
        (changed("x-amz-date", "20261120", "20261119"), 400, "InvalidArgument"),
        (changed("x-amz-algorithm", "256", "512"), 400, "InvalidArgument"),
        (missing("x-amz-signature"), 400, "InvalidArgument"),
        (missing("x-amz-credential"), 400, "InvalidArgument"),
        (missing("policy"), 403, "AccessDenied"),
        (missing("key"), 403, "AccessDenied"),
    ] {
        let refused = form.post(&s3).await;
        assert_eq!(refused.error(), (status, code.into()), "{:?}", form.fields);
    }
    assert_eq!(s3.get("up/a").await.status, 404);
    assert_eq!(simple(&s3).post(&s3).await.status, 204);
}

#[tokio::test]
async fn a_form_of_signature_version_2_is_verified_too() {
    let s3 = Guarded::start().await;
    let policy =
        STANDARD.encode(format!(r#"{{"expiration":"{UNTIL}","conditions":[{{"bucket":"bkt"}},{{"key":"a"}}]}}"#));
    let signature = s3.signer().sign_old(&policy);
    let fields = [("key", "a"), ("AWSAccessKeyId", "STORAGE"), ("policy", &policy), ("signature", &signature)];
    assert_eq!(Form::of(&fields, b"data").post(&s3).await.status, 204);
    let wrong = [("key", "a"), ("AWSAccessKeyId", "STORAGE"), ("policy", &policy), ("signature", "x")];
    assert_eq!(Form::of(&wrong, b"data").post(&s3).await.error(), (403, "SignatureDoesNotMatch".into()));
}

#[tokio::test]
async fn what_a_forms_policy_does_not_allow_is_refused_and_changes_nothing() {
    let s3 = Guarded::start().await;
    let form = |fields: &[(&str, &str)], conditions: &str| Form::of(fields, b"data").signed(&s3.signer(), conditions);
    for (form, status, code) in [
        (form(&[("key", "a")], ""), 403, "AccessDenied"),
        (form(&[("key", "a")], r#",{"key":"b"}"#), 403, "AccessDenied"),
        (form(&[("key", "a"), ("x-amz-meta-a", "1")], r#",{"key":"a"}"#), 403, "AccessDenied"),
        (form(&[("key", "a")], r#",{"key":"a"},["content-length-range",0,3]"#), 400, "EntityTooLarge"),
        (form(&[("key", "a")], r#",{"key":"a"},["content-length-range",5,9]"#), 400, "EntityTooSmall"),
        (form(&[("key", "a")], r#",["sauce","$key","a"]"#), 400, "InvalidPolicyDocument"),
    ] {
        let refused = form.post(&s3).await;
        assert_eq!(refused.error(), (status, code.into()), "{}", refused.text());
    }
    assert_eq!(s3.get("a").await.status, 404);
    assert_eq!(form(&[("key", "a")], r#",{"key":"a"},["content-length-range",4,4]"#).post(&s3).await.status, 204);
}

#[tokio::test]
async fn a_form_is_good_until_its_policy_expires() {
    let s3 = Guarded::start().await;
    s3.clock.advance_ms(59_999);
    assert_eq!(simple(&s3).post(&s3).await.status, 204);
    s3.clock.advance_ms(1);
    assert_eq!(simple(&s3).post(&s3).await.error(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn a_form_says_what_is_answered() {
    let s3 = Guarded::start().await;
    let post = async |fields: &[(&str, &str)]| {
        let all = [&[("key", "a b")], fields].concat();
        let conditions = r#",{"key":"a b"},["starts-with","$success_action_status",""],["starts-with","$success_action_redirect",""]"#;
        Form::of(&all, b"data").signed(&s3.signer(), conditions).post(&s3).await
    };
    assert_eq!(post(&[("success_action_status", "200")]).await.status, 200);
    assert_eq!(post(&[("success_action_status", "404")]).await.status, 204);
    let created = post(&[("success_action_status", "201")]).await;
    assert_eq!((created.status, created.element("Bucket"), created.element("Key")), (201, "bkt".into(), "a b".into()));
    assert!(created.element("Location").ends_with("/bkt/a%20b"));
    let redirected = post(&[("success_action_redirect", "http://here/done?x=1")]).await;
    assert_eq!(redirected.status, 303);
    let location = "http://here/done?x=1&bucket=bkt&key=a%20b&etag=%228d777f385d3dfec8815d20f7496026dc%22";
    assert_eq!(redirected.header("location"), location);
    assert_eq!(post(&[("success_action_redirect", "javascript:alert(1)")]).await.status, 204);
}

#[tokio::test]
async fn a_form_that_nobody_signed_does_what_the_bucket_allows() {
    let s3 = Guarded::start().await;
    let form = Form::of(&[("key", "open/a")], b"data");
    assert_eq!(form.post(&s3).await.error(), (403, "AccessDenied".into()));
    let allow = r#"{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bkt/open/*"}"#;
    assert_eq!(s3.put_policy(allow).await.status, 204);
    assert_eq!(form.post(&s3).await.status, 204);
    assert_eq!(Form::of(&[("key", "closed/a")], b"data").post(&s3).await.error(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn a_form_that_is_denied_to_its_signer_is_refused() {
    let s3 = Guarded::start().await;
    let deny = r#"{"Effect":"Deny","Principal":{"AWS":"ann"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::bkt/*"}"#;
    s3.put_policy(deny).await;
    let by = |signer: &Signer| Form::of(&[("key", "a")], b"data").signed(signer, r#",{"key":"a"}"#);
    assert_eq!(by(&s3.signer_of_ann()).post(&s3).await.error(), (403, "AccessDenied".into()));
    assert_eq!(by(&s3.signer()).post(&s3).await.status, 204);
}

#[tokio::test]
async fn the_tags_of_a_form_are_set_by_whom_may() {
    let s3 = Guarded::start().await;
    let tags = "<Tagging><TagSet><Tag><Key>colour</Key><Value>red</Value></Tag></TagSet></Tagging>";
    let fields = [("key", "a"), ("tagging", tags)];
    let form = Form::of(&fields, b"data").signed(&s3.signer(), r#",{"key":"a"},["starts-with","$tagging",""]"#);
    assert_eq!(form.post(&s3).await.status, 204);
    let told = s3.signed(&s3.signer(), "GET", "/bkt/a?tagging=", b"").await;
    assert_eq!((told.element("Key"), told.element("Value")), ("colour".into(), "red".into()));
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObjectTagging","Resource":"arn:aws:s3:::bkt/*"}"#;
    s3.put_policy(deny).await;
    assert_eq!(form.post(&s3).await.error(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn who_may_write_by_the_buckets_list_may_bring_tags() {
    let s3 = Guarded::start().await;
    let tags = "<Tagging><TagSet><Tag><Key>colour</Key><Value>red</Value></Tag></TagSet></Tagging>";
    let form = Form::of(&[("key", "a"), ("tagging", tags)], b"data");
    assert_eq!(form.post(&s3).await.error(), (403, "AccessDenied".into()));
    let open = s3.signer().headers("PUT", "/bkt?acl=", &sha256(b""), &[("x-amz-acl", "public-read-write")]);
    assert_eq!(s3.send("PUT", "/bkt?acl=", &open, b"").await.status, 200);
    assert_eq!(form.post(&s3).await.status, 204);
    let told = s3.signed(&s3.signer(), "GET", "/bkt/a?tagging=", b"").await;
    assert_eq!((told.element("Key"), told.element("Value")), ("colour".into(), "red".into()));
    // What is there is not theirs to tag.
    assert_eq!(s3.s3.put("/bkt/a?tagging", tags.as_bytes()).await.error(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn the_checksum_of_a_form_is_verified() {
    let s3 = Guarded::start().await;
    let with = |sum: &str| {
        let fields = [("key", "a"), ("x-amz-checksum-crc32", sum)];
        Form::of(&fields, b"data").signed(&s3.signer(), r#",{"key":"a"},["starts-with","$x-amz-checksum-crc32",""]"#)
    };
    assert_eq!(with("AAAAAA==").post(&s3).await.error(), (400, "BadDigest".into()));
    assert_eq!(s3.get("a").await.status, 404);
    assert_eq!(with("rfPzYw==").post(&s3).await.status, 204);
}

#[tokio::test]
async fn a_form_that_is_none_or_ends_too_early_is_refused_and_changes_nothing() {
    let s3 = Guarded::start().await;
    let refused = s3.s3.send("POST", "/bkt", &[("content-type", "text/plain")], b"x").await;
    assert_eq!(refused.error(), (412, "PreconditionFailed".into()));
    let whole = simple(&s3).body();
    for cut in [10, whole.len() / 2, whole.len() - 12] {
        assert_eq!(post(&s3, &whole[..cut]).await.error(), (400, "MalformedPOSTRequest".into()), "{cut}");
    }
    let no_file = Form { file: None, ..simple(&s3) };
    assert_eq!(no_file.post(&s3).await.error(), (400, "InvalidArgument".into()));
    let long = Form::of(&[("key", "a"), ("x-ignore-a", &"x".repeat(21 * 1024))], b"data");
    assert_eq!(long.post(&s3).await.error(), (400, "MaxPostPreDataLengthExceededError".into()));
    let names = Form::of(&[("key", &"${filename}".repeat(100))], b"data");
    let names = Form { file: Some(("n".repeat(300), b"data".to_vec())), ..names };
    assert_eq!(names.post(&s3).await.error(), (400, "MaxPostPreDataLengthExceededError".into()));
    let endless = [format!("--{BOUNDARY}\r\nx: ").as_bytes(), &vec![b'y'; 3 << 20]].concat();
    assert_eq!(post(&s3, &endless).await.error(), (400, "MaxPostPreDataLengthExceededError".into()));
    assert_eq!(s3.get("up/a").await.status, 404);
}
