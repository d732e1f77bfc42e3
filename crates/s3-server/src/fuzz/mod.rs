//! Doors for fuzzers: each takes bytes that anybody may send, and panics where a promise does not hold. Compiled for
//! tests, which run a short seeded form of all, and for `cargo fuzz` (see `crates/s3-server/fuzz`).

mod seeded;

use bytes::Bytes;
use futures_util::stream;
use http::Request as HttpRequest;

use crate::auth::{Accounts, Identity, Verifier};
use crate::body::{BodyChecks, ChunkDecoder, Framing};
use crate::encoding::{decode_path, encode_path};
use crate::engine::VersionId;
use crate::form::{Fields, FormPolicy, FormReader, MAX_FIELDS_BYTES};
use crate::operation::Operation;
use crate::operations::read_token;
use crate::policy::Policy;
use crate::request::Request;
use crate::settings::{Credential, ServerSettings};
use crate::xml::Element;
use crate::{byte_range, conditions, tag_set};

/// A request's head: `METHOD target`, then a header a line. What is read of it is what it says.
pub fn request(data: &[u8]) {
    let Some(request) = read_request(data) else { return };
    if let Some(key) = &request.target().key {
        assert_eq!(decode_path(&encode_path(key)).as_ref(), Some(key), "a key changes when it is encoded");
    }
    let _ = Operation::of(&request);
    let _ = conditions::of_write(&request);
    let _ = conditions::of_delete(&request);
    let _ = tag_set::of_header(&request);
    if let Ok(Some(range)) = byte_range::requested(request.header("range"), 1000) {
        assert!(range.start < range.end && range.end <= 1000, "a range beyond the object: {range:?}");
    }
    if let Ok(framing) = Framing::of(&request) {
        let _ = framing.declared_length(&request);
        let _ = BodyChecks::of(&request, &framing);
    }
}

/// The same head, its signature checked: nobody guesses one.
pub fn signature(data: &[u8]) {
    let Some(mut request) = read_request(data) else { return };
    let mut settings = ServerSettings::new("");
    settings.auth_enabled = true;
    settings.credentials = vec![Credential::new("KEY", "a secret that stands in no corpus: 6f1c1a0e")];
    if let Ok(proof) = Verifier::new(&settings, &Accounts::of(&settings)).verify(&mut request) {
        assert_eq!(proof.identity, Identity::Anonymous, "a signature was guessed");
    }
}

/// An `aws-chunked` body, which means the same however the network cuts it; the first byte says how.
pub fn chunked(data: &[u8]) {
    let Some((&step, body)) = data.split_first() else { return };
    let whole = decode(body, body.len().max(1));
    assert_eq!(whole, decode(body, usize::from(step).max(1)), "the body means something else in pieces");
    if let Some((decoded, _)) = whole {
        assert!(decoded.len() <= body.len(), "more came out than went in");
    }
}

/// A document.
pub fn xml(data: &[u8]) {
    for root in ["Delete", "CompleteMultipartUpload", "CreateBucketConfiguration", "VersioningConfiguration"] {
        let _ = Element::read(data, root);
    }
    if let Ok(tags) = tag_set::of_document(data, 10) {
        assert!(tags.len() <= 10, "{} tags where 10 are possible", tags.len());
    }
}

/// A bucket policy.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(policy) = Policy::read(text, "bkt") {
        let _ = (policy.is_public(), policy.asks_existing_tags());
    }
}

/// A form: a field `name=value` a line; its policy is read and checked.
pub fn form(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut fields = Fields::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        fields.push(name, value.to_owned());
    }
    let _ = fields.name_file("file.txt", MAX_FIELDS_BYTES);
    let _ = (fields.key(), fields.headers());
    if let Some(Ok(policy)) = fields.get("policy").map(FormPolicy::read) {
        let _ = (policy.check(&fields, "bkt", 0), policy.length());
    }
}

/// The body of a form with the boundary `B`, which means the same however the network cuts it; the first byte says how.
pub fn multipart(data: &[u8]) {
    let Some((&step, body)) = data.split_first() else { return };
    let whole = read_form(body, body.len().max(1));
    assert_eq!(whole, read_form(body, usize::from(step).max(1)), "the form means something else in pieces");
    if let Some((fields, file)) = whole {
        let held: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(held <= MAX_FIELDS_BYTES && file.len() <= body.len(), "more came out than went in");
    }
}

/// A continuation token, or the id of a version.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = read_token(text);
    if let Some(id) = VersionId::read(text) {
        assert_eq!(VersionId::read(&id.to_string()), Some(id), "an id changes when it is written");
    }
}

fn read_request(data: &[u8]) -> Option<Request> {
    let mut lines = data.split(|&byte| byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, target) = first.split_once(' ')?;
    let mut request = HttpRequest::builder().method(method).uri(target);
    for line in lines {
        let at = line.iter().position(|&byte| byte == b':')?;
        request = request.header(&line[..at], line[at + 1..].trim_ascii());
    }
    Request::read(request.body(()).ok()?.into_parts().0).ok()
}

type Decoded = (Vec<u8>, Vec<(String, String)>);

fn decode(body: &[u8], step: usize) -> Option<Decoded> {
    let mut decoder = ChunkDecoder::new(None);
    let mut data = Vec::new();
    for piece in body.chunks(step) {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(found) = decoder.next(&mut input).ok()? {
            data.extend_from_slice(&found);
        }
    }
    Some((data, decoder.finish().ok()?))
}

type Form = (Vec<(String, String)>, Vec<u8>);

/// Fields and file of a form that comes in pieces; `None` when it is refused.
fn read_form(body: &[u8], step: usize) -> Option<Form> {
    let pieces = stream::iter(body.chunks(step).map(|piece| Ok(Bytes::copy_from_slice(piece))));
    let read = async {
        let mut reader = FormReader::over(pieces, "multipart/form-data; boundary=B").ok()?;
        let (fields, mut file) = reader.fields().await.ok()?;
        let mut bytes = Vec::new();
        while let Some(piece) = file.next().await.ok()? {
            bytes.extend_from_slice(&piece);
        }
        Some((fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), bytes))
    };
    tokio::runtime::Builder::new_current_thread().build().ok()?.block_on(read)
}
