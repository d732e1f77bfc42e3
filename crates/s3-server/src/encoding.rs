//! How S3 writes names into URIs, and how it reads them back.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a query's name or value encodes: everything but the unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What a path encodes: the same, but a slash stays.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// A name or value as it stands in a query.
pub(crate) fn encode_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// A key as it stands in a path, and in a listing with `encoding-type=url`.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// Decodes a path, once; a plus sign stays. `None` when it is not UTF-8.
pub(crate) fn decode_path(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

/// Decodes a query's name or value; a plus sign is a space. `None` when it is not UTF-8.
pub(crate) fn decode_query(text: &str) -> Option<String> {
    decode_path(&text.replace('+', " "))
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_keeps_its_plus_signs() {
        assert_eq!(decode_path("a+b%2Bc%2520d").as_deref(), Some("a+b+c%20d"));
        assert_eq!(decode_path("%ff"), None);
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        for text in ["../a//b", "é\u{301} +%&=?#~", "\u{1}\n"] {
            assert_eq!(decode_path(&encode_path(text)).as_deref(), Some(text));
            assert_eq!(decode_query(&encode_query(text)).as_deref(), Some(text));
        }
        assert_eq!(encode_path("a/b c"), "a/b%20c");
        assert_eq!(encode_query("a/b"), "a%2Fb");
    }
}
