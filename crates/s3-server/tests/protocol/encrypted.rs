//! The ways to encrypt, as headers of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::client::Reply;

pub(crate) type Headers = Vec<(String, String)>;

/// How an object is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    S3,
    Kms(&'static str),
    /// With a key of 32 bytes of this value.
    Customer(u8),
}

impl Mode {
    /// What a write says.
    pub(crate) fn of_write(self) -> Headers {
        match self {
            Self::Plain => Headers::new(),
            Self::S3 => headers(&[("x-amz-server-side-encryption", "AES256")]),
            Self::Kms(id) => headers(&[
                ("x-amz-server-side-encryption", "aws:kms"),
                ("x-amz-server-side-encryption-aws-kms-key-id", id),
            ]),
            Self::Customer(byte) => customer(byte),
        }
    }

    /// What a read says.
    pub(crate) fn of_read(self) -> Headers {
        if let Self::Customer(_) = self { self.of_write() } else { Headers::new() }
    }

    /// Whether an answer tells that mode.
    pub(crate) fn is_told_by(self, reply: &Reply) -> bool {
        let method = reply.header("x-amz-server-side-encryption");
        let customer = reply.header("x-amz-server-side-encryption-customer-key-md5");
        let kms = reply.header("x-amz-server-side-encryption-aws-kms-key-id");
        let of_customer = reply.header("x-amz-server-side-encryption-customer-algorithm");
        match self {
            Self::Plain => [method, customer, kms, of_customer] == [""; 4],
            Self::S3 => [method, customer, kms, of_customer] == ["AES256", "", "", ""],
            Self::Kms(id) => [method, customer, kms, of_customer] == ["aws:kms", "", id, ""],
            Self::Customer(byte) => [method, customer, kms, of_customer] == ["", &md5_of(byte), "", "AES256"],
        }
    }
}

fn customer(byte: u8) -> Headers {
    let beginning = "x-amz-server-side-encryption-customer";
    vec![
        (format!("{beginning}-algorithm"), "AES256".to_owned()),
        (format!("{beginning}-key"), STANDARD.encode([byte; 32])),
        (format!("{beginning}-key-MD5"), md5_of(byte)),
    ]
}

fn md5_of(byte: u8) -> String {
    STANDARD.encode(Md5::digest([byte; 32]))
}

pub(crate) fn headers(of: &[(&str, &str)]) -> Headers {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn borrowed(of: &[(String, String)]) -> Vec<(&str, &str)> {
    of.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Bytes of which no two segments are alike.
pub(crate) fn bytes(count: usize) -> Vec<u8> {
    (0..count as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect()
}
