//! A text between two others, for finding the end of a list by bisection.

/// The last code point.
const LAST: u32 = 0x10_ffff;

/// A text after `low` and before `high`; `None` for `high` is the end of all texts. Where the two leave a gap between
/// characters it is halved; where there is no ceiling the next character is `stride` further, so that what many keys
/// start with costs one step a character. `None` when there is no such text, or none that is worth a request.
pub(crate) fn midpoint(low: &str, high: Option<&str>, stride: u32) -> Option<String> {
    let shared: usize = high
        .map_or(0, |high| low.chars().zip(high.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum());
    let ceiling = high.and_then(|high| high[shared..].chars().next()).map(u32::from);
    let mut middle = low[..shared].to_owned();
    let mut rest = low[shared..].chars();
    let mut ceiling = ceiling;
    // Keep characters of `low` while nothing fits between it and the ceiling; after one, there is no ceiling.
    loop {
        let Some(floor) = rest.next() else {
            middle.push('?');
            break;
        };
        match between(u32::from(floor), ceiling, stride) {
            Some(found) => {
                middle.push(found);
                break;
            }
            None => middle.push(floor),
        }
        ceiling = None;
    }
    let fits = middle.as_str() > low && high.is_none_or(|high| middle.as_str() < high);
    fits.then_some(middle)
}

/// A character between two code points, both excluded.
fn between(floor: u32, ceiling: Option<u32>, stride: u32) -> Option<char> {
    let middle = match ceiling {
        Some(ceiling) => floor + ceiling.saturating_sub(floor) / 2,
        None => floor.saturating_add(stride).min(LAST),
    };
    // What is no character is a surrogate; the first character after those is between as well, or nothing is.
    let found = char::from_u32(middle).unwrap_or('\u{e000}');
    let fits = u32::from(found) > floor && ceiling.is_none_or(|ceiling| u32::from(found) < ceiling);
    fits.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_between() {
        let texts =
            ["", "a", "a\0", "aa", "ab", "abc", "b", "k0099", "k01", "\u{7e}", "é", "\u{d7ff}", "🦀🦀", "\u{10ffff}"];
        for (at, low) in texts.iter().enumerate() {
            for (high, stride) in
                texts[at + 1..].iter().copied().map(Some).chain([None]).zip([1, 2, 64].into_iter().cycle())
            {
                if let Some(middle) = midpoint(low, high, stride) {
                    assert!(middle.as_str() > *low, "{low:?} {middle:?}");
                    assert!(high.is_none_or(|high| middle.as_str() < high), "{low:?} {middle:?} {high:?}");
                }
            }
        }
    }

    #[test]
    fn closes_in_on_any_text_from_below_and_above() {
        for target in ["k99000", "zz", "\u{10fffe}", "a/b/c", "0"] {
            let (mut low, mut high, mut stride) = (String::new(), None::<String>, 1);
            let mut steps = 0;
            while let Some(middle) = midpoint(&low, high.as_deref(), stride) {
                steps += 1;
                assert!(steps < 300, "{target}: {low:?} {high:?}");
                if middle.as_str() <= target {
                    (low, stride) = (middle, stride * 2);
                } else {
                    (high, stride) = (Some(middle), 1);
                }
                if low.starts_with(target) {
                    break;
                }
            }
            assert!(low.starts_with(target) || high.is_some(), "{target}");
        }
    }
}
