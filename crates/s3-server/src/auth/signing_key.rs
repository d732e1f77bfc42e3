use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::encoding::hex;

/// The key that signs one day's requests in one region.
#[derive(Clone)]
pub(crate) struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key from a secret, the day (`20261120`) and the region.
    pub(crate) fn derive(secret: &str, day: &str, region: &str) -> Self {
        let day_key = mac(format!("AWS4{secret}").as_bytes(), day.as_bytes());
        let region_key = mac(&day_key, region.as_bytes());
        let service_key = mac(&region_key, b"s3");
        Self(mac(&service_key, b"aws4_request"))
    }

    /// The signature of a text, in hex.
    pub(crate) fn sign(&self, text: &str) -> String {
        hex(&mac(&self.0, text.as_bytes()))
    }
}

/// Whether two signatures are the same; takes the same time wherever they differ.
pub(crate) fn same_signature(ours: &str, theirs: &str) -> bool {
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}

/// The SHA-256 of some bytes, in hex.
pub(crate) fn sha256_hex(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

fn mac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length, so the empty fallback never happens.
    Hmac::<Sha256>::new_from_slice(key).map_or([0; 32], |mac| mac.chain_update(data).finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_example_of_the_documentation() {
        let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1");
        let text = "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
            7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972";
        assert_eq!(key.sign(text), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    }

    #[test]
    fn signatures_of_other_lengths_differ() {
        assert!(same_signature("ab", "ab"));
        assert!(!same_signature("ab", "abc"));
        assert!(!same_signature("ab", "ac"));
    }
}
