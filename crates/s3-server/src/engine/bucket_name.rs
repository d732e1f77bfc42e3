//! S3's rules for names of general-purpose buckets.

const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ols-s3", ".mrap", "--x-s3", "--table-s3"];

/// Whether S3 would take `name` for a bucket. Such a name is also a safe name of a folder.
pub fn is_valid_bucket_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && name.split('.').all(|label| edge(label.as_bytes().first()) && edge(label.as_bytes().last()))
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::is_valid_bucket_name;

    #[test]
    fn takes_what_s3_takes() {
        for name in ["abc", "a.b-c", "0bucket9", &"a".repeat(63), "192.168.0", "a--b"] {
            assert!(is_valid_bucket_name(name), "{name}");
        }
    }

    #[test]
    fn refuses_what_s3_refuses_and_all_that_could_be_a_path() {
        let long = "a".repeat(64);
        let names = [
            "",
            "ab",
            &long,
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "abc.",
            "a..b",
            "a.-b",
            "a-.b",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "a b",
            "192.168.5.4",
            "xn--abc",
            "sthree-abc",
            "amzn-s3-demo-x",
            "abc-s3alias",
            "abc--ols-s3",
            "abc.mrap",
            "abc--x-s3",
            "abc--table-s3",
            "bücher",
            ".holdfast",
        ];
        for name in names {
            assert!(!is_valid_bucket_name(name), "{name}");
        }
    }
}
