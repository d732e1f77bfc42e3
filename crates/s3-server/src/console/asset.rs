use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

use crate::answer::{self, Answer};
use crate::encoding::hex;

/// A file of the console, as `scripts/console.mjs` makes it.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    /// Compressed by gzip, which every browser reads.
    bytes: &'static [u8],
}

const ASSETS: [Asset; 4] = [
    Asset { name: "", content_type: "text/html; charset=utf-8", bytes: include_bytes!("files/index.html.gz") },
    Asset {
        name: "console.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("files/console.js.gz"),
    },
    Asset {
        name: "console.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("files/console.css.gz"),
    },
    Asset { name: "icon.svg", content_type: "image/svg+xml", bytes: include_bytes!("files/icon.svg.gz") },
];

/// The digests of the files, by which browsers ask whether theirs is still the one.
static TAGS: LazyLock<[String; 4]> =
    LazyLock::new(|| ASSETS.map(|asset| format!("\"{}\"", hex(&Sha256::digest(asset.bytes)))));

/// The file of that name; the page itself has none.
pub(super) fn answer(name: &str, headers: &HeaderMap) -> Option<Answer> {
    let index = ASSETS.iter().position(|asset| asset.name == name)?;
    let (asset, tag) = (&ASSETS[index], &TAGS[index]);
    let is_known = headers.get("if-none-match").is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut answer = if is_known {
        answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        let mut answer = answer::typed(asset.content_type, Bytes::from_static(asset.bytes));
        answer::set(&mut answer, "content-encoding", "gzip");
        answer
    };
    answer::set(&mut answer, "etag", tag);
    answer::set(&mut answer, "cache-control", "no-cache");
    Some(answer)
}
