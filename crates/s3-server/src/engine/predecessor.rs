//! A directory in the layout of smartstorage, taken over at the first open.
//!
//! ```text
//! <directory>/
//!   photos/2024/cat.jpg._storage_object                  the bytes
//!   photos/2024/cat.jpg._storage_object.metadata.json    headers and `x-amz-meta-…`, a JSON object
//!   photos/2024/cat.jpg._storage_object.md5              the ETag
//!   .policies/photos.policy.json                         the bucket's policy
//! ```
//!
//! No byte is copied: a file gets a second name in the staging folder, one commit makes it an object, and then its
//! old names go. Nothing is served before all of it is done, so that a key which the index knows has been taken over;
//! a marker file says that a crash came in between. Unfinished uploads (`.multipart`) stay where they are.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use holdfast_base::{Error, ErrorKind, MAX_KEY_BYTES};
use md5::{Digest as _, Md5};

use super::chores::do_now;
use super::data_path::{DataPath, id_of};
use super::folder::Folder;
use super::index::chores::{self, Chore};
use super::index::{buckets, documents, objects};
use super::opening::Shared;
use super::{BucketInfo, EngineError, ObjectAttributes, ObjectInfo, Result, Versioning, is_valid_bucket_name};

const OBJECT: &str = "._storage_object";
const METADATA: &str = ".metadata.json";
const MD5: &str = ".md5";
const POLICIES: &str = ".policies";
const POLICY: &str = ".policy.json";
/// The name of the document that holds a bucket's policy.
const POLICY_DOCUMENT: &str = "policy";
/// What is taken over of the metadata beside `x-amz-meta-…`.
const HEADERS: [&str; 6] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];
const READ_BYTES: usize = 256 << 10;

/// Whether somebody must be taken over: an object or a policy of that layout lies in the folder. Blocks.
pub(super) fn is_in(root: &Path) -> io::Result<bool> {
    if root.join(POLICIES).is_dir() {
        return Ok(true);
    }
    for bucket in buckets_in(root)? {
        let mut found = false;
        walk(&root.join(bucket), &mut |_| {
            found = true;
            Ok::<_, io::Error>(false)
        })?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes everything over. `is_policy` says whether a policy can be followed. Blocks.
pub(super) fn take_over(
    shared: &Arc<Shared>,
    folder: &Folder,
    is_policy: fn(&str, &str) -> bool,
    region: &str,
) -> Result<()> {
    let root = folder.root();
    let mut count = 0_u64;
    for name in buckets_in(root)? {
        let made_ms = fs::metadata(root.join(&name)).map(|found| modified_ms(&found)).unwrap_or_default();
        take_bucket(shared, &name, region, made_ms)?;
        take_policy(shared, root, &name, is_policy)?;
        walk(&root.join(&name), &mut |path| {
            count += u64::from(take_object(shared, folder, &name, path)?);
            Ok::<_, EngineError>(true)
        })?;
    }
    tracing::info!(count, "objects of a smartstorage directory were taken over");
    Ok(())
}

/// Folders that can be buckets.
fn buckets_in(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && is_valid_bucket_name(&name)
            && entry.file_type()?.is_dir()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Visits the data files below a folder until `visit` says stop (false). Links are not followed.
fn walk<E: From<io::Error>>(folder: &Path, visit: &mut impl FnMut(&Path) -> Result<bool, E>) -> Result<(), E> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(OBJECT) && !visit(&entry.path())?
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn take_bucket(shared: &Arc<Shared>, name: &str, region: &str, created_at_ms: u64) -> Result<()> {
    let bucket = BucketInfo {
        name: name.to_owned(),
        region: region.to_owned(),
        created_at_ms,
        versioning: Versioning::Never,
        has_object_lock: false,
        owner_id: None,
    };
    shared.write(move |connection| {
        if buckets::id(connection, &bucket.name)?.is_none() {
            buckets::insert(connection, &bucket)?;
        }
        Ok(Ok(()))
    })
}

fn take_policy(shared: &Arc<Shared>, root: &Path, bucket: &str, is_policy: fn(&str, &str) -> bool) -> Result<()> {
    let path = root.join(POLICIES).join(format!("{bucket}{POLICY}"));
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text?,
    };
    if !is_policy(&text, bucket) {
        return Err(unknown_policy(&path).into());
    }
    let bucket = bucket.to_owned();
    shared.write(move |connection| {
        if let Some(id) = buckets::id(connection, &bucket)?
            && documents::find(connection, id, POLICY_DOCUMENT)?.is_none()
        {
            documents::set(connection, id, POLICY_DOCUMENT, &text)?;
        }
        Ok(Ok(()))
    })
}

/// Whether it became an object now.
fn take_object(shared: &Arc<Shared>, folder: &Folder, bucket: &str, path: &Path) -> Result<bool> {
    let Some(key) = key_of(&folder.root().join(bucket), path) else {
        tracing::warn!(path = %path.display(), "a file's name is no key; it stays where it is");
        return Ok(false);
    };
    let found = fs::metadata(path)?;
    let number = shared.next_number();
    let info = ObjectInfo {
        version: None,
        size: found.len(),
        last_modified_ms: modified_ms(&found),
        attributes: attributes_of(path)?,
        parts: Vec::new(),
        key,
    };
    folder.take_over(path, number)?;
    let (name, writing) = (bucket.to_owned(), Arc::clone(shared));
    let placed = shared.write(move |connection| {
        let Some(id) = buckets::id(connection, &name)? else { return Ok(Ok(None)) };
        if objects::present(connection, id, &info.key)?.is_some() {
            return Ok(Ok(None));
        }
        let place = DataPath::new(&name, &info.key, &id_of(number));
        objects::put(connection, id, writing.next_number(), &info, &place)?;
        let chore = Chore::Place(place);
        chores::insert(connection, &chore)?;
        Ok(Ok(Some(chore)))
    })?;
    let is_new = placed.is_some();
    match placed {
        Some(chore) => do_now(shared, &[chore]),
        None => shared.files.remove_staged(number)?,
    }
    for old in [path.to_owned(), beside(path, METADATA), beside(path, MD5)] {
        match fs::remove_file(&old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(is_new)
}

fn key_of(bucket: &Path, path: &Path) -> Option<String> {
    let relative = path.strip_prefix(bucket).ok()?.to_str()?;
    let key = relative.strip_suffix(OBJECT)?;
    let key =
        if std::path::MAIN_SEPARATOR == '/' { key.to_owned() } else { key.replace(std::path::MAIN_SEPARATOR, "/") };
    (1..=MAX_KEY_BYTES).contains(&key.len()).then_some(key)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn attributes_of(path: &Path) -> Result<ObjectAttributes> {
    let mut attributes = ObjectAttributes { etag: etag_of(path)?, ..ObjectAttributes::default() };
    let metadata = beside(path, METADATA);
    let text = match fs::read_to_string(&metadata) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(attributes),
        text => text?,
    };
    let pairs: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|_| unreadable(&metadata))?;
    for (name, value) in pairs {
        let (name, Some(value)) = (name.to_ascii_lowercase(), value.as_str()) else { continue };
        match name.strip_prefix("x-amz-meta-") {
            Some(own) => attributes.metadata.push((own.to_owned(), value.to_owned())),
            None if HEADERS.contains(&name.as_str()) => attributes.headers.push((name, value.to_owned())),
            None => {}
        }
    }
    Ok(attributes)
}

/// The one that is kept beside the file, or else the MD5 of its bytes.
fn etag_of(path: &Path) -> io::Result<String> {
    if let Ok(text) = fs::read_to_string(beside(path, MD5)) {
        let text = text.trim().trim_matches('"').to_ascii_lowercase();
        let (digits, parts) = text.split_once('-').unwrap_or((&text, "1"));
        let is_hex = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if is_hex && parts.parse::<u16>().is_ok() {
            return Ok(text);
        }
    }
    let (mut file, mut md5, mut buffer) = (File::open(path)?, Md5::new(), vec![0; READ_BYTES]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(crate::encoding::hex(&md5.finalize()));
        }
        md5.update(&buffer[..read]);
    }
}

fn modified_ms(found: &fs::Metadata) -> u64 {
    let since = found.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn unreadable(path: &Path) -> Error {
    let path = path.display().to_string();
    let message = format!("{path} is no JSON object; correct it, or move it and its object away");
    Error::new(ErrorKind::Integrity, "METADATA_UNREADABLE", message).with("path", path)
}

fn unknown_policy(path: &Path) -> Error {
    let path = path.display().to_string();
    let message = format!("{path} is no policy that can be followed here; correct it, or move it away");
    Error::new(ErrorKind::Integrity, "POLICY_NOT_UNDERSTOOD", message).with("path", path)
}
