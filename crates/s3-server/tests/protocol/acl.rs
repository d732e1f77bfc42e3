//! Access control lists: how they are set and told, and what they let whom do.

use crate::client::Reply;
use crate::guarded::{BOB_ID, EVE_ID, Guarded, OWNER_ID};

const DENIED: (u16, &str) = (403, "AccessDenied");
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

fn is(expected: (u16, &str)) -> (u16, String) {
    (expected.0, expected.1.to_owned())
}

/// Who is granted what, in order: an id or a URI, and a permission.
fn grants(reply: &Reply) -> Vec<(String, String)> {
    let read = |grant: String| {
        let element = |name: &str| {
            let (open, close) = (format!("<{name}>"), format!("</{name}>"));
            Some(grant.split_once(&open)?.1.split_once(&close)?.0.to_owned())
        };
        (element("ID").or_else(|| element("URI")).unwrap(), element("Permission").unwrap())
    };
    reply.elements("Grant").into_iter().map(read).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(who, what)| ((*who).to_owned(), (*what).to_owned())).collect()
}

fn grantee(kind: &str, content: &str) -> String {
    format!("<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\">{content}</Grantee>")
}

fn user(id: &str) -> String {
    grantee("CanonicalUser", &format!("<ID>{id}</ID>"))
}

fn document(owner: &str, grants: &[(String, &str)]) -> String {
    let grant = |(grantee, permission): &(String, &str)| {
        format!("<Grant>{grantee}<Permission>{permission}</Permission></Grant>")
    };
    let grants: String = grants.iter().map(grant).collect();
    format!(
        "<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
    )
}

impl Guarded {
    async fn status(&self, who: &str, method: &str, target: &str) -> u16 {
        self.ask(who, (method, target), &[], b"").await.status
    }

    async fn set_acl(&self, who: &str, target: &str, document: &str) -> Reply {
        self.ask(who, ("PUT", target), &[], document.as_bytes()).await
    }
}

#[tokio::test]
async fn what_was_given_no_list_is_its_owners_alone() {
    let s3 = Guarded::with_accounts().await;
    s3.put("a", b"data").await;
    for target in ["/bkt?acl=", "/bkt/a?acl="] {
        let told = s3.ask("owner", ("GET", target), &[], b"").await;
        assert_eq!(grants(&told), pairs(&[(OWNER_ID, "FULL_CONTROL")]));
        assert_eq!(told.elements("DisplayName"), ["The owner", "The owner"]);
        assert!(told.text().contains(r#"xsi:type="CanonicalUser""#), "{}", told.text());
    }
}

#[tokio::test]
async fn a_canned_list_of_a_bucket_grants_what_its_name_says() {
    let s3 = Guarded::with_accounts().await;
    let full = (OWNER_ID, "FULL_CONTROL");
    for (name, expected) in [
        ("public-read", vec![full, (ALL_USERS, "READ")]),
        ("public-read-write", vec![full, (ALL_USERS, "READ"), (ALL_USERS, "WRITE")]),
        ("authenticated-read", vec![full, (AUTHENTICATED, "READ")]),
        ("log-delivery-write", vec![full, (LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")]),
        ("bucket-owner-read", vec![full]),
        ("bucket-owner-full-control", vec![full]),
        ("private", vec![full]),
    ] {
        let by_set = s3.ask("owner", ("PUT", "/bkt?acl="), &[("x-amz-acl", name)], b"").await;
        assert_eq!(by_set.status, 200, "{name} {}", by_set.text());
        assert_eq!(grants(&s3.ask("owner", ("GET", "/bkt?acl="), &[], b"").await), pairs(&expected), "{name}");
        let bucket = format!("/made-{name}");
        assert_eq!(s3.ask("owner", ("PUT", &bucket), &[("x-amz-acl", name)], b"").await.status, 200);
        let told = s3.ask("owner", ("GET", &format!("{bucket}?acl=")), &[], b"").await;
        assert_eq!(grants(&told), pairs(&expected), "{name}");
    }
    let exec = s3.ask("owner", ("PUT", "/bkt?acl="), &[("x-amz-acl", "aws-exec-read")], b"").await;
    assert_eq!(exec.status, 200);
    assert_eq!(grants(&s3.ask("owner", ("GET", "/bkt?acl="), &[], b"").await).len(), 2);
}

#[tokio::test]
async fn a_write_of_any_kind_brings_its_list_and_a_copy_takes_none_along() {
    let s3 = Guarded::with_accounts().await;
    let public = [("x-amz-acl", "public-read")];
    let expected = pairs(&[(OWNER_ID, "FULL_CONTROL"), (ALL_USERS, "READ")]);
    assert_eq!(s3.ask("owner", ("PUT", "/bkt/put"), &public, b"data").await.status, 200);
    let copy = [("x-amz-copy-source", "bkt/put"), ("x-amz-acl", "public-read")];
    assert_eq!(s3.ask("owner", ("PUT", "/bkt/copied"), &copy, b"").await.status, 200);
    let begun = s3.ask("owner", ("POST", "/bkt/parts?uploads="), &public, b"").await;
    let id = begun.element("UploadId");
    let part = s3.ask("owner", ("PUT", &format!("/bkt/parts?partNumber=1&uploadId={id}")), &[], b"data").await;
    let etag = part.header("etag");
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    assert_eq!(s3.ask("owner", ("POST", &format!("/bkt/parts?uploadId={id}")), &[], body.as_bytes()).await.status, 200);
    for key in ["put", "copied", "parts"] {
        let told = s3.ask("owner", ("GET", &format!("/bkt/{key}?acl=")), &[], b"").await;
        assert_eq!(grants(&told), expected, "{key}");
        assert_eq!(s3.ask("-", ("GET", &format!("/bkt/{key}")), &[], b"").await.text(), "data", "{key}");
    }
    let plain = [("x-amz-copy-source", "bkt/put")];
    assert_eq!(s3.ask("owner", ("PUT", "/bkt/plain"), &plain, b"").await.status, 200);
    assert_eq!(s3.status("-", "GET", "/bkt/plain").await, 403);
    s3.put("put", b"new").await;
    assert_eq!(s3.status("-", "GET", "/bkt/put").await, 403, "an overwrite has no list but its own");
}

#[tokio::test]
async fn the_owner_of_the_bucket_is_granted_what_the_writer_says() {
    let s3 = Guarded::with_accounts().await;
    s3.ask("owner", ("PUT", "/bkt?acl="), &[("x-amz-acl", "public-read-write")], b"").await;
    for (name, permission, acl_status) in
        [("bucket-owner-read", "READ", 403), ("bucket-owner-full-control", "FULL_CONTROL", 200)]
    {
        let put = s3.ask("bob", ("PUT", "/bkt/a"), &[("x-amz-acl", name)], b"data").await;
        assert_eq!(put.status, 200, "{name}");
        let told = s3.ask("bob", ("GET", "/bkt/a?acl="), &[], b"").await;
        assert_eq!(grants(&told), pairs(&[(BOB_ID, "FULL_CONTROL"), (OWNER_ID, permission)]), "{name}");
        assert_eq!(s3.status("owner", "GET", "/bkt/a").await, 200, "{name}");
        assert_eq!(s3.status("owner", "GET", "/bkt/a?acl=").await, acl_status, "{name}");
        assert_eq!(s3.status("eve", "GET", "/bkt/a").await, 403, "{name}");
    }
}

#[tokio::test]
async fn grants_in_headers_are_the_whole_list() {
    let s3 = Guarded::with_accounts().await;
    let bob = format!("id=\"{BOB_ID}\"");
    let both = format!("uri=\"{AUTHENTICATED}\", emailAddress=eve@example.com");
    let headers = [("x-amz-grant-full-control", bob.as_str()), ("x-amz-grant-read", both.as_str())];
    assert_eq!(s3.ask("owner", ("PUT", "/bkt/a"), &headers, b"data").await.status, 200);
    let expected = pairs(&[(AUTHENTICATED, "READ"), (EVE_ID, "READ"), (BOB_ID, "FULL_CONTROL")]);
    assert_eq!(grants(&s3.ask("owner", ("GET", "/bkt/a?acl="), &[], b"").await), expected);
    assert_eq!(s3.status("bob", "GET", "/bkt/a?acl=").await, 200);
    assert_eq!((s3.status("eve", "GET", "/bkt/a").await, s3.status("-", "GET", "/bkt/a").await), (200, 403));
    assert_eq!(s3.status("eve", "GET", "/bkt/a?acl=").await, 403);
    assert_eq!(s3.status("owner", "GET", "/bkt/a").await, 200, "an owner needs no grant");

    let set = s3.ask("owner", ("PUT", "/bkt?acl="), &[("x-amz-grant-write-acp", bob.as_str())], b"").await;
    assert_eq!(set.status, 200);
    let given = s3.ask("bob", ("PUT", "/bkt?acl="), &[("x-amz-acl", "public-read")], b"").await;
    assert_eq!(given.status, 200, "{}", given.text());
    assert_eq!(s3.status("-", "GET", "/bkt").await, 200);
}

#[tokio::test]
async fn a_document_grants_to_users_groups_and_addresses() {
    let s3 = Guarded::with_accounts().await;
    s3.put("a", b"data").await;
    let granted = [
        (user(OWNER_ID), "FULL_CONTROL"),
        (user(BOB_ID), "READ_ACP"),
        (grantee("Group", &format!("<URI>{ALL_USERS}</URI>")), "READ"),
        (grantee("AmazonCustomerByEmail", "<EmailAddress>eve@example.com</EmailAddress>"), "WRITE_ACP"),
    ];
    let expected = [(OWNER_ID, "FULL_CONTROL"), (BOB_ID, "READ_ACP"), (ALL_USERS, "READ"), (EVE_ID, "WRITE_ACP")];
    for target in ["/bkt?acl=", "/bkt/a?acl="] {
        assert_eq!(s3.set_acl("owner", target, &document(OWNER_ID, &granted)).await.status, 200);
        assert_eq!(grants(&s3.ask("bob", ("GET", target), &[], b"").await), pairs(&expected), "{target}");
        assert_eq!(s3.status("eve", "GET", target).await, 403, "{target}");
    }
    assert_eq!(s3.ask("-", ("GET", "/bkt/a"), &[], b"").await.text(), "data");
    assert_eq!(s3.set_acl("eve", "/bkt/a?acl=", &document(OWNER_ID, &[])).await.status, 200);
    assert_eq!(s3.status("-", "GET", "/bkt/a").await, 403);
    assert_eq!(grants(&s3.ask("owner", ("GET", "/bkt/a?acl="), &[], b"").await), []);
}

#[tokio::test]
async fn a_permission_on_a_bucket_lets_do_what_it_names_and_nothing_else() {
    let s3 = Guarded::with_accounts().await;
    s3.put("a", b"data").await;
    for (permission, may) in [
        ("READ", [200, 403, 403, 403, 403]),
        ("WRITE", [403, 200, 204, 403, 403]),
        ("READ_ACP", [403, 403, 403, 200, 403]),
        ("WRITE_ACP", [403, 403, 403, 403, 200]),
        ("FULL_CONTROL", [200, 200, 204, 200, 200]),
    ] {
        let granted = document(OWNER_ID, &[(user(OWNER_ID), "FULL_CONTROL"), (user(BOB_ID), permission)]);
        assert_eq!(s3.set_acl("owner", "/bkt?acl=", &granted).await.status, 200);
        let found = [
            s3.status("bob", "GET", "/bkt").await,
            s3.status("bob", "PUT", "/bkt/new").await,
            s3.status("bob", "DELETE", "/bkt/new").await,
            s3.status("bob", "GET", "/bkt?acl=").await,
            s3.set_acl("bob", "/bkt?acl=", &granted).await.status,
        ];
        assert_eq!(found, may, "{permission}");
        assert_eq!(s3.status("bob", "GET", "/bkt/a").await, 403, "a bucket's list says nothing of its objects");
        assert_eq!(s3.status("eve", "GET", "/bkt").await, 403, "{permission}");
        assert_eq!(s3.status("bob", "DELETE", "/bkt").await, 403, "{permission}");
    }
}

#[tokio::test]
async fn a_permission_on_an_object_lets_do_what_it_names_and_nothing_else() {
    let s3 = Guarded::with_accounts().await;
    s3.put("a", b"data").await;
    for (permission, may) in [
        ("READ", [200, 403, 403, 403]),
        ("WRITE", [403, 403, 403, 403]),
        ("READ_ACP", [403, 200, 403, 403]),
        ("WRITE_ACP", [403, 403, 200, 403]),
        ("FULL_CONTROL", [200, 200, 200, 403]),
    ] {
        let granted = document(OWNER_ID, &[(user(BOB_ID), permission)]);
        assert_eq!(s3.set_acl("owner", "/bkt/a?acl=", &granted).await.status, 200);
        let found = [
            s3.status("bob", "GET", "/bkt/a").await,
            s3.status("bob", "GET", "/bkt/a?acl=").await,
            s3.set_acl("bob", "/bkt/a?acl=", &granted).await.status,
            s3.status("bob", "DELETE", "/bkt/a").await,
        ];
        assert_eq!(found, may, "{permission}");
        assert_eq!(s3.status("bob", "HEAD", "/bkt/a").await, may[0], "{permission}");
        assert_eq!(s3.status("eve", "GET", "/bkt/a").await, 403, "{permission}");
    }
}

#[tokio::test]
async fn each_version_has_a_list_of_its_own() {
    let s3 = Guarded::with_accounts().await;
    let enable = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    s3.ask("owner", ("PUT", "/bkt?versioning="), &[], enable).await;
    let old = s3.put("a", b"old").await.header("x-amz-version-id").to_owned();
    s3.put("a", b"new").await;
    let target = format!("/bkt/a?acl=&versionId={old}");
    let set = s3.ask("owner", ("PUT", &target), &[("x-amz-acl", "public-read")], b"").await;
    assert_eq!((set.status, set.header("x-amz-version-id")), (200, old.as_str()), "{}", set.text());
    assert_eq!(grants(&s3.ask("owner", ("GET", &target), &[], b"").await).len(), 2);
    assert_eq!(grants(&s3.ask("owner", ("GET", "/bkt/a?acl="), &[], b"").await).len(), 1);
    assert_eq!(s3.ask("-", ("GET", &format!("/bkt/a?versionId={old}")), &[], b"").await.text(), "old");
    assert_eq!(s3.status("-", "GET", "/bkt/a").await, 403);
}

#[tokio::test]
async fn a_list_that_cannot_be_is_refused_and_the_old_one_stays() {
    let s3 = Guarded::with_accounts().await;
    s3.put("a", b"data").await;
    let public = [("x-amz-acl", "public-read")];
    let many: Vec<_> = (0..101).map(|_| (user(BOB_ID), "READ")).collect();
    let group = |uri: &str| grantee("Group", &format!("<URI>{uri}</URI>"));
    let by_mail = grantee("AmazonCustomerByEmail", "<EmailAddress>none@example.com</EmailAddress>");
    for target in ["/bkt?acl=", "/bkt/a?acl="] {
        assert_eq!(s3.ask("owner", ("PUT", target), &public, b"").await.status, 200);
        for (body, expected) in [
            (document(BOB_ID, &[(user(BOB_ID), "FULL_CONTROL")]), DENIED),
            (document(OWNER_ID, &[(user("_foo"), "READ")]), (400, "InvalidArgument")),
            (document(OWNER_ID, &[(group("http://example.com"), "READ")]), (400, "InvalidArgument")),
            (document(OWNER_ID, &[(by_mail.clone(), "READ")]), (400, "UnresolvableGrantByEmailAddress")),
            (document(OWNER_ID, &[(user(BOB_ID), "EAT")]), (400, "MalformedACLError")),
            (document(OWNER_ID, &[(grantee("Sauce", ""), "READ")]), (400, "MalformedACLError")),
            (document(OWNER_ID, &many), (400, "MalformedACLError")),
            ("<AccessControlPolicy></AccessControlPolicy>".to_owned(), (400, "MalformedACLError")),
            ("<AccessControl".to_owned(), (400, "MalformedACLError")),
            (String::new(), (400, "MissingSecurityHeader")),
        ] {
            assert_eq!(s3.set_acl("owner", target, &body).await.error(), is(expected), "{target} {body}");
        }
        let both = s3.ask("owner", ("PUT", target), &public, document(OWNER_ID, &[]).as_bytes()).await;
        assert_eq!(both.error(), is((400, "UnexpectedContent")), "{target}");
        let unknown = s3.ask("owner", ("PUT", target), &[("x-amz-acl", "sauce")], b"").await;
        assert_eq!(unknown.error(), is((400, "InvalidArgument")), "{target}");
        assert_eq!(grants(&s3.ask("owner", ("GET", target), &[], b"").await).len(), 2, "{target}");
    }
    let put = s3.ask("owner", ("PUT", "/bkt/a"), &[("x-amz-grant-read", "id=_foo")], b"new").await;
    assert_eq!(put.error(), is((400, "InvalidArgument")));
    assert_eq!(s3.get("a").await.text(), "data");
}

#[tokio::test]
async fn a_public_access_block_refuses_public_lists_and_overlooks_those_that_are_there() {
    let s3 = Guarded::with_accounts().await;
    s3.ask("owner", ("PUT", "/bkt?acl="), &[("x-amz-acl", "public-read")], b"").await;
    s3.ask("owner", ("PUT", "/bkt/a"), &[("x-amz-acl", "authenticated-read")], b"data").await;
    let block =
        |flag: &str| format!("<PublicAccessBlockConfiguration><{flag}>true</{flag}></PublicAccessBlockConfiguration>");
    let target = "/bkt?publicAccessBlock=";
    s3.ask("owner", ("PUT", target), &[], block("BlockPublicAcls").as_bytes()).await;
    assert_eq!(s3.status("-", "GET", "/bkt").await, 200, "what is there stays");
    for name in ["public-read", "public-read-write", "authenticated-read"] {
        let headers = [("x-amz-acl", name)];
        for (method, target) in
            [("PUT", "/bkt?acl="), ("PUT", "/bkt/a?acl="), ("PUT", "/bkt/b"), ("POST", "/bkt/b?uploads=")]
        {
            let refused = s3.ask("owner", (method, target), &headers, b"").await;
            assert_eq!(refused.error(), is(DENIED), "{name} {method} {target}");
        }
    }
    assert_eq!(s3.ask("owner", ("PUT", "/bkt/b"), &[("x-amz-acl", "private")], b"").await.status, 200);

    s3.ask("owner", ("PUT", target), &[], block("IgnorePublicAcls").as_bytes()).await;
    assert_eq!((s3.status("-", "GET", "/bkt").await, s3.status("bob", "GET", "/bkt/a").await), (403, 403));
    assert_eq!(s3.status("owner", "GET", "/bkt/a").await, 200);
    s3.ask("owner", ("DELETE", target), &[], b"").await;
    assert_eq!((s3.status("-", "GET", "/bkt").await, s3.status("bob", "GET", "/bkt/a").await), (200, 200));
}

#[tokio::test]
async fn the_policy_status_is_that_of_the_list_too() {
    let s3 = Guarded::with_accounts().await;
    let status = "/bkt?policyStatus=";
    for (name, expected) in [("public-read", "true"), ("authenticated-read", "true"), ("private", "")] {
        s3.ask("owner", ("PUT", "/bkt?acl="), &[("x-amz-acl", name)], b"").await;
        assert_eq!(s3.ask("owner", ("GET", status), &[], b"").await.element("IsPublic"), expected, "{name}");
    }
    assert_eq!(s3.ask("owner", ("GET", status), &[], b"").await.error(), is((404, "NoSuchBucketPolicy")));
}

#[tokio::test]
async fn conditions_of_a_policy_look_at_the_list_that_a_write_brings() {
    let s3 = Guarded::with_accounts().await;
    let id = format!("id={OWNER_ID}");
    let allow = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"s3:PutObject","Resource":"arn:aws:s3:::bkt/*","Condition":{{"StringEquals":{{"s3:x-amz-grant-full-control":"{id}"}}}}}},{{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bkt/*","Condition":{{"StringLike":{{"s3:x-amz-acl":"public*"}}}}}}"#
    );
    assert_eq!(s3.put_policy(&allow).await.status, 204);
    let put = async |who, headers: &[(&str, &str)]| s3.ask(who, ("PUT", "/bkt/a"), headers, b"data").await.status;
    assert_eq!(put("bob", &[]).await, 403);
    assert_eq!(put("bob", &[("x-amz-grant-full-control", &id)]).await, 200);
    assert_eq!(s3.ask("owner", ("GET", "/bkt/a"), &[], b"").await.text(), "data");
    assert_eq!(put("owner", &[("x-amz-acl", "public-read")]).await, 403);
    assert_eq!(put("owner", &[("x-amz-acl", "private")]).await, 200);
}

#[tokio::test]
async fn where_nobody_is_asked_lists_are_told_and_every_id_that_could_be_is_taken() {
    let s3 = crate::client::Fixture::start().await;
    let foreign = "a".repeat(64);
    let grant = format!("id={foreign}");
    assert_eq!(s3.send("PUT", "/bkt/a", &[("x-amz-grant-read", &grant)], b"data").await.status, 200);
    assert_eq!(s3.send("PUT", "/bkt?acl", &[("x-amz-acl", "public-read")], b"").await.status, 200);
    assert_eq!(grants(&s3.get("/bkt/a?acl").await), pairs(&[(&foreign, "READ")]));
    assert_eq!(grants(&s3.get("/bkt?acl").await).len(), 2);
    assert_eq!(s3.get("/bkt/a").await.text(), "data");
}
