//! How a key is written in an object's key.

use holdfast_base::{Error, ErrorKind, MAX_KEY_BYTES, Result};
use serde::{Deserialize, Serialize};

/// How keys are written. Both keep the order of the keys' bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyFormat {
    /// As they are; they have to be UTF-8. What s3leveldown reads and writes. The default.
    #[default]
    Utf8,
    /// In hexadecimal: any bytes, up to 512 less half of the folder.
    Hex,
}

impl KeyFormat {
    /// Reads a format's name: `utf8` or `hex`.
    ///
    /// # Errors
    /// `Config` with code `LEVEL_INVALID_OPTION`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "utf8" => Ok(Self::Utf8),
            "hex" => Ok(Self::Hex),
            _ => {
                let message = format!("keyFormat is {name:?}; give \"utf8\" or \"hex\"");
                Err(Error::new(ErrorKind::Config, "LEVEL_INVALID_OPTION", message))
            }
        }
    }

    /// The key as it stands after the folder.
    pub(crate) fn encode(self, key: &[u8]) -> Result<String> {
        match self {
            Self::Hex => Ok(hex(key)),
            Self::Utf8 => std::str::from_utf8(key).map(str::to_owned).map_err(|_| {
                let why = "it is not UTF-8; write it as text, or make the database with keyFormat \"hex\"";
                invalid_key(key, why)
            }),
        }
    }

    /// The key that stands after the folder; `None` when no key is written like that.
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Hex => unhex(text),
        }
    }

    /// The longest text that no key from `bound` on sorts before; for bounds, which may be any bytes.
    pub(crate) fn floor(self, bound: &[u8]) -> String {
        match self {
            Self::Hex => hex(bound),
            Self::Utf8 => match std::str::from_utf8(bound) {
                Ok(text) => text.to_owned(),
                Err(error) => String::from_utf8_lossy(&bound[..error.valid_up_to()]).into_owned(),
            },
        }
    }
}

/// The error of a key that can't be stored.
pub(crate) fn invalid_key(key: &[u8], why: &str) -> Error {
    let shown: String = key.escape_ascii().map(char::from).take(40).collect();
    Error::new(ErrorKind::Validation, "LEVEL_INVALID_KEY", format!("the key {shown:?} can't be stored: {why}"))
}

/// Checks the length of a whole object key.
pub(crate) fn check_length(key: &[u8], object_key_bytes: usize) -> Result<()> {
    match object_key_bytes {
        0 => Err(invalid_key(key, "S3 has no empty key; put the database in a folder")),
        n if n > MAX_KEY_BYTES => Err(invalid_key(key, "with its folder it has more than the 1,024 bytes of S3")),
        _ => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keys_are_written_as_they_are() {
        for key in ["", "a//b", "é", "🦀", "\0"] {
            assert_eq!(KeyFormat::Utf8.encode(key.as_bytes()).unwrap(), key);
            assert_eq!(KeyFormat::Utf8.decode(key).unwrap(), key.as_bytes());
        }
    }

    #[test]
    fn a_text_key_that_is_not_utf8_is_refused_rather_than_changed() {
        assert_eq!(KeyFormat::Utf8.encode(b"\xff").unwrap_err().code(), "LEVEL_INVALID_KEY");
    }

    #[test]
    fn hexadecimal_takes_any_bytes_and_keeps_their_order() {
        let keys: [&[u8]; 5] = [b"", b"\0", b"\x7f", b"\x80\xff", b"\xff"];
        let written: Vec<String> = keys.iter().map(|key| KeyFormat::Hex.encode(key).unwrap()).collect();
        assert!(written.is_sorted());
        for (key, text) in keys.iter().zip(&written) {
            assert_eq!(KeyFormat::Hex.decode(text).unwrap(), *key);
        }
        assert_eq!((KeyFormat::Hex.decode("0"), KeyFormat::Hex.decode("0G")), (None, None));
    }

    #[test]
    fn the_floor_of_a_bound_that_is_not_text_is_its_textual_start() {
        assert_eq!(KeyFormat::Utf8.floor(b"ab\xff\x01"), "ab");
    }
}
