//! A text between two others, for finding the end of a list by bisection.

/// Where letters, digits and most of what keys hold end; tried before all of Unicode.
const ASCII_END: u32 = 0x7f;
const UNICODE_END: u32 = 0x11_0000;

/// A text after `low` and before `high`, about halfway as keys are usually spread; `None` for `high` is the end of
/// all texts. `None` when there is none, or none that is worth a request.
pub(crate) fn midpoint(low: &str, high: Option<&str>) -> Option<String> {
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
        match between(u32::from(floor), ceiling) {
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
fn between(floor: u32, ceiling: Option<u32>) -> Option<char> {
    let ceiling = ceiling.unwrap_or(if floor + 1 < ASCII_END { ASCII_END } else { UNICODE_END });
    let middle = floor + (ceiling.saturating_sub(floor)) / 2;
    (middle > floor).then(|| char::from_u32(middle).unwrap_or('\u{e000}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lies_between() {
        let texts =
            ["", "a", "a\0", "aa", "ab", "abc", "b", "k0099", "k01", "\u{7e}", "é", "\u{d7ff}", "🦀🦀", "\u{10ffff}"];
        for (at, low) in texts.iter().enumerate() {
            for high in texts[at + 1..].iter().copied().map(Some).chain([None]) {
                if let Some(middle) = midpoint(low, high) {
                    assert!(middle.as_str() > *low, "{low:?} {middle:?}");
                    assert!(high.is_none_or(|high| middle.as_str() < high), "{low:?} {middle:?} {high:?}");
                }
            }
        }
    }

    #[test]
    fn closes_in_on_any_text_from_either_side() {
        for target in ["k99000", "zz", "\u{10fffe}", "a/b/c", "0"] {
            let (mut low, mut high) = (String::new(), None::<String>);
            let mut steps = 0;
            while let Some(middle) = midpoint(&low, high.as_deref()) {
                steps += 1;
                assert!(steps < 300, "{target}: {low:?} {high:?}");
                if middle.as_str() <= target {
                    low = middle
                } else {
                    high = Some(middle)
                }
                if low.starts_with(target) {
                    break;
                }
            }
        }
    }
}
