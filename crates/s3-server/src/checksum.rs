//! The five checksums of S3: computed while a body streams, compared, and composed over parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum_combine};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::engine::ChecksumKind;

/// An algorithm that S3 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// What a checksum covers, as S3 names it.
pub(crate) fn kind_name(kind: ChecksumKind) -> &'static str {
    match kind {
        ChecksumKind::Composite => "COMPOSITE",
        ChecksumKind::FullObject => "FULL_OBJECT",
    }
}

/// The kind of that name.
pub(crate) fn kind_named(name: &str) -> Option<ChecksumKind> {
    [ChecksumKind::Composite, ChecksumKind::FullObject].into_iter().find(|&kind| kind_name(kind) == name)
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name in headers such as `x-amz-checksum-algorithm`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The algorithm of that name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The header that carries a value.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The XML element that carries a value.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// The length of a value, in bytes.
    fn size_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Whether a value, in base64, can be one of this algorithm.
    pub(crate) fn accepts(self, value: &str) -> bool {
        STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == self.size_bytes())
    }

    /// What a multipart upload uses when it does not say.
    pub(crate) fn default_kind(self) -> ChecksumKind {
        match self {
            Self::Crc64Nvme => ChecksumKind::FullObject,
            _ => ChecksumKind::Composite,
        }
    }

    /// Whether the algorithm can cover that.
    pub(crate) fn allows(self, kind: ChecksumKind) -> bool {
        match kind {
            ChecksumKind::Composite => self != Self::Crc64Nvme,
            ChecksumKind::FullObject => self.crc().is_some(),
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }
}

/// A checksum being computed.
pub(crate) enum Hasher {
    Crc(Algorithm, crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some(crc), _) => Self::Crc(algorithm, crc_fast::Digest::new(crc)),
            (None, Algorithm::Sha1) => Self::Sha1(Sha1::new()),
            (None, _) => Self::Sha256(Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc(_, digest) => digest.update(data),
            Self::Sha1(digest) => digest.update(data),
            Self::Sha256(digest) => digest.update(data),
        }
    }

    /// The value, in base64.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Crc(algorithm, digest) => encode_crc(algorithm, digest.finalize()),
            Self::Sha1(digest) => STANDARD.encode(digest.finalize()),
            Self::Sha256(digest) => STANDARD.encode(digest.finalize()),
        }
    }
}

fn encode_crc(algorithm: Algorithm, value: u64) -> String {
    let bytes = value.to_be_bytes();
    STANDARD.encode(&bytes[bytes.len() - algorithm.size_bytes()..])
}

fn decode_crc(value: &str) -> Option<u64> {
    let bytes = STANDARD.decode(value).ok()?;
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

/// The checksum of an object from those of its parts, given as (length in bytes, value in base64) in order.
/// `None` when a part's value can't be one of the algorithm, or the kind does not fit the algorithm.
pub(crate) fn compose(algorithm: Algorithm, kind: ChecksumKind, parts: &[(u64, &str)]) -> Option<String> {
    match kind {
        ChecksumKind::Composite => {
            let mut hasher = Hasher::new(algorithm);
            for (_, value) in parts {
                hasher.update(&STANDARD.decode(value).ok()?);
            }
            Some(format!("{}-{}", hasher.finish(), parts.len()))
        }
        ChecksumKind::FullObject => {
            let crc = algorithm.crc()?;
            let mut whole = Hasher::Crc(algorithm, crc_fast::Digest::new(crc)).finish();
            for (length, value) in parts {
                whole = encode_crc(algorithm, checksum_combine(crc, decode_crc(&whole)?, decode_crc(value)?, *length));
            }
            Some(whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(algorithm: Algorithm, data: &[u8]) -> String {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(data);
        hasher.finish()
    }

    #[test]
    fn the_check_values_of_each_algorithm() {
        let data = b"123456789";
        assert_eq!(value(Algorithm::Crc32, data), "y/Q5Jg==");
        assert_eq!(value(Algorithm::Crc32c, data), "4waSgw==");
        assert_eq!(value(Algorithm::Crc64Nvme, data), "rosUhgp5mIg=");
        assert_eq!(value(Algorithm::Sha1, data), "98O8HYCOBHMq32eZZczDTKeuNEE=");
        assert_eq!(value(Algorithm::Sha256, data), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
        for algorithm in Algorithm::ALL {
            assert!(algorithm.accepts(&value(algorithm, data)));
        }
    }

    #[test]
    fn a_full_object_checksum_is_that_of_the_parts_put_together() {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let (one, two) = (value(algorithm, b"12345"), value(algorithm, b"6789"));
            let whole = compose(algorithm, ChecksumKind::FullObject, &[(5, &one), (4, &two)]);
            assert_eq!(whole, Some(value(algorithm, b"123456789")));
        }
    }

    #[test]
    fn a_composite_checksum_names_how_many_parts_it_covers() {
        let (one, two) = (value(Algorithm::Sha256, b"1"), value(Algorithm::Sha256, b"2"));
        let whole = compose(Algorithm::Sha256, ChecksumKind::Composite, &[(1, &one), (1, &two)]).unwrap();
        assert!(whole.ends_with("=-2"));
    }
}
