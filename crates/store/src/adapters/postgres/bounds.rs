//! Ranges of bytes as ranges of text: a bound need not be UTF-8 (the end of a prefix isn't), a parameter must.

use std::ops::Bound;

use holdfast_base::KeyRange;

/// A range of the column `key`: a condition with the parameters $2 and $3, and their values.
pub(super) struct KeyCondition {
    pub(super) sql: &'static str,
    pub(super) start: String,
    pub(super) end: String,
}

/// The condition of a range; `None` when no text lies in it.
pub(super) fn condition(range: &KeyRange) -> Option<KeyCondition> {
    let (from, start) = match &range.start {
        Bound::Unbounded => (">=", String::new()),
        Bound::Included(bytes) => (">=", lowest_from(bytes)?),
        Bound::Excluded(bytes) if is_text(bytes) => (">", lowest_from(bytes)?),
        Bound::Excluded(bytes) => (">=", lowest_from(bytes)?),
    };
    let end = match &range.end {
        Bound::Unbounded => None,
        Bound::Included(bytes) | Bound::Excluded(bytes) => lowest_from(bytes),
    };
    let to = match &range.end {
        Bound::Included(bytes) if is_text(bytes) => "<=",
        _ => "<",
    };
    let sql = match (from, to, end.is_some()) {
        (">", _, false) => "key > $2 and $3::text is not null",
        (_, _, false) => "key >= $2 and $3::text is not null",
        (">", "<", _) => "key > $2 and key < $3",
        (">", _, _) => "key > $2 and key <= $3",
        (_, "<", _) => "key >= $2 and key < $3",
        (_, _, _) => "key >= $2 and key <= $3",
    };
    Some(KeyCondition { sql, start, end: end.unwrap_or_default() })
}

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// The lowest text that is not below `bytes`; `None` when every text is.
fn lowest_from(bytes: &[u8]) -> Option<String> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Some(text.to_owned()),
        Err(error) => error,
    };
    let (valid, rest) = bytes.split_at(error.valid_up_to());
    let mut text = String::from_utf8_lossy(valid).into_owned();
    match lowest_char_from(rest) {
        Some(next) => text.push(next),
        // No character is that high: the text has to grow further left.
        None => loop {
            let last = text.pop()?;
            if let Some(next) = char_after(last) {
                text.push(next);
                break;
            }
        },
    }
    Some(text)
}

/// The lowest character whose bytes are not below `bytes`. Bytes of characters sort as their numbers do.
fn lowest_char_from(bytes: &[u8]) -> Option<char> {
    let is_below = |number: u32| char_at(number).encode_utf8(&mut [0; 4]).as_bytes() < bytes;
    let (mut low, mut high) = (0_u32, CHARS);
    while low < high {
        let middle = low.midpoint(high);
        if is_below(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    (low < CHARS).then(|| char_at(low))
}

/// How many characters there are.
const CHARS: u32 = 0x0011_0000 - SURROGATES;
const FIRST_SURROGATE: u32 = 0xd800;
const SURROGATES: u32 = 0x800;

/// The characters by number, without the gap of the surrogates.
fn char_at(number: u32) -> char {
    let code = if number < FIRST_SURROGATE { number } else { number + SURROGATES };
    char::from_u32(code).unwrap_or(char::MAX)
}

fn char_after(character: char) -> Option<char> {
    (u32::from(character) + 1..=u32::from(char::MAX)).find_map(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_text_from_bytes_keeps_the_order() {
        assert_eq!(lowest_from(b"a/").as_deref(), Some("a/"));
        assert_eq!(lowest_from(b"a\xc3").as_deref(), Some("a\u{c0}"));
        assert_eq!(lowest_from(b"a\xc3\xff").as_deref(), Some("a\u{100}"));
        assert_eq!(lowest_from(b"a\xee").as_deref(), Some("a\u{e000}"));
        assert_eq!(lowest_from(b"a\xed\xa0").as_deref(), Some("a\u{e000}"), "surrogates are no characters");
        assert_eq!(lowest_from(b"a\xff").as_deref(), Some("b"));
        assert_eq!(lowest_from(b"\xf5"), None);
        assert_eq!(lowest_from("\u{10ffff}\u{f5}".as_bytes()).as_deref(), Some("\u{10ffff}\u{f5}"));
    }

    #[test]
    fn every_bound_finds_the_same_texts_as_its_bytes() {
        let texts =
            ["", "a", "a\u{7f}", "a\u{80}", "a\u{7ff}", "a\u{800}", "a\u{ffff}", "a\u{10000}", "a\u{10ffff}", "b"];
        let bounds: Vec<Vec<u8>> = (0..=255_u8)
            .flat_map(|byte| [vec![byte], vec![b'a', byte], vec![b'a', 0xe0, byte], vec![b'a', 0xf4, byte]])
            .collect();
        for bound in bounds {
            for text in texts {
                let below = lowest_from(&bound).is_none_or(|lowest| text < lowest.as_str());
                assert_eq!(below, text.as_bytes() < bound.as_slice(), "{text:?} and {bound:?}");
            }
        }
    }
}
