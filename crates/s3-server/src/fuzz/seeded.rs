//! The short form that runs with the tests: inputs that are nearly right, changed by dice that always fall alike.
#![cfg(test)]

use holdfast_testkit::Dice;

/// How many inputs each door gets.
const INPUTS: u64 = 4000;

/// Pieces that are put into inputs, beside single bytes.
const PIECES: [&[u8]; 20] = [
    b"%2F",
    b"%00",
    b"%ff",
    b"..",
    b"//",
    b"?",
    b"&",
    b"=",
    b"\r\n",
    b"\n",
    b"-1",
    b"99999999999999999999",
    b"<![CDATA[",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"&#0;",
    b"${",
    b"\\u0000",
    b"*",
    b"\xf0\x9f\xa6\x80",
    b"ffffffffffffffff",
];

const REQUESTS: [&str; 6] = [
    "GET /bkt/key?list-type=2&max-keys=3&prefix=a%2Fb\nhost: localhost\nrange: bytes=1-2",
    "PUT /bkt/a/../b%20c?partNumber=1&uploadId=x\nhost: bkt.localhost\nx-amz-tagging: a=b&c=d\nif-match: \"e\"",
    "DELETE /bkt/k?versionId=null\nhost: h\nx-amz-if-match-size: 5\nx-amz-if-match-last-modified-time: Sat, 29 Oct 1994 19:43:31 GMT",
    "PUT /bkt/k\nhost: h\nauthorization: AWS4-HMAC-SHA256 Credential=KEY/20261120/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab\nx-amz-date: 20261120T143534Z\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-trailer: x-amz-checksum-crc32",
    "GET /bkt/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY%2F20261120%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261120T143534Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab\nhost: h",
    "GET /bkt/k?AWSAccessKeyId=KEY&Expires=99999999999&Signature=ab\nhost: h\nauthorization: AWS KEY:ab\ndate: Tue, 27 Mar 2007 19:36:42 +0000",
];
const BODIES: [&str; 3] = [
    "\u{3}5\r\nhello\r\n7;chunk-signature=ab\r\n, world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    "\u{1}1\r\na\r\n0\r\n\r\n",
    "\u{7}a\r\n0123456789\r\n0;chunk-signature=x\r\nx-amz-trailer-signature:y\r\n\r\n",
];
const DOCUMENTS: [&str; 4] = [
    "<Delete><Quiet>true</Quiet><Object><Key>a&amp;b</Key><VersionId>null</VersionId></Object></Delete>",
    "<CompleteMultipartUpload xmlns=\"x\"><Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part></CompleteMultipartUpload>",
    "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    "<?xml version=\"1.0\"?><VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
];
const POLICIES: [&str; 2] = [
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:Get*"],"Resource":"arn:aws:s3:::bkt/${aws:username}/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}"#,
    r#"{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["a"]},"NotAction":"s3:?et","NotResource":["*"],"Condition":{"ForAllValues:StringLikeIfExists":{"s3:prefix":["a*"]}}}}"#,
];
/// The policy is `{"expiration":"2030-01-01T00:00:00Z","conditions":[{"bucket":"bkt"},["starts-with","$key","a"]]}`.
const FORMS: [&str; 1] = [
    "key=a/${filename}\npolicy=eyJleHBpcmF0aW9uIjoiMjAzMC0wMS0wMVQwMDowMDowMFoiLCJjb25kaXRpb25zIjpbeyJidWNrZXQiOiJia3QifSxbInN0YXJ0cy13aXRoIiwiJGtleSIsImEiXV19\nx-amz-meta-a=b\ncontent-type=text/plain",
];
/// A whole form with the boundary `B`, and one that ends in its file.
const MULTIPARTS: [&str; 2] = [
    "\u{5}--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na/${filename}\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\nthe file\r\n--B--\r\n",
    "\u{1}--B\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n\r\n--\r\n--Bx\r\n",
];
const TOKENS: [&str; 4] = ["a2V5", "null", "000040000002i56513ad8886abf8cbe62", "////"];

fn run(door: fn(&[u8]), seeds: &[&str]) {
    let mut dice = Dice::new(0x5eed);
    for seed in seeds {
        door(seed.as_bytes());
    }
    for _ in 0..INPUTS {
        let mut input = dice.pick(seeds).as_bytes().to_vec();
        for _ in 0..=dice.below(4) {
            change(&mut input, &mut dice);
        }
        door(&input);
    }
}

/// One change somewhere: a byte, a piece put in, a part taken out or repeated.
fn change(input: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(input.len() as u64 + 1) as usize;
    let end = (at + dice.below(12) as usize).min(input.len());
    match dice.below(4) {
        0 if at < input.len() => input[at] = dice.below(256) as u8,
        1 => drop(input.drain(at..end)),
        2 => {
            let part = input[at..end].to_vec();
            input.splice(at..at, part);
        }
        _ => drop(input.splice(at..at, dice.pick(&PIECES).iter().copied())),
    }
}

#[test]
fn heads_of_requests_that_were_changed_anywhere_are_read_or_refused() {
    run(super::request, &REQUESTS);
}

#[test]
fn signatures_that_were_changed_anywhere_prove_nobody() {
    run(super::signature, &REQUESTS);
}

#[test]
fn chunked_bodies_that_were_changed_anywhere_mean_the_same_in_pieces() {
    run(super::chunked, &BODIES);
}

#[test]
fn documents_that_were_changed_anywhere_are_read_or_refused() {
    run(super::xml, &DOCUMENTS);
}

#[test]
fn policies_that_were_changed_anywhere_are_read_or_refused() {
    run(super::policy, &POLICIES);
}

#[test]
fn forms_that_were_changed_anywhere_are_read_or_refused() {
    run(super::form, &FORMS);
}

#[test]
fn bodies_of_forms_that_were_changed_anywhere_mean_the_same_in_pieces() {
    run(super::multipart, &MULTIPARTS);
}

#[test]
fn tokens_and_ids_that_were_changed_anywhere_are_read_or_refused() {
    run(super::token, &TOKENS);
}
