//! Who may do what: conditions of policies, public access blocks, ownership controls.

use crate::guarded::Guarded;
use crate::signer::sha256;

const PUBLIC: &str =
    r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]}"#;

fn block(flag: &str) -> String {
    format!("<PublicAccessBlockConfiguration><{flag}>true</{flag}></PublicAccessBlockConfiguration>")
}

#[tokio::test]
async fn a_condition_looks_at_the_request() {
    let s3 = Guarded::start().await;
    s3.put("a/1", b"data").await;
    let listing = r#"{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bkt","Condition":{"StringEquals":{"s3:prefix":"a/"},"NumericLessThanEquals":{"s3:max-keys":10}}}"#;
    let reading = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/*","Condition":{"StringLike":{"aws:Referer":"http://here/*"},"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}}"#;
    assert_eq!(s3.put_policy(&format!("{listing},{reading}")).await.status, 204);
    assert_eq!(s3.s3.get("/bkt?prefix=a%2F&max-keys=10").await.status, 200);
    for refused in ["/bkt?prefix=a%2F", "/bkt?prefix=a%2F&max-keys=11", "/bkt?prefix=b&max-keys=1", "/bkt?max-keys=1"] {
        assert_eq!(s3.s3.get(refused).await.error(), (403, "AccessDenied".into()), "{refused}");
    }
    let read =
        |referer: &'static str| async { s3.s3.send("GET", "/bkt/a/1", &[("referer", referer)], b"").await.status };
    assert_eq!((read("http://here/x").await, read("http://there/x").await), (200, 403));
    assert_eq!(s3.s3.get("/bkt/a/1").await.status, 403);
}

#[tokio::test]
async fn a_condition_looks_at_the_tags_that_an_object_has() {
    let s3 = Guarded::start().await;
    for (key, tags) in [("open", "public=yes"), ("closed", "public=no"), ("plain", "")] {
        let target = format!("/bkt/{key}");
        let headers = s3.signer().headers("PUT", &target, &sha256(b"data"), &[("x-amz-tagging", tags)]);
        assert_eq!(s3.send("PUT", &target, &headers, b"data").await.status, 200);
    }
    let allow = r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bkt/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/public":"yes"}}}"#;
    assert_eq!(s3.put_policy(allow).await.status, 204);
    assert_eq!(s3.s3.get("/bkt/open").await.text(), "data");
    for key in ["closed", "plain", "missing"] {
        assert_eq!(s3.s3.get(&format!("/bkt/{key}")).await.error(), (403, "AccessDenied".into()), "{key}");
    }
}

#[tokio::test]
async fn a_condition_on_tags_looks_at_the_version_that_is_asked_for_also_in_a_copy_and_a_list_of_deletes() {
    let s3 = Guarded::start().await;
    let enable = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(s3.signed(&s3.signer(), "PUT", "/bkt?versioning=", enable).await.status, 200);
    let mut versions = Vec::new();
    for tags in ["secret=yes", "secret=no"] {
        let headers = s3.signer().headers("PUT", "/bkt/a", &sha256(b"data"), &[("x-amz-tagging", tags)]);
        let put = s3.send("PUT", "/bkt/a", &headers, b"data").await;
        versions.push(put.header("x-amz-version-id").to_owned());
    }
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":["s3:GetObject*","s3:DeleteObject*"],"Resource":"arn:aws:s3:::bkt/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/secret":"yes"}}}"#;
    assert_eq!(s3.put_policy(deny).await.status, 204);
    for (version, status) in versions.iter().zip([403, 200]) {
        let target = format!("/bkt/a?versionId={version}");
        assert_eq!(s3.signed(&s3.signer(), "GET", &target, b"").await.status, status);
        let source = format!("bkt/a?versionId={version}");
        let copy = s3.signer().headers("PUT", "/bkt/b", &sha256(b""), &[("x-amz-copy-source", &source)]);
        assert_eq!(s3.send("PUT", "/bkt/b", &copy, b"").await.status, status);
    }
    assert_eq!(s3.get("a").await.status, 200);
    let body = format!("<Delete><Object><Key>a</Key><VersionId>{}</VersionId></Object></Delete>", versions[0]);
    let deleted = s3.signed(&s3.signer(), "POST", "/bkt?delete=", body.as_bytes()).await;
    assert!(deleted.text().contains("<Code>AccessDenied</Code>"), "{}", deleted.text());
}

#[tokio::test]
async fn a_user_is_denied_by_name_and_the_others_are_not() {
    let s3 = Guarded::start().await;
    s3.put("a", b"data").await;
    let deny = r#"{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},"NotAction":"s3:ListBucket","Resource":["arn:aws:s3:::bkt","arn:aws:s3:::bkt/*"]}"#;
    assert_eq!(s3.put_policy(deny).await.status, 204);
    assert_eq!(s3.signed(&s3.signer_of_ann(), "GET", "/bkt/a", b"").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.signed(&s3.signer_of_ann(), "GET", "/bkt", b"").await.status, 200);
    assert_eq!(s3.get("a").await.status, 200);
}

#[tokio::test]
async fn what_a_policy_says_that_is_not_known_keeps_the_old_one() {
    let s3 = Guarded::start().await;
    s3.put_policy(PUBLIC).await;
    for unknown in [
        r#""Condition":{"StringSauce":{"aws:Referer":"x"}}"#,
        r#""Condition":{"StringEquals":{"aws:Sauce":"x"}}"#,
        r#""Sauce":"x""#,
    ] {
        let statement = PUBLIC.replacen("\"Effect\"", &format!("{unknown},\"Effect\""), 1);
        assert_eq!(s3.put_policy(&statement).await.error(), (400, "MalformedPolicy".into()), "{unknown}");
    }
    assert_eq!(s3.s3.get("/bkt").await.status, 200);
}

#[tokio::test]
async fn a_public_access_block_is_set_told_and_deleted() {
    let s3 = Guarded::start().await;
    let signer = s3.signer();
    let target = "/bkt?publicAccessBlock=";
    let none = (404, "NoSuchPublicAccessBlockConfiguration".into());
    assert_eq!(s3.signed(&signer, "GET", target, b"").await.error(), none);
    let set = s3.signed(&signer, "PUT", target, block("IgnorePublicAcls").as_bytes()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let told = s3.signed(&signer, "GET", target, b"").await;
    assert_eq!(told.element("IgnorePublicAcls"), "true");
    assert_eq!(told.element("BlockPublicPolicy"), "false");
    let wrong = block("IgnorePublicAcls").replace("true", "maybe");
    assert_eq!(s3.signed(&signer, "PUT", target, wrong.as_bytes()).await.error(), (400, "MalformedXML".into()));
    assert_eq!(s3.signed(&signer, "DELETE", target, b"").await.status, 204);
    assert_eq!(s3.signed(&signer, "GET", target, b"").await.error(), none);
    let nowhere = s3.signed(&signer, "GET", "/nowhere?publicAccessBlock=", b"").await;
    assert_eq!(nowhere.error(), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn a_block_refuses_public_policies_and_restricts_those_that_are_there() {
    let s3 = Guarded::start().await;
    let signer = s3.signer();
    s3.put("a", b"data").await;
    let status = "/bkt?policyStatus=";
    assert_eq!(s3.signed(&signer, "GET", status, b"").await.error(), (404, "NoSuchBucketPolicy".into()));
    assert_eq!(s3.put_policy(PUBLIC).await.status, 204);
    assert_eq!(s3.signed(&signer, "GET", status, b"").await.element("IsPublic"), "true");
    assert_eq!(s3.s3.get("/bkt/a").await.status, 200);

    let target = "/bkt?publicAccessBlock=";
    s3.signed(&signer, "PUT", target, block("RestrictPublicBuckets").as_bytes()).await;
    assert_eq!(s3.s3.get("/bkt/a").await.error(), (403, "AccessDenied".into()));
    assert_eq!(s3.get("a").await.status, 200);

    s3.signed(&signer, "PUT", target, block("BlockPublicPolicy").as_bytes()).await;
    assert_eq!(s3.put_policy(PUBLIC).await.error(), (403, "AccessDenied".into()));
    let narrow = PUBLIC
        .replace("\"Principal\"", "\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"127.0.0.0/8\"}},\"Principal\"");
    assert_eq!(s3.put_policy(&narrow).await.status, 204);
    assert_eq!(s3.signed(&signer, "GET", status, b"").await.element("IsPublic"), "false");
    assert_eq!(s3.s3.get("/bkt/a").await.status, 200);
}

#[tokio::test]
async fn ownership_controls_are_kept_and_given_back() {
    let s3 = Guarded::start().await;
    let signer = s3.signer();
    let target = "/bkt?ownershipControls=";
    let none = (404, "OwnershipControlsNotFoundError".into());
    let controls = |rules: &str| format!("<OwnershipControls>{rules}</OwnershipControls>");
    let rule = |name: &str| format!("<Rule><ObjectOwnership>{name}</ObjectOwnership></Rule>");
    assert_eq!(s3.signed(&signer, "GET", target, b"").await.error(), none);
    for name in ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] {
        assert_eq!(s3.signed(&signer, "PUT", target, controls(&rule(name)).as_bytes()).await.status, 200);
        assert_eq!(s3.signed(&signer, "GET", target, b"").await.element("ObjectOwnership"), name);
    }
    for wrong in [String::new(), rule("Somebody"), rule("ObjectWriter").repeat(2)] {
        let refused = s3.signed(&signer, "PUT", target, controls(&wrong).as_bytes()).await;
        assert_eq!(refused.error(), (400, "MalformedXML".into()), "{wrong}");
    }
    assert_eq!(s3.signed(&signer, "DELETE", target, b"").await.status, 204);
    assert_eq!(s3.signed(&signer, "GET", target, b"").await.error(), none);
    let unsigned = s3.s3.send("PUT", "/bkt?ownershipControls", &[], controls(&rule("ObjectWriter")).as_bytes()).await;
    assert_eq!(unsigned.error(), (403, "AccessDenied".into()));
}
