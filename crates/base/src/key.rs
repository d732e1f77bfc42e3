//! A key: 1 to 1,024 bytes of UTF-8 without NUL, kept exactly as given.

use crate::{Error, ErrorKind, Result};

/// The longest key, in bytes; the bound that S3 sets.
pub const MAX_KEY_BYTES: usize = 1024;

/// A checked key. Keys compare by their UTF-8 bytes; nothing is normalised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Takes a key, or says what is wrong with it.
    ///
    /// # Errors
    /// `Validation` with code `INVALID_KEY`.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let wrong = match text.len() {
            0 => Some("is empty; give at least one character".to_owned()),
            n if n > MAX_KEY_BYTES => Some(format!("has {n} bytes of UTF-8; at most {MAX_KEY_BYTES} are possible")),
            _ if text.contains('\0') => Some("contains a NUL character; remove it".to_owned()),
            _ => None,
        };
        match wrong {
            None => Ok(Self(text)),
            Some(why) => {
                let shown: String = text.chars().take(40).collect();
                Err(Error::new(ErrorKind::Validation, "INVALID_KEY", format!("key {shown:?} {why}")))
            }
        }
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key's text, given away.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_odd_keys_exactly() {
        for text in ["../x", "a//b", "/", "é\u{301}", "🦀", "\u{202e}rtl"] {
            assert_eq!(Key::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_empty_long_and_nul() {
        for text in [String::new(), "x".repeat(1025), "a\0b".to_owned()] {
            assert_eq!(Key::new(text).unwrap_err().code(), "INVALID_KEY");
        }
        assert!(Key::new("x".repeat(1024)).is_ok());
    }
}
