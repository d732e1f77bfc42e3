//! Who may ask: signatures in the header, in the query, and over chunks.

use crate::client::Reply;
use crate::guarded::{Guarded, NOW_MS};
use crate::signer::{Signer, sha256};

#[tokio::test]
async fn a_signed_request_is_answered_and_an_unsigned_one_is_not() {
    let s3 = Guarded::start().await;
    assert_eq!(s3.put("a", b"data").await.status, 200);
    assert_eq!(s3.get("a").await.text(), "data");
    assert_eq!(s3.s3.get("/bkt/a").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.s3.put("/bkt/a", b"other").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.get("a").await.text(), "data");
}

#[tokio::test]
async fn each_part_of_a_signature_counts() {
    let s3 = Guarded::start().await;
    s3.put("a", b"data").await;
    let good = s3.signer().headers("GET", "/bkt/a", &sha256(b""), &[]);
    let changed = |from: &str, to: &str| {
        good.iter().map(|(name, value)| (name.clone(), value.replace(from, to))).collect::<Vec<_>>()
    };
    for (from, to, status, code) in [
        ("Signature=", "Signature=0", 403, "SignatureDoesNotMatch"),
        ("Credential=STORAGE", "Credential=NOBODY", 403, "InvalidAccessKeyId"),
        ("/us-east-1/", "/eu-west-1/", 400, "AuthorizationHeaderMalformed"),
        ("/s3/", "/ec2/", 400, "AuthorizationHeaderMalformed"),
        ("20261120/", "20261119/", 400, "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512", 400, "InvalidRequest"),
        ("SignedHeaders=host;", "SignedHeaders=", 403, "AccessDenied"),
    ] {
        assert_eq!(s3.send("GET", "/bkt/a", &changed(from, to), b"").await.error(), (status, code.into()), "{to}");
    }
    assert_eq!(s3.send("GET", "/bkt/b", &good, b"").await.error(), (403, "SignatureDoesNotMatch".into()));
    assert_eq!(s3.send("GET", "/bkt/a?x=1", &good, b"").await.error(), (403, "SignatureDoesNotMatch".into()));
    let mut more = good.clone();
    more.push(("x-amz-meta-a".into(), "1".into()));
    assert_eq!(s3.send("GET", "/bkt/a", &more, b"").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.send("GET", "/bkt/a", &good, b"").await.status, 200);
}

#[tokio::test]
async fn a_clock_may_be_wrong_by_15_minutes() {
    let s3 = Guarded::start().await;
    s3.clock.advance_ms(15 * 60 * 1000);
    assert_eq!(s3.get("none").await.error(), (404, "NoSuchKey".into()));
    s3.clock.advance_ms(1000);
    assert_eq!(s3.get("none").await.error(), (403, "RequestTimeTooSkewed".into()));
}

#[tokio::test]
async fn a_presigned_url_is_good_until_the_second_it_says() {
    let s3 = Guarded::start().await;
    s3.put("a", b"data").await;
    let url = s3.signer().presigned("GET", "/bkt/a", 60);
    assert_eq!(s3.s3.get(&url).await.text(), "data");
    assert_eq!(s3.s3.send("PUT", &url, &[], b"x").await.error(), (403, "SignatureDoesNotMatch".into()));
    assert_eq!(
        s3.s3.get(&url.replace("Expires=60", "Expires=61")).await.error(),
        (403, "SignatureDoesNotMatch".into())
    );
    s3.clock.advance_ms(59_999);
    assert_eq!(s3.s3.get(&url).await.status, 200);
    s3.clock.advance_ms(1);
    assert_eq!(s3.s3.get(&url).await.error(), (403, "AccessDenied".into()));
    let week = s3.signer().presigned("GET", "/bkt/a", 604_801);
    assert_eq!(s3.s3.get(&week).await.error(), (400, "AuthorizationQueryParametersError".into()));
}

#[tokio::test]
async fn a_body_must_have_the_hash_that_was_signed() {
    let s3 = Guarded::start().await;
    let headers = s3.signer().headers("PUT", "/bkt/a", &sha256(b"data"), &[]);
    assert_eq!(s3.send("PUT", "/bkt/a", &headers, b"DATA").await.error(), (400, "XAmzContentSHA256Mismatch".into()));
    assert_eq!(s3.get("a").await.status, 404);
    assert_eq!(s3.send("PUT", "/bkt/a", &headers, b"data").await.status, 200);
}

#[tokio::test]
async fn chunks_are_checked_one_by_one_and_with_their_trailer() {
    let s3 = Guarded::start().await;
    let put = s3.put_chunked("a", |body| body).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let got = s3.get("a").await;
    assert_eq!((got.text().as_str(), got.header("content-encoding")), ("hello, chunks", ""));
    let replaced = |from: &'static str, to: &'static str| {
        move |body: Vec<u8>| String::from_utf8(body).unwrap().replacen(from, to, 1).into_bytes()
    };
    let refused = "SignatureDoesNotMatch".to_owned();
    assert_eq!(s3.put_chunked("b", replaced("chunks", "CHUNKS")).await.error(), (403, refused.clone()));
    assert_eq!(s3.put_chunked("b", replaced("7lHRTg==", "AAAAAA==")).await.error(), (403, refused.clone()));
    assert_eq!(
        s3.put_chunked("b", replaced("trailer-signature:", "trailer-signature:0")).await.error(),
        (403, refused)
    );
    assert_eq!(s3.get("b").await.status, 404);
}

#[tokio::test]
async fn no_answer_shows_the_secret() {
    let s3 = Guarded::start().await;
    let signer = Signer { secret: "another-secret".into(), ..s3.signer() };
    let headers = signer.headers("GET", "/bkt/a", &sha256(b""), &[]);
    let refused = s3.send("GET", "/bkt/a", &headers, b"").await;
    assert_eq!(refused.error(), (403, "SignatureDoesNotMatch".into()));
    assert!(!refused.text().contains("SignatureProvided") && !refused.text().contains("another-secret"));
}

#[tokio::test]
async fn a_policy_lets_the_unknown_read_what_it_names_until_it_is_deleted() {
    let s3 = Guarded::start().await;
    s3.put("public/a", b"open").await;
    s3.put("private/a", b"closed").await;
    let missing = s3.signer().headers("GET", "/bkt?policy=", &sha256(b""), &[]);
    assert_eq!(s3.send("GET", "/bkt?policy=", &missing, b"").await.error(), (404, "NoSuchBucketPolicy".into()));
    let read = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/public/*"}"#;
    assert_eq!(s3.put_policy(read).await.status, 204);
    assert!(s3.send("GET", "/bkt?policy=", &missing, b"").await.text().contains("public/*"));
    assert_eq!(s3.s3.get("/bkt/public/a").await.text(), "open");
    assert_eq!(s3.s3.get("/bkt/private/a").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.s3.put("/bkt/public/b", b"x").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.s3.get("/bkt?list-type=2").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.s3.get("/bkt?policy").await.error(), (403, "AccessDenied".into()));
    let delete = s3.signer().headers("DELETE", "/bkt?policy=", &sha256(b""), &[]);
    assert_eq!(s3.send("DELETE", "/bkt?policy=", &delete, b"").await.status, 204);
    assert_eq!(s3.s3.get("/bkt/public/a").await.error(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn a_denial_wins_over_everything_also_in_a_copy_and_a_list_of_deletes() {
    let s3 = Guarded::start().await;
    s3.put("kept/a", b"data").await;
    s3.put("free", b"data").await;
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":["s3:GetObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::bkt/kept/*"}"#;
    assert_eq!(s3.put_policy(deny).await.status, 204);
    assert_eq!(s3.get("kept/a").await.error(), (403, "AccessDenied".into()));
    let copy = s3.signer().headers("PUT", "/bkt/b", &sha256(b""), &[("x-amz-copy-source", "bkt/kept/a")]);
    assert_eq!(s3.send("PUT", "/bkt/b", &copy, b"").await.error(), (403, "AccessDenied".into()));
    let body = b"<Delete><Object><Key>kept/a</Key></Object><Object><Key>free</Key></Object></Delete>";
    let headers = s3.signer().headers("POST", "/bkt?delete=", &sha256(body), &[]);
    let deleted = s3.send("POST", "/bkt?delete=", &headers, body).await;
    assert!(deleted.text().contains("<Error><Key>kept/a</Key><Code>AccessDenied</Code>"), "{}", deleted.text());
    assert_eq!(s3.get("free").await.status, 404);
    let anonymous = s3.s3.send("POST", "/bkt?delete", &[], b"<Delete><Object><Key>x</Key></Object></Delete>").await;
    assert!(anonymous.text().contains("AccessDenied"), "{}", anonymous.text());
    assert_eq!(s3.put_policy(r#"{"Effect":"Allow"}"#).await.error(), (400, "MalformedPolicy".into()));
}

#[tokio::test]
async fn a_presigned_url_of_version_2_is_good_for_what_it_says_until_it_expires() {
    let s3 = Guarded::start().await;
    s3.put("a%20b", b"data").await;
    let in_a_minute = NOW_MS / 1000 + 60;
    let url = s3.signer().presigned_old("GET", "/bkt/a%20b", in_a_minute, None);
    assert_eq!(s3.s3.get(&url).await.text(), "data");
    let refused = (403, "SignatureDoesNotMatch".to_owned());
    for changed in [
        url.replace("/a%20b", "/b"),
        url.replace("Signature=", "Signature=0"),
        url.replace("Expires=17", "Expires=18"),
        format!("{url}&versionId=null"),
        format!("{url}&response-content-type=text/html"),
        format!("{url}&attributes"),
        format!("{url}&partNumber=1"),
        format!("{url}&tagging"),
        format!("{url}&x-amz-acl=private"),
    ] {
        assert_eq!(s3.s3.get(&changed).await.error(), refused, "{changed}");
    }
    assert_eq!(s3.s3.send("DELETE", &url, &[], b"").await.error(), refused);
    let unknown = url.replace("AWSAccessKeyId=STORAGE", "AWSAccessKeyId=NOBODY");
    assert_eq!(s3.s3.get(&unknown).await.error(), (403, "InvalidAccessKeyId".into()));
    for missing in ["&Expires=", "?AWSAccessKeyId=", "&Signature="] {
        let without = url.replace(missing, &missing.replace('=', "x="));
        assert_eq!(s3.s3.get(&without).await.error(), (403, "AccessDenied".into()), "{missing}");
    }
    s3.clock.advance_ms(59_999);
    assert_eq!(s3.s3.get(&url).await.status, 200);
    s3.clock.advance_ms(1);
    assert_eq!(s3.s3.get(&url).await.error(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn a_presigned_url_of_version_2_puts_with_the_headers_it_signed() {
    let s3 = Guarded::start().await;
    let expires_s = NOW_MS / 1000 + 60;
    let signed = "x-amz-meta-colour:green\n/bkt/a";
    let url = s3.signer().presigned_old("PUT", "/bkt/a?x-amz-meta-colour=green", expires_s, Some(signed));
    assert_eq!(s3.s3.put(&url, b"data").await.status, 200);
    assert_eq!(s3.get("a").await.header("x-amz-meta-colour"), "green");
    let other = [("x-amz-meta-colour", "red")];
    assert_eq!(s3.s3.send("PUT", &url, &other, b"data").await.error(), (403, "SignatureDoesNotMatch".into()));
    let virtual_host = s3.signer().presigned_old("GET", "/a", expires_s, Some("/bkt/a"));
    let got = s3.s3.send("GET", &virtual_host, &[("host", "bkt.localhost")], b"").await;
    assert_eq!(got.text(), "data");
}

#[tokio::test]
async fn requests_are_signed_with_version_two_in_the_header_too() {
    let s3 = Guarded::start().await;
    let date = "Fri, 20 Nov 2026 14:35:34 GMT";
    let send = async |secret: &str, date: &str, signed: &str, target: &str| {
        let signer = Signer { secret: secret.into(), ..s3.signer() };
        let signature = signer.sign_old(&format!("PUT\n\ntext/plain\n{date}\nx-amz-meta-who:me\n{signed}"));
        let authorization = format!("AWS STORAGE:{signature}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("date", date),
            ("content-type", "text/plain"),
            ("x-amz-meta-who", "me"),
        ];
        s3.s3.send("PUT", target, &headers, b"old").await
    };
    assert_eq!(send("STORAGE", date, "/bkt/a%20b", "/bkt/a%20b").await.status, 200);
    assert_eq!(s3.get("a%20b").await.text(), "old");
    let code = |reply: Reply| reply.error();
    let wrong = (403, "SignatureDoesNotMatch".to_owned());
    assert_eq!(code(send("wrong", date, "/bkt/k", "/bkt/k").await), wrong);
    assert_eq!(code(send("STORAGE", date, "/bkt/k", "/bkt/other").await), wrong);
    assert_eq!(code(send("STORAGE", date, "/bkt/k", "/bkt/k?tagging").await), wrong);
    let late = "Fri, 20 Nov 2026 14:55:34 GMT";
    assert_eq!(code(send("STORAGE", late, "/bkt/k", "/bkt/k").await), (403, "RequestTimeTooSkewed".to_owned()));
    assert_eq!(code(send("STORAGE", "today", "/bkt/k", "/bkt/k").await), (403, "AccessDenied".to_owned()));
}
