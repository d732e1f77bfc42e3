//! Headers of encryption put together at random, the same on every run.

use holdfast_testkit::Dice;

use crate::client::Fixture;
use crate::encrypted::{Headers, Mode, borrowed};

const CUSTOMER: &str = "x-amz-server-side-encryption-customer";
const ROUNDS: usize = 400;

/// Each header is there or not, right or wrong.
fn random_headers(dice: &mut Dice) -> Headers {
    let customer = Mode::Customer(*dice.pick(&[1, 2])).of_write();
    let known = [
        ("x-amz-server-side-encryption", ["AES256", "aws:kms", "aws:kms:dsse", "aes256", ""]),
        ("x-amz-server-side-encryption-aws-kms-key-id", ["alias/a", "a b", "", "k", "arn:aws:kms:r:1:key/k"]),
        ("x-amz-server-side-encryption-context", ["e30=", "eyJhIjoiYiJ9", "{}", "", "eyJhIjoxfQ=="]),
        ("x-amz-server-side-encryption-bucket-key-enabled", ["true", "false", "1", "", "TRUE"]),
    ];
    let mut headers = Headers::new();
    for (name, values) in known {
        if dice.below(4) == 0 {
            headers.push((name.to_owned(), (*dice.pick(&values)).to_owned()));
        }
    }
    if dice.below(2) == 0 {
        for (name, value) in customer {
            match dice.below(8) {
                0 => {}
                1 => headers.push((name, "AAAA".to_owned())),
                _ => headers.push((name, value)),
            }
        }
    }
    headers
}

#[tokio::test]
async fn a_put_is_done_as_it_says_or_refused_and_changes_nothing() {
    let s3 = Fixture::start().await;
    let mut dice = Dice::new(20_261_120);
    let (mut done, mut refused) = (0, 0);
    let mut present: Option<(String, Headers)> = None;
    for round in 0..ROUNDS {
        let (headers, body) = (random_headers(&mut dice), format!("body {round}"));
        let put = s3.send("PUT", "/bkt/k", &borrowed(&headers), body.as_bytes()).await;
        match put.status {
            200 => {
                done += 1;
                let of_key: Headers = headers.into_iter().filter(|(name, _)| name.starts_with(CUSTOMER)).collect();
                present = Some((body, of_key));
            }
            400 | 403 | 501 => refused += 1,
            other => panic!("round {round}: {other} for {headers:?}: {}", put.text()),
        }
        if let Some((body, of_key)) = &present {
            let read = s3.send("GET", "/bkt/k", &borrowed(of_key), b"").await;
            assert_eq!((read.status, read.text().as_str()), (200, body.as_str()), "round {round}");
        }
    }
    assert!(done > 20 && refused > 20, "{done} done, {refused} refused");
}

#[tokio::test]
async fn a_read_gives_the_bytes_or_an_error_and_never_others() {
    let s3 = Fixture::start().await;
    let mut dice = Dice::new(7);
    let modes = [Mode::Plain, Mode::S3, Mode::Kms("alias/a"), Mode::Customer(1)];
    for (n, mode) in modes.into_iter().enumerate() {
        s3.send("PUT", &format!("/bkt/{n}"), &borrowed(&mode.of_write()), b"the bytes").await;
    }
    let mut read_well = 0;
    for round in 0..ROUNDS {
        let (headers, n) = (random_headers(&mut dice), dice.below(4));
        let read = s3.send("GET", &format!("/bkt/{n}"), &borrowed(&headers), b"").await;
        match read.status {
            200 => {
                assert_eq!(read.text(), "the bytes", "round {round}");
                read_well += 1;
            }
            400 | 403 => assert!(!read.text().contains("the bytes")),
            other => panic!("round {round}: {other} for {headers:?}: {}", read.text()),
        }
    }
    assert!(read_well > 10, "{read_well} reads were answered");
}
