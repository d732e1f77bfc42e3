//! Settings of a bucket that are checked, kept and given back.

use crate::client::Fixture;
use crate::guarded::Guarded;

async fn refused(s3: &Fixture, target: &str, body: &str) -> String {
    let refused = s3.put(target, body.as_bytes()).await;
    assert_eq!(refused.status, 400, "{body}: {}", refused.text());
    refused.element("Code")
}

#[tokio::test]
async fn a_website_is_kept_until_it_is_deleted() {
    let s3 = Fixture::start().await;
    let missing = (404, "NoSuchWebsiteConfiguration".to_owned());
    assert_eq!(s3.get("/bkt?website").await.error(), missing);
    let rule = "<RoutingRule><Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition>\
        <Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect></RoutingRule>";
    let site = format!(
        "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>\
         <ErrorDocument><Key>error.html</Key></ErrorDocument><RoutingRules>{rule}</RoutingRules></WebsiteConfiguration>"
    );
    assert_eq!(s3.put("/bkt?website", site.as_bytes()).await.status, 200);
    let told = s3.get("/bkt?website").await;
    assert_eq!((told.element("Suffix"), told.element("Key")), ("index.html".into(), "error.html".into()));
    assert!(told.text().contains(rule) && told.text().contains("xmlns="), "{}", told.text());
    assert_eq!(s3.send("DELETE", "/bkt?website", &[], b"").await.status, 204);
    assert_eq!(s3.get("/bkt?website").await.error(), missing);
    assert_eq!(s3.get("/none?website").await.error(), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn a_website_that_can_not_be_is_refused_and_the_old_one_stays() {
    let s3 = Fixture::start().await;
    let of = |inner: &str| format!("<WebsiteConfiguration>{inner}</WebsiteConfiguration>");
    let redirect = "<RedirectAllRequestsTo><HostName>here</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>";
    assert_eq!(s3.put("/bkt?website", of(redirect).as_bytes()).await.status, 200);
    let index = "<IndexDocument><Suffix>i</Suffix></IndexDocument>";
    let rule = |inner: &str| format!("{index}<RoutingRules><RoutingRule>{inner}</RoutingRule></RoutingRules>");
    let many = "<RoutingRule><Redirect><HostName>h</HostName></Redirect></RoutingRule>".repeat(51);
    for (inner, code) in [
        (String::new(), "InvalidArgument"),
        ("<Other/>".into(), "MalformedXML"),
        ("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>".into(), "InvalidArgument"),
        ("<IndexDocument><Suffix></Suffix></IndexDocument>".into(), "InvalidArgument"),
        (format!("{index}<ErrorDocument><Key></Key></ErrorDocument>"), "InvalidArgument"),
        (format!("{index}{redirect}"), "InvalidRequest"),
        (redirect.replace("https", "ftp"), "InvalidRequest"),
        (rule("<Redirect/>"), "MalformedXML"),
        (rule("<Condition/><Redirect><HostName>h</HostName></Redirect>"), "InvalidRequest"),
        (rule("<Redirect><HttpRedirectCode>300</HttpRedirectCode></Redirect>"), "InvalidRequest"),
        (
            rule(
                "<Redirect><ReplaceKeyWith>a</ReplaceKeyWith><ReplaceKeyPrefixWith>a</ReplaceKeyPrefixWith></Redirect>",
            ),
            "InvalidRequest",
        ),
        (format!("{index}<RoutingRules>{many}</RoutingRules>"), "InvalidRequest"),
    ] {
        assert_eq!(refused(&s3, "/bkt?website", &of(&inner)).await, code, "{inner:.200}");
    }
    assert_eq!(s3.get("/bkt?website").await.element("HostName"), "here");
}

#[tokio::test]
async fn logging_goes_to_a_bucket_that_is_there() {
    let s3 = Fixture::start().await;
    assert_eq!(s3.get("/bkt?logging").await.element("TargetBucket"), "");
    assert!(s3.get("/bkt?logging").await.text().contains("<BucketLoggingStatus"));
    let grant = "<TargetGrants><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">\
        <ID>abc</ID></Grantee><Permission>READ</Permission></Grant></TargetGrants>";
    let to = |bucket: &str, more: &str| {
        format!(
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{bucket}</TargetBucket><TargetPrefix>log/</TargetPrefix>{more}\
             </LoggingEnabled></BucketLoggingStatus>"
        )
    };
    assert_eq!(refused(&s3, "/bkt?logging", &to("none", "")).await, "InvalidTargetBucketForLogging");
    assert_eq!(refused(&s3, "/bkt?logging", &to("bkt", "").replace("TargetPrefix", "Prefix")).await, "MalformedXML");
    assert_eq!(refused(&s3, "/bkt?logging", &to("bkt", &grant.replace("READ", "SEE"))).await, "MalformedXML");
    assert_eq!(s3.put("/bkt?logging", to("bkt", grant).as_bytes()).await.status, 200);
    let told = s3.get("/bkt?logging").await;
    assert_eq!((told.element("TargetBucket"), told.element("TargetPrefix")), ("bkt".into(), "log/".into()));
    assert!(told.text().contains("xsi:type=\"CanonicalUser\"><ID>abc</ID>"), "{}", told.text());
    assert_eq!(s3.put("/bkt?logging", b"<BucketLoggingStatus/>").await.status, 200);
    assert_eq!(s3.get("/bkt?logging").await.element("TargetBucket"), "");
}

fn queue(id: &str, event: &str, prefix: &str) -> String {
    let rule = match prefix {
        "" => String::new(),
        prefix => format!(
            "<Filter><S3Key><FilterRule><Name>prefix</Name><Value>{prefix}</Value></FilterRule></S3Key></Filter>"
        ),
    };
    format!(
        "<QueueConfiguration>{id}<Queue>arn:aws:sqs:us-east-1:1:q</Queue><Event>{event}</Event>{rule}</QueueConfiguration>"
    )
}

#[tokio::test]
async fn notifications_are_kept_with_an_id_for_each() {
    let s3 = Fixture::start().await;
    let of = |inner: &str| format!("<NotificationConfiguration>{inner}</NotificationConfiguration>");
    let put = async |inner: &str| s3.put("/bkt?notification", of(inner).as_bytes()).await;
    let created = "s3:ObjectCreated:*";
    let both = [queue("<Id>mine</Id>", created, "a/"), queue("", created, "b/")].concat();
    assert_eq!(put(&both).await.status, 200);
    let told = s3.get("/bkt?notification").await;
    let ids = told.elements("Id");
    assert!(ids.len() == 2 && ids[0] == "mine" && ids[1].len() == 36, "{ids:?}");
    assert_eq!(told.elements("Value"), ["a/", "b/"]);
    for (inner, code) in [
        (queue("", "s3:ObjectPainted:*", ""), "InvalidArgument"),
        (queue("", created, "").replace("arn:aws:sqs", "arn:aws:sns"), "InvalidArgument"),
        (queue("", created, "").replace("arn:aws:sqs:us-east-1:1:q", "q"), "InvalidArgument"),
        (queue("", created, "a/").replace("<Name>prefix", "<Name>middle"), "InvalidArgument"),
        ([queue("", created, "a/"), queue("", "s3:ObjectCreated:Put", "a/b/")].concat(), "InvalidArgument"),
        ([queue("<Id>x</Id>", created, "a/"), queue("<Id>x</Id>", created, "b/")].concat(), "InvalidArgument"),
        ("<QueueConfiguration/>".to_owned(), "MalformedXML"),
    ] {
        assert_eq!(refused(&s3, "/bkt?notification", &of(&inner)).await, code, "{inner}");
    }
    assert_eq!(s3.get("/bkt?notification").await.elements("Id"), ids);
    assert_eq!(put("").await.status, 200);
    assert_eq!(s3.get("/bkt?notification").await.elements("Id").len(), 0);
    assert_eq!(put("<EventBridgeConfiguration/>").await.status, 200);
    assert!(s3.get("/bkt?notification").await.text().contains("EventBridgeConfiguration"));
}

#[tokio::test]
async fn who_pays_and_how_fast_is_kept() {
    let s3 = Fixture::start().await;
    assert_eq!(s3.get("/bkt?requestPayment").await.element("Payer"), "BucketOwner");
    let payer = |who: &str| format!("<RequestPaymentConfiguration><Payer>{who}</Payer></RequestPaymentConfiguration>");
    assert_eq!(s3.put("/bkt?requestPayment", payer("Requester").as_bytes()).await.status, 200);
    assert_eq!(refused(&s3, "/bkt?requestPayment", &payer("Nobody")).await, "MalformedXML");
    assert_eq!(s3.get("/bkt?requestPayment").await.element("Payer"), "Requester");

    let status = |how: &str| format!("<AccelerateConfiguration><Status>{how}</Status></AccelerateConfiguration>");
    assert_eq!(s3.get("/bkt?accelerate").await.element("Status"), "");
    assert_eq!(s3.put("/bkt?accelerate", status("Enabled").as_bytes()).await.status, 200);
    assert_eq!(refused(&s3, "/bkt?accelerate", &status("Quick")).await, "MalformedXML");
    assert_eq!(s3.get("/bkt?accelerate").await.element("Status"), "Enabled");
    assert_eq!(s3.put("/with.dots", b"").await.status, 200);
    assert_eq!(refused(&s3, "/with.dots?accelerate", &status("Enabled")).await, "InvalidRequest");
}

#[tokio::test]
async fn what_would_be_a_lie_is_not_implemented() {
    let s3 = Fixture::start().await;
    let missing = (404, "ReplicationConfigurationNotFoundError".to_owned());
    assert_eq!(s3.get("/bkt?replication").await.error(), missing);
    assert_eq!(s3.send("DELETE", "/bkt?replication", &[], b"").await.status, 204);
    let not_done = (501, "NotImplemented".to_owned());
    assert_eq!(s3.put("/bkt?replication", b"<ReplicationConfiguration/>").await.error(), not_done);
    for name in ["metrics", "analytics", "inventory", "intelligent-tiering"] {
        assert_eq!(s3.get(&format!("/bkt?{name}&id=1")).await.error(), not_done, "{name}");
        assert_eq!(s3.put(&format!("/bkt?{name}&id=1"), b"<X/>").await.error(), not_done, "{name}");
    }
}

#[tokio::test]
async fn settings_need_the_rights_that_policies_name() {
    let s3 = Guarded::start().await;
    let deny = r#"{"Effect":"Deny","Principal":{"AWS":"ann"},"Action":["s3:PutBucketWebsite","s3:GetBucketLogging","s3:GetEncryptionConfiguration"],"Resource":"arn:aws:s3:::bkt"}"#;
    assert_eq!(s3.put_policy(deny).await.status, 204);
    let ann = s3.signer_of_ann();
    let site = b"<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>";
    assert_eq!(s3.signed(&ann, "PUT", "/bkt?website=", site).await.status, 403);
    assert_eq!(s3.signed(&ann, "GET", "/bkt?logging=", b"").await.status, 403);
    assert_eq!(s3.signed(&ann, "GET", "/bkt?encryption=", b"").await.status, 403);
    assert_eq!(s3.signed(&ann, "GET", "/bkt?notification=", b"").await.status, 200);
    assert_eq!(s3.signed(&s3.signer(), "PUT", "/bkt?website=", site).await.status, 200);
}

#[tokio::test]
async fn logs_do_not_go_to_a_bucket_of_another_owner() {
    let s3 = Guarded::with_accounts().await;
    assert_eq!(s3.ask("bob", ("PUT", "/of-bob"), &[], b"").await.status, 200);
    assert_eq!(s3.ask("owner", ("PUT", "/of-owner"), &[], b"").await.status, 200);
    let put = async |target: &str| {
        let body = format!(
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{target}</TargetBucket><TargetPrefix/></LoggingEnabled>\
             </BucketLoggingStatus>"
        );
        s3.ask("owner", ("PUT", "/bkt?logging="), &[], body.as_bytes()).await
    };
    assert_eq!(put("of-bob").await.error(), (400, "InvalidTargetBucketForLogging".into()));
    assert_eq!(put("of-owner").await.status, 200);
}

#[tokio::test]
async fn an_object_keeps_where_a_website_redirects_it_and_a_copy_does_not() {
    let s3 = Fixture::start().await;
    let header = "x-amz-website-redirect-location";
    let bad = s3.send("PUT", "/bkt/k", &[(header, "elsewhere")], b"x").await;
    assert_eq!(bad.error(), (400, "InvalidRedirectLocation".into()));
    assert_eq!(s3.send("PUT", "/bkt/k", &[(header, "/other")], b"x").await.status, 200);
    assert_eq!(s3.get("/bkt/k").await.header(header), "/other");
    s3.send("PUT", "/bkt/copy", &[("x-amz-copy-source", "/bkt/k")], b"").await;
    assert_eq!(s3.get("/bkt/copy").await.header(header), "");
    let itself = [("x-amz-copy-source", "/bkt/k"), (header, "http://here/")];
    assert_eq!(s3.send("PUT", "/bkt/k", &itself, b"").await.status, 200);
    assert_eq!(s3.get("/bkt/k").await.header(header), "http://here/");
}
