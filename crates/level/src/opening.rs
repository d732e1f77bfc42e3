//! What a location is, decided when a database opens.

use holdfast_base::{Error, ErrorKind, Result};
use holdfast_s3_client::{Bucket, Client, ListRequest};

use crate::location::RESERVED;
use crate::migration::unfinished;
use crate::{FormatMarker, Layout, LevelSettings, Location};

/// The marker of a location, which is made where the settings allow it.
pub(crate) async fn open_marker(client: &Client, settings: &LevelSettings) -> Result<FormatMarker> {
    let location = &settings.location;
    let root = client.bucket(location.bucket(), "")?;
    let found = find_marker(client, settings).await?;
    if settings.error_if_exists && (found.is_some() || has_data(&root, location).await?) {
        let message = format!("the database {location} exists already; open it without errorIfExists");
        return Err(Error::new(ErrorKind::Conflict, "LEVEL_DATABASE_EXISTS", message));
    }
    match found {
        Some(marker) if marker.migration().is_some() => Err(unfinished(location, marker.layout)),
        Some(marker) => Ok(marker),
        None => new_marker(&root, settings).await,
    }
}

/// The marker of a location, if it has one; makes the bucket where the settings allow it.
pub(crate) async fn find_marker(client: &Client, settings: &LevelSettings) -> Result<Option<FormatMarker>> {
    let name = settings.location.bucket();
    match FormatMarker::load(&client.bucket(name, "")?, &settings.location).await {
        Err(error) if error.code() == "NO_SUCH_BUCKET" && settings.create_if_missing => {
            client.create_bucket(name).await?;
            Ok(None)
        }
        outcome => outcome,
    }
}

/// The marker of a location that has none: what s3leveldown left, or a new database.
async fn new_marker(root: &Bucket, settings: &LevelSettings) -> Result<FormatMarker> {
    let location = &settings.location;
    // Unmarked data is plain data, and no other wish can be met.
    let plain = FormatMarker::default();
    let is_plain = plain.check(settings.layout, settings.key_format);
    if has_data(root, location).await? {
        is_plain?;
        // A whole bucket has no outside, and its data says what it is; a reader writes nothing.
        let unmarked = location.is_whole_bucket() || settings.read_only;
        return if unmarked { Ok(plain) } else { plain.store(root, location).await };
    }
    if settings.create_if_missing {
        return wanted(settings).store(root, location).await;
    }
    if location.is_whole_bucket() && is_plain.is_ok() {
        // To s3leveldown every bucket is a database.
        return Ok(plain);
    }
    let message = format!("the database {location} does not exist; open it with createIfMissing to make it");
    Err(Error::new(ErrorKind::NotFound, "LEVEL_DATABASE_NOT_FOUND", message))
}

/// What a new database is: a tree, unless something is said that is of objects alone.
fn wanted(settings: &LevelSettings) -> FormatMarker {
    let layout = match (settings.layout, settings.key_format) {
        (Some(layout), _) => layout,
        (None, Some(_)) => Layout::Objects,
        (None, None) => Layout::Lsm,
    };
    FormatMarker::new(layout, settings.key_format.unwrap_or_default())
}

/// Whether anything lies at a location that is not holdfast's own.
pub(crate) async fn has_data(root: &Bucket, location: &Location) -> Result<bool> {
    let mut request = ListRequest { prefix: location.prefix().to_owned(), max_keys: Some(1), ..ListRequest::default() };
    let first = root.list(&request).await?.objects;
    let ours = first.first().is_some_and(|object| object.key.starts_with(RESERVED));
    if !(ours && location.is_whole_bucket()) {
        return Ok(!first.is_empty());
    }
    request.start_after = Some(format!("{RESERVED}\u{10ffff}"));
    Ok(!root.list(&request).await?.objects.is_empty())
}
