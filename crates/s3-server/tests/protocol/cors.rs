//! Browsers of other origins: the rules of a bucket, and those of the whole server beside them.

use holdfast_s3_server::CorsRules;

use crate::client::{Fixture, Reply};
use crate::guarded::Guarded;

fn rule(origins: &[&str], methods: &[&str], more: &str) -> String {
    let origins: String = origins.iter().map(|origin| format!("<AllowedOrigin>{origin}</AllowedOrigin>")).collect();
    let methods: String = methods.iter().map(|method| format!("<AllowedMethod>{method}</AllowedMethod>")).collect();
    format!("<CORSRule>{methods}{origins}{more}</CORSRule>")
}

fn document(rules: &[String]) -> String {
    format!("<CORSConfiguration>{}</CORSConfiguration>", rules.concat())
}

async fn set(s3: &Fixture, rules: &[String]) {
    let set = s3.put("/bkt?cors", document(rules).as_bytes()).await;
    assert_eq!(set.status, 200, "{}", set.text());
}

/// Which origin and methods an answer lets in.
fn lets(reply: &Reply) -> (&str, &str) {
    (reply.header("access-control-allow-origin"), reply.header("access-control-allow-methods"))
}

async fn preflight(s3: &Fixture, target: &str, origin: &str, method: &str, headers: &str) -> Reply {
    let mut sent = vec![("origin", origin), ("access-control-request-method", method)];
    if !headers.is_empty() {
        sent.push(("access-control-request-headers", headers));
    }
    s3.send("OPTIONS", target, &sent, b"").await
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn rules_are_kept_told_and_deleted() {
    let s3 = Fixture::start().await;
    let none = is(404, "NoSuchCORSConfiguration");
    assert_eq!(s3.get("/bkt?cors").await.error(), none);
    let more = "<ID>first</ID><AllowedHeader>x-amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>";
    set(&s3, &[rule(&["http://a", "*.b"], &["GET", "PUT"], more), rule(&["*"], &["HEAD"], "")]).await;
    let told = s3.get("/bkt?cors").await;
    assert_eq!(told.elements("AllowedOrigin"), ["http://a", "*.b", "*"]);
    assert_eq!(told.elements("AllowedMethod"), ["GET", "PUT", "HEAD"]);
    assert_eq!(
        ["ID", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds"].map(|name| told.element(name)),
        ["first", "x-amz-*", "ETag", "60"]
    );
    assert_eq!(s3.send("DELETE", "/bkt?cors", &[], b"").await.status, 204);
    assert_eq!(s3.get("/bkt?cors").await.error(), none);
    assert_eq!(s3.send("DELETE", "/bkt?cors", &[], b"").await.status, 204);
    assert_eq!(s3.get("/none?cors").await.error(), is(404, "NoSuchBucket"));
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused_and_the_old_ones_stay() {
    let s3 = Fixture::start().await;
    set(&s3, &[rule(&["http://old"], &["GET"], "")]).await;
    let id = |id: &str| rule(&["*"], &["GET"], &format!("<ID>{id}</ID>"));
    for (rules, expected) in [
        (vec![], "MalformedXML"),
        (vec![rule(&[], &["GET"], "")], "MalformedXML"),
        (vec![rule(&["*"], &[], "")], "MalformedXML"),
        (vec![rule(&["*"], &["GET"], "<Sauce/>")], "MalformedXML"),
        (vec![rule(&["*"], &["GET"], "<MaxAgeSeconds>soon</MaxAgeSeconds>")], "MalformedXML"),
        (vec![rule(&["*"], &["GET"], ""); 101], "MalformedXML"),
        (vec![rule(&["*"], &["OPTIONS"], "")], "InvalidRequest"),
        (vec![rule(&["*"], &["get"], "")], "InvalidRequest"),
        (vec![rule(&["http://*.*"], &["GET"], "")], "InvalidRequest"),
        (vec![rule(&["*"], &["GET"], "<AllowedHeader>*-*</AllowedHeader>")], "InvalidRequest"),
        (vec![rule(&["*"], &["GET"], "<ExposeHeader>x-*</ExposeHeader>")], "InvalidRequest"),
        (vec![id("one"), id("one")], "InvalidRequest"),
        (vec![id(&"a".repeat(256))], "InvalidArgument"),
    ] {
        let refused = s3.put("/bkt?cors", document(&rules).as_bytes()).await;
        assert_eq!(refused.error(), is(400, expected), "{:.200}", rules.concat());
    }
    assert_eq!(s3.get("/bkt?cors").await.element("AllowedOrigin"), "http://old");
    set(&s3, &vec![rule(&["*"], &["GET"], ""); 100]).await;
}

#[tokio::test]
async fn a_browser_is_told_what_it_may_send() {
    let s3 = Fixture::start().await;
    let more =
        "<AllowedHeader>X-Amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>";
    set(&s3, &[rule(&["*suffix"], &["GET", "HEAD"], ""), rule(&["start*end"], &["PUT"], more)]).await;
    for target in ["/bkt", "/bkt/k"] {
        let allowed = preflight(&s3, target, "foo.suffix", "GET", "").await;
        assert_eq!((allowed.status, lets(&allowed)), (200, ("foo.suffix", "GET, HEAD")), "{target}");
        assert_eq!(allowed.header("access-control-allow-credentials"), "true");
        assert!(allowed.header("vary").contains("Origin"));
    }
    let allowed = preflight(&s3, "/bkt/k", "start1end", "PUT", "x-amz-date, X-Amz-Acl").await;
    assert_eq!((allowed.status, lets(&allowed)), (200, ("start1end", "PUT")));
    assert_eq!(
        ["allow-headers", "expose-headers", "max-age"]
            .map(|name| allowed.header(&format!("access-control-{name}")).to_owned()),
        ["x-amz-date, x-amz-acl", "ETag", "60"]
    );
    for (origin, method, headers) in [
        ("foo.suffix.get", "GET", ""),
        ("foo.suffix", "PUT", ""),
        ("0start1end", "PUT", ""),
        ("start1end", "PUT", "content-type"),
        ("foo.suffix", "GET", "x-amz-date"),
    ] {
        let refused = preflight(&s3, "/bkt/k", origin, method, headers).await;
        assert_eq!(refused.error(), is(403, "AccessForbidden"), "{origin} {method} {headers}");
        assert_eq!(lets(&refused), ("", ""), "{origin} {method} {headers}");
    }
}

#[tokio::test]
async fn a_question_without_what_it_is_about_is_none_and_without_rules_nobody_may() {
    let s3 = Fixture::start().await;
    set(&s3, &[rule(&["*"], &["GET"], "")]).await;
    for headers in [&[][..], &[("origin", "http://a")], &[("access-control-request-method", "GET")]] {
        assert_eq!(s3.send("OPTIONS", "/bkt", headers, b"").await.error(), is(400, "BadRequest"), "{headers:?}");
    }
    s3.send("DELETE", "/bkt?cors", &[], b"").await;
    for target in ["/bkt", "/bkt/k", "/none", "/"] {
        let refused = preflight(&s3, target, "http://a", "GET", "").await;
        assert_eq!(refused.error(), is(403, "AccessForbidden"), "{target}");
    }
}

#[tokio::test]
async fn a_page_may_read_answers_and_errors_too() {
    let s3 = Fixture::start().await;
    s3.put("/bkt/k", b"data").await;
    set(&s3, &[rule(&["http://a"], &["GET"], "<ExposeHeader>ETag</ExposeHeader>"), rule(&["*"], &["HEAD"], "")]).await;
    let get = async |target: &str, origin: &str| s3.send("GET", target, &[("origin", origin)], b"").await;
    for (target, status) in [("/bkt/k", 200), ("/bkt/none", 404), ("/bkt", 200)] {
        let answer = get(target, "http://a").await;
        assert_eq!((answer.status, lets(&answer)), (status, ("http://a", "GET")), "{target}");
        assert_eq!(answer.header("access-control-expose-headers"), "ETag");
    }
    assert_eq!(lets(&get("/bkt/k", "http://b").await), ("", ""));
    let head = s3.send("HEAD", "/bkt/k", &[("origin", "http://b")], b"").await;
    assert_eq!(lets(&head), ("*", "HEAD"));
    assert_eq!(head.header("access-control-allow-credentials"), "", "any origin has no credentials");
    assert_eq!(lets(&s3.get("/bkt/k").await), ("", ""), "nobody asked");
    let put = [("origin", "http://a"), ("access-control-request-method", "GET")];
    assert_eq!(lets(&s3.send("PUT", "/bkt/k", &put, b"new").await), ("http://a", "GET"));
}

#[tokio::test]
async fn rules_of_the_server_hold_where_those_of_the_bucket_say_nothing() {
    let of_server = CorsRules {
        allowed_origins: vec!["http://everywhere".into()],
        allowed_methods: vec!["GET".into()],
        allowed_headers: vec!["*".into()],
        exposed_headers: Vec::new(),
        max_age_s: 5,
        allow_credentials: false,
    };
    let s3 = Fixture::with(|settings| settings.cors = Some(of_server)).await;
    set(&s3, &[rule(&["http://a"], &["PUT"], "")]).await;
    assert_eq!(lets(&preflight(&s3, "/bkt/k", "http://a", "PUT", "").await), ("http://a", "PUT"));
    for target in ["/bkt/k", "/other", "/"] {
        let allowed = preflight(&s3, target, "http://everywhere", "GET", "").await;
        assert_eq!(lets(&allowed), ("http://everywhere", "GET"), "{target}");
        assert_eq!(allowed.header("vary"), "Origin");
    }
    assert_eq!(preflight(&s3, "/bkt/k", "http://b", "GET", "").await.status, 403);
    let got = s3.send("GET", "/bkt", &[("origin", "http://everywhere")], b"").await;
    assert_eq!(got.header("access-control-allow-origin"), "http://everywhere");
}

#[tokio::test]
async fn a_browser_asks_without_a_signature_and_only_owners_set_the_rules() {
    let s3 = Guarded::with_accounts().await;
    let rules = document(&[rule(&["*"], &["GET"], "")]);
    for who in ["bob", "-"] {
        for method in ["PUT", "GET", "DELETE"] {
            let refused = s3.ask(who, (method, "/bkt?cors="), &[], rules.as_bytes()).await;
            assert_eq!(refused.error(), is(403, "AccessDenied"), "{who} {method}");
        }
    }
    assert_eq!(s3.ask("owner", ("PUT", "/bkt?cors="), &[], rules.as_bytes()).await.status, 200);
    let allowed = preflight(&s3.s3, "/bkt/k", "http://a", "GET", "").await;
    assert_eq!((allowed.status, lets(&allowed)), (200, ("*", "GET")));
    let refused = s3.ask("-", ("GET", "/bkt/k"), &[("origin", "http://a")], b"").await;
    assert_eq!((refused.error(), lets(&refused)), (is(403, "AccessDenied"), ("*", "GET")));
}
