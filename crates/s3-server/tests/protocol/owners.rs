//! Who owns buckets and objects, and what owners of different accounts may do with each other's.

use crate::client::Reply;
use crate::guarded::{BOB_ID, Guarded, OWNER_ID};

const DENIED: (u16, &str) = (403, "AccessDenied");

fn error(reply: &Reply) -> (u16, String) {
    reply.error()
}

fn is(expected: (u16, &str)) -> (u16, String) {
    (expected.0, expected.1.to_owned())
}

async fn make(s3: &Guarded, who: &str, bucket: &str, headers: &[(&str, &str)]) {
    let made = s3.ask(who, ("PUT", &format!("/{bucket}")), headers, b"").await;
    assert_eq!(made.status, 200, "{}", made.text());
}

fn controls(name: &str) -> String {
    format!("<OwnershipControls><Rule><ObjectOwnership>{name}</ObjectOwnership></Rule></OwnershipControls>")
}

/// Lets everybody who signs do everything, so that only owners and lists decide.
fn policy_for_all(bucket: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"s3:*","Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"]}}]}}"#
    )
}

#[tokio::test]
async fn a_list_of_buckets_shows_ones_own_alone_with_their_owner() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "bob", "of-bob", &[]).await;
    for (who, id, names) in [("owner", OWNER_ID, "bkt"), ("ann", OWNER_ID, "bkt"), ("bob", BOB_ID, "of-bob")] {
        let list = s3.ask(who, ("GET", "/"), &[], b"").await;
        assert_eq!((list.element("ID"), list.elements("Name").concat()), (id.into(), names.into()), "{who}");
    }
    assert_eq!(s3.ask("owner", ("GET", "/"), &[], b"").await.element("DisplayName"), "The owner");
    assert_eq!(s3.ask("eve", ("GET", "/"), &[], b"").await.elements("Name").len(), 0);
    assert_eq!(error(&s3.ask("-", ("GET", "/"), &[], b"").await), is(DENIED));
}

#[tokio::test]
async fn a_name_that_somebody_else_has_is_taken_and_ones_own_is_made_again() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "bob", "of-bob", &[]).await;
    let taken = s3.ask("eve", ("PUT", "/of-bob"), &[], b"").await;
    assert_eq!(error(&taken), is((409, "BucketAlreadyExists")));
    assert_eq!(s3.ask("bob", ("PUT", "/of-bob"), &[], b"").await.status, 200);
    assert_eq!(error(&s3.ask("-", ("PUT", "/nobodys"), &[], b"").await), is(DENIED));
    assert_eq!(s3.ask("ann", ("PUT", "/bkt"), &[], b"").await.status, 200);
}

#[tokio::test]
async fn making_ones_bucket_again_gives_it_the_list_that_is_asked_for() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "bob", "of-bob", &[("x-amz-acl", "public-read")]).await;
    assert_eq!(s3.ask("eve", ("GET", "/of-bob"), &[], b"").await.status, 200);
    make(&s3, "bob", "of-bob", &[]).await;
    assert_eq!(error(&s3.ask("eve", ("GET", "/of-bob"), &[], b"").await), is(DENIED));
}

#[tokio::test]
async fn another_account_may_do_nothing_to_a_bucket_and_changes_nothing() {
    let s3 = Guarded::with_accounts().await;
    s3.put("a", b"data").await;
    let body = b"<Delete><Object><Key>a</Key></Object></Delete>";
    for (method, target, body) in [
        ("GET", "/bkt", b"".as_slice()),
        ("HEAD", "/bkt", b""),
        ("GET", "/bkt/a", b""),
        ("GET", "/bkt/none", b""),
        ("GET", "/bkt/a?attributes=", b""),
        ("GET", "/bkt/a?tagging=", b""),
        ("PUT", "/bkt/a", b"new"),
        ("PUT", "/bkt/a?tagging=", b"<Tagging><TagSet></TagSet></Tagging>"),
        ("DELETE", "/bkt/a?tagging=", b""),
        ("DELETE", "/bkt/a", b""),
        ("POST", "/bkt/a?uploads=", b""),
        ("DELETE", "/bkt", b""),
        ("GET", "/bkt?acl=", b""),
        ("PUT", "/bkt?acl=", b""),
        ("GET", "/bkt/a?acl=", b""),
        ("PUT", "/bkt/a?acl=", b""),
        ("GET", "/bkt?policy=", b""),
        ("PUT", "/bkt?policy=", b"{}"),
        ("DELETE", "/bkt?policy=", b""),
        ("GET", "/bkt?policyStatus=", b""),
        ("PUT", "/bkt?versioning=", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
        ("GET", "/bkt?versioning=", b""),
        ("GET", "/bkt?versions=", b""),
        ("GET", "/bkt?uploads=", b""),
        ("GET", "/bkt?location=", b""),
        ("PUT", "/bkt?ownershipControls=", b"<x/>"),
        ("PUT", "/bkt?publicAccessBlock=", b"<x/>"),
        ("PUT", "/bkt?tagging=", b"<Tagging><TagSet></TagSet></Tagging>"),
    ] {
        for who in ["bob", "-"] {
            let refused = s3.ask(who, (method, target), &[], body).await;
            assert_eq!(refused.status, 403, "{who} {method} {target}");
            if method != "HEAD" {
                assert_eq!(error(&refused), is(DENIED), "{who} {method} {target}");
            }
        }
    }
    let deleted = s3.ask("bob", ("POST", "/bkt?delete="), &[], body).await;
    assert!(deleted.text().contains("<Code>AccessDenied</Code>"), "{}", deleted.text());
    assert_eq!(s3.get("a").await.text(), "data");
    assert_eq!(s3.ask("owner", ("GET", "/bkt?uploads="), &[], b"").await.elements("Upload").len(), 0);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_missing_for_everybody() {
    let s3 = Guarded::with_accounts().await;
    for who in ["owner", "bob", "-"] {
        for (method, target) in [("GET", "/none"), ("GET", "/none/a"), ("PUT", "/none/a"), ("DELETE", "/none/a")] {
            let missing = s3.ask(who, (method, target), &[], b"").await;
            assert_eq!(error(&missing), is((404, "NoSuchBucket")), "{who} {method} {target}");
        }
        let body = b"<Delete><Object><Key>a</Key></Object></Delete>";
        let missing = s3.ask(who, ("POST", "/none?delete="), &[], body).await;
        assert_eq!(error(&missing), is((404, "NoSuchBucket")), "{who}");
    }
}

#[tokio::test]
async fn a_missing_key_is_missing_for_those_who_may_list_and_denied_to_the_others() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "owner", "listed", &[("x-amz-acl", "public-read")]).await;
    for who in ["-", "bob"] {
        assert_eq!(error(&s3.ask(who, ("GET", "/listed/none"), &[], b"").await), is((404, "NoSuchKey")), "{who}");
        assert_eq!(error(&s3.ask(who, ("GET", "/bkt/none"), &[], b"").await), is(DENIED), "{who}");
    }
    let reading = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/*"}"#;
    assert_eq!(s3.put_policy(reading).await.status, 204);
    assert_eq!(error(&s3.ask("-", ("GET", "/bkt/none"), &[], b"").await), is(DENIED));
    assert_eq!(error(&s3.ask("ann", ("GET", "/bkt/none"), &[], b"").await), is((404, "NoSuchKey")));
}

#[tokio::test]
async fn whoever_writes_an_object_owns_it_and_the_owner_of_the_bucket_may_delete_but_not_read_it() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "owner", "shared", &[("x-amz-acl", "public-read-write")]).await;
    assert_eq!(s3.ask("bob", ("PUT", "/shared/a"), &[], b"of bob").await.status, 200);
    assert_eq!(s3.ask("bob", ("GET", "/shared/a"), &[], b"").await.text(), "of bob");
    for who in ["owner", "ann", "eve", "-"] {
        assert_eq!(error(&s3.ask(who, ("GET", "/shared/a"), &[], b"").await), is(DENIED), "{who}");
        assert_eq!(error(&s3.ask(who, ("GET", "/shared/a?acl="), &[], b"").await), is(DENIED), "{who}");
        let source = [("x-amz-copy-source", "shared/a")];
        let copied = s3.ask(who, ("PUT", "/shared/copy"), &source, b"").await;
        assert_eq!(error(&copied), is(DENIED), "{who}");
    }
    let listed = s3.ask("owner", ("GET", "/shared"), &[], b"").await;
    assert_eq!(listed.element("ID"), BOB_ID);
    let policy = policy_for_all("shared");
    s3.ask("owner", ("PUT", "/shared?policy="), &[], policy.as_bytes()).await;
    let by_policy = s3.ask("eve", ("GET", "/shared/a"), &[], b"").await;
    assert_eq!(error(&by_policy), is(DENIED), "a policy gives away what its bucket's owner owns");
    assert_eq!(s3.ask("owner", ("DELETE", "/shared/a"), &[], b"").await.status, 204);
    assert_eq!(error(&s3.ask("bob", ("GET", "/shared/a"), &[], b"").await), is((404, "NoSuchKey")));
}

#[tokio::test]
async fn what_nobody_known_writes_is_the_bucket_owners() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "owner", "shared", &[("x-amz-acl", "public-read-write")]).await;
    assert_eq!(s3.ask("-", ("PUT", "/shared/a"), &[], b"data").await.status, 200);
    assert_eq!(s3.ask("owner", ("GET", "/shared/a"), &[], b"").await.text(), "data");
    assert_eq!(error(&s3.ask("-", ("GET", "/shared/a"), &[], b"").await), is(DENIED));
}

#[tokio::test]
async fn ownership_controls_decide_who_owns_what_another_account_writes() {
    let s3 = Guarded::with_accounts().await;
    let full = [("x-amz-acl", "bucket-owner-full-control")];
    for (ownership, plain, handed_over) in [
        ("ObjectWriter", BOB_ID, BOB_ID),
        ("BucketOwnerPreferred", BOB_ID, OWNER_ID),
        ("BucketOwnerEnforced", OWNER_ID, OWNER_ID),
    ] {
        let bucket = ownership.to_ascii_lowercase();
        make(&s3, "owner", &bucket, &[("x-amz-object-ownership", ownership)]).await;
        let told = s3.ask("owner", ("GET", &format!("/{bucket}?ownershipControls=")), &[], b"").await;
        assert_eq!(told.element("ObjectOwnership"), ownership);
        s3.ask("owner", ("PUT", &format!("/{bucket}?policy=")), &[], policy_for_all(&bucket).as_bytes()).await;
        for (key, headers, expected) in [("a", [].as_slice(), plain), ("b", &full, handed_over)] {
            assert_eq!(s3.ask("bob", ("PUT", &format!("/{bucket}/{key}")), headers, b"x").await.status, 200);
            let target = format!("/{bucket}/{key}?acl=");
            let acl = s3.ask(if expected == BOB_ID { "bob" } else { "owner" }, ("GET", &target), &[], b"").await;
            assert_eq!(acl.element("ID"), expected, "{ownership} {key} {}", acl.text());
            let upload = s3.ask("bob", ("POST", &format!("/{bucket}/up-{key}?uploads=")), headers, b"").await;
            let id = upload.element("UploadId");
            let target = format!("/{bucket}/up-{key}?partNumber=1&uploadId={id}");
            let etag = s3.ask("bob", ("PUT", &target), &[], b"x").await.header("etag").to_owned();
            let parts = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
            let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
            let target = format!("/{bucket}/up-{key}?uploadId={id}");
            assert_eq!(s3.ask("bob", ("POST", &target), &[], body.as_bytes()).await.status, 200);
        }
        let listed = s3.ask("owner", ("GET", &format!("/{bucket}")), &[], b"").await;
        assert_eq!(listed.elements("ID"), [plain, handed_over, plain, handed_over], "{ownership}");
    }
}

#[tokio::test]
async fn enforcing_the_bucket_owner_turns_lists_off_and_needs_a_bucket_without_other_grants() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "owner", "open", &[("x-amz-acl", "public-read")]).await;
    s3.ask("owner", ("PUT", "/open/a"), &[("x-amz-acl", "public-read")], b"data").await;
    let enforce = controls("BucketOwnerEnforced");
    let refused = s3.ask("owner", ("PUT", "/open?ownershipControls="), &[], enforce.as_bytes()).await;
    assert_eq!(error(&refused), is((400, "InvalidBucketAclWithObjectOwnership")));
    s3.ask("owner", ("PUT", "/open?acl="), &[("x-amz-acl", "private")], b"").await;
    assert_eq!(s3.ask("-", ("GET", "/open/a"), &[], b"").await.status, 200);
    assert_eq!(s3.ask("owner", ("PUT", "/open?ownershipControls="), &[], enforce.as_bytes()).await.status, 200);
    assert_eq!(error(&s3.ask("-", ("GET", "/open/a"), &[], b"").await), is(DENIED));

    let unsupported = is((400, "AccessControlListNotSupported"));
    for target in ["/open?acl=", "/open/a?acl="] {
        let set = s3.ask("owner", ("PUT", target), &[("x-amz-acl", "private")], b"").await;
        assert_eq!(error(&set), unsupported, "{target}");
        assert_eq!(s3.ask("owner", ("GET", target), &[], b"").await.elements("Permission"), ["FULL_CONTROL"]);
    }
    for (header, value) in [("x-amz-acl", "public-read"), ("x-amz-grant-read", "id=none")] {
        let put = s3.ask("owner", ("PUT", "/open/b"), &[(header, value)], b"x").await;
        assert_eq!(error(&put), unsupported, "{header}");
    }
    for harmless in ["private", "bucket-owner-full-control"] {
        assert_eq!(s3.ask("owner", ("PUT", "/open/b"), &[("x-amz-acl", harmless)], b"x").await.status, 200);
    }
    let headers = [("x-amz-acl", "public-read"), ("x-amz-object-ownership", "BucketOwnerEnforced")];
    let made = s3.ask("owner", ("PUT", "/another"), &headers, b"").await;
    assert_eq!(error(&made), is((400, "InvalidBucketAclWithObjectOwnership")));
    let unknown = s3.ask("owner", ("PUT", "/another"), &[("x-amz-object-ownership", "Sauce")], b"").await;
    assert_eq!(error(&unknown), is((400, "InvalidArgument")));
    assert_eq!(error(&s3.ask("owner", ("HEAD", "/another"), &[], b"").await).0, 404);
}

#[tokio::test]
async fn a_policy_names_other_accounts_and_only_the_owner_may_touch_it() {
    let s3 = Guarded::with_accounts().await;
    s3.put("a", b"data").await;
    let all = r#""Action":"s3:*","Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]"#;
    for principal in [
        format!(r#"{{"CanonicalUser":"{BOB_ID}"}}"#),
        r#"{"AWS":"arn:aws:iam::000000000000:user/bob"}"#.to_owned(),
        format!(r#"{{"AWS":"arn:aws:iam::{BOB_ID}:root"}}"#),
    ] {
        assert_eq!(s3.put_policy(&format!(r#"{{"Effect":"Allow","Principal":{principal},{all}}}"#)).await.status, 204);
        assert_eq!(s3.ask("bob", ("GET", "/bkt/a"), &[], b"").await.text(), "data", "{principal}");
        assert_eq!(error(&s3.ask("eve", ("GET", "/bkt/a"), &[], b"").await), is(DENIED), "{principal}");
        let touched = s3.ask("bob", ("DELETE", "/bkt?policy="), &[], b"").await;
        assert_eq!(error(&touched), is((405, "MethodNotAllowed")), "{principal}");
    }
    let deny = format!(r#"{{"Effect":"Deny","Principal":"*",{all}}}"#);
    assert_eq!(s3.put_policy(&deny).await.status, 204);
    assert_eq!(error(&s3.ask("owner", ("GET", "/bkt/a"), &[], b"").await), is(DENIED));
    assert_eq!(error(&s3.ask("bob", ("GET", "/bkt?policy="), &[], b"").await), is(DENIED));
    assert_eq!(s3.ask("ann", ("DELETE", "/bkt?policy="), &[], b"").await.status, 204);
    assert_eq!(s3.ask("owner", ("GET", "/bkt/a"), &[], b"").await.text(), "data");
}

#[tokio::test]
async fn an_upload_belongs_to_whoever_began_it_who_may_list_and_abort_it() {
    let s3 = Guarded::with_accounts().await;
    make(&s3, "owner", "shared", &[("x-amz-acl", "public-read-write")]).await;
    let begun = s3.ask("bob", ("POST", "/shared/a?uploads="), &[], b"").await;
    let target = format!("/shared/a?uploadId={}", begun.element("UploadId"));
    let parts = s3.ask("bob", ("GET", &target), &[], b"").await;
    assert_eq!(parts.elements("ID"), [BOB_ID, BOB_ID], "{}", parts.text());
    assert_eq!(s3.ask("owner", ("GET", &target), &[], b"").await.status, 200);
    for (who, method) in [("eve", "GET"), ("eve", "DELETE"), ("-", "DELETE")] {
        assert_eq!(error(&s3.ask(who, (method, &target), &[], b"").await), is(DENIED), "{who} {method}");
    }
    let listed = s3.ask("eve", ("GET", "/shared?uploads="), &[], b"").await;
    assert_eq!(listed.elements("ID"), [BOB_ID, BOB_ID]);
    assert_eq!(s3.ask("bob", ("DELETE", &target), &[], b"").await.status, 204);
}
