//! The console: who gets its page, and who may ask what S3 does not tell.

use crate::client::{Fixture, Reply};
use crate::guarded::Guarded;

async fn with_console() -> Fixture {
    Fixture::with(|settings| settings.serves_console = true).await
}

async fn post_fault(s3: &Fixture, fault: &str) -> Reply {
    s3.send("POST", "/_console/api/faults", &[("sec-fetch-site", "same-origin")], fault.as_bytes()).await
}

#[tokio::test]
async fn without_being_asked_for_it_is_not_there() {
    let s3 = Fixture::start().await;
    for path in ["/_console/", "/_console", "/_console/console.js", "/_console/api/server", "/_console/api/requests"] {
        let reply = s3.get(path).await;
        assert!(reply.status >= 400, "{path}: {}", reply.status);
        assert_eq!(reply.header("content-type"), "application/xml");
    }
}

#[tokio::test]
async fn its_page_is_compressed_and_lets_nothing_else_in() {
    let s3 = with_console().await;
    assert_eq!((s3.get("/_console").await.status, s3.get("/_console").await.header("location")), (307, "/_console/"));
    for (path, content_type) in [
        ("/_console/", "text/html; charset=utf-8"),
        ("/_console/console.js", "text/javascript; charset=utf-8"),
        ("/_console/console.css", "text/css; charset=utf-8"),
        ("/_console/icon.svg", "image/svg+xml"),
    ] {
        let reply = s3.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, content_type));
        assert_eq!((reply.header("content-encoding"), &reply.body[..2]), ("gzip", &b"\x1f\x8b"[..]));
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        let again = s3.send("GET", path, &[("if-none-match", reply.header("etag"))], b"").await;
        assert_eq!((again.status, again.body.len()), (304, 0));
    }
    assert_eq!(s3.get("/_console/../index.html").await.status, 404);
    assert_eq!(s3.send("POST", "/_console/", &[], b"x").await.status, 405);
}

#[tokio::test]
async fn a_bucket_in_the_host_may_hold_a_key_of_that_name() {
    let s3 = with_console().await;
    let host = ("host", "bkt.localhost");
    assert_eq!(s3.send("PUT", "/_console/", &[host], b"mine").await.status, 200);
    assert_eq!(s3.send("GET", "/_console/", &[host], b"").await.text(), "mine");
}

#[tokio::test]
async fn the_request_log_goes_on_where_it_was_left() {
    let s3 = with_console().await;
    s3.put("/bkt/a", b"1").await;
    let first = s3.get("/_console/api/requests?after=0").await.text();
    assert!(first.contains(r#""operation":"PutObject""#) && first.contains(r#""next":1"#), "{first}");
    s3.get("/bkt/a").await;
    let then = s3.get("/_console/api/requests?after=1").await.text();
    assert!(then.contains("GetObject") && !then.contains("PutObject") && then.contains(r#""next":2"#), "{then}");
    assert_eq!(s3.send("DELETE", "/_console/api/requests", &[], b"").await.status, 204);
    assert!(s3.get("/_console/api/requests").await.text().contains(r#""records":[]"#));
    assert_eq!(s3.get("/_console/api/requests?after=x").await.error(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn faults_are_set_counted_and_removed() {
    let s3 = with_console().await;
    let set = post_fault(&s3, r#"{"operation":"GetObject","error":"SlowDown"}"#).await;
    assert_eq!(set.status, 204);
    s3.put("/bkt/a", b"1").await;
    assert_eq!(s3.get("/bkt/a").await.error(), (503, "SlowDown".into()));
    let told = s3.get("/_console/api/faults").await.text();
    assert!(told.contains(r#""met":1"#) && told.contains(r#""error":"SlowDown""#), "{told}");
    let id = told.split(r#""id":"#).nth(1).unwrap().split([',', '}']).next().unwrap().to_owned();
    assert_eq!(s3.send("DELETE", &format!("/_console/api/faults?id={id}"), &[], b"").await.status, 204);
    assert_eq!(s3.get("/bkt/a").await.text(), "1");
}

#[tokio::test]
async fn a_fault_that_means_nothing_is_refused_with_its_field() {
    let s3 = with_console().await;
    for (fault, named) in [
        (r#"{"operation":"Get","error":"SlowDown"}"#, "operation"),
        (r#"{"erorr":"SlowDown"}"#, "erorr"),
        ("{", "the fault can't be read"),
        ("{}", "nothing would go wrong"),
    ] {
        let reply = post_fault(&s3, fault).await;
        assert_eq!(reply.error(), (400, "InvalidArgument".into()));
        assert!(reply.element("Message").contains(named), "{}", reply.text());
    }
    assert!(s3.get("/_console/api/faults").await.text().contains(r#""faults":[]"#));
}

#[tokio::test]
async fn a_page_of_another_site_may_not_ask() {
    let s3 = with_console().await;
    for site in ["cross-site", "same-site", "none"] {
        let fault = br#"{"error":"SlowDown"}"#;
        let reply = s3.send("POST", "/_console/api/faults", &[("sec-fetch-site", site)], fault).await;
        assert_eq!(reply.error(), (403, "AccessDenied".into()));
    }
    assert!(s3.get("/_console/api/faults").await.text().contains(r#""faults":[]"#));
}

#[tokio::test]
async fn log_and_faults_are_for_the_servers_own_account() {
    let guarded = Guarded::with_accounts_and(|settings| settings.serves_console = true).await;
    for what in ["requests", "faults"] {
        let path = format!("/_console/api/{what}");
        for who in ["owner", "ann"] {
            assert_eq!(guarded.ask(who, ("GET", &path), &[], b"").await.status, 200, "{who}");
        }
        for who in ["bob", "-"] {
            for method in ["GET", "DELETE"] {
                let reply = guarded.ask(who, (method, &path), &[], b"").await;
                assert_eq!(reply.error(), (403, "AccessDenied".into()), "{who}");
            }
        }
    }
    let mut wrong = guarded.signer();
    wrong.secret = "wrong".into();
    let reply = guarded.signed(&wrong, "GET", "/_console/api/requests", b"").await;
    assert_eq!(reply.error(), (403, "SignatureDoesNotMatch".into()));
    let everybody = guarded.ask("-", ("GET", "/_console/api/server"), &[], b"").await;
    assert_eq!(everybody.status, 200);
    let told = everybody.text();
    assert!(told.contains(r#""auth":true"#) && told.contains(r#""region":"us-east-1""#), "{told}");
}
