//! What a database is, recorded beside its data.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use holdfast_s3_client::{Bucket, PutOptions};
use serde::{Deserialize, Serialize};

use crate::{KeyFormat, Location, MigrationState};

/// The newest format that this version reads and writes.
const VERSION: u32 = 1;

/// How the data is laid out in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One object a key.
    Objects,
    /// A log-structured tree.
    Lsm,
}

impl Layout {
    /// Its name: `objects` or `lsm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Lsm => "lsm",
        }
    }

    /// Reads a layout's name: `objects` or `lsm`.
    ///
    /// # Errors
    /// `Config` with code `LEVEL_INVALID_OPTION`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "objects" => Ok(Self::Objects),
            "lsm" => Ok(Self::Lsm),
            _ => {
                let message = format!("layout is {name:?}; give \"objects\" or \"lsm\"");
                Err(Error::new(ErrorKind::Config, "LEVEL_INVALID_OPTION", message))
            }
        }
    }
}

/// What a database is. Stored as `.holdfast/level/<folder>/format.json`, outside of the data.
///
/// Data without one is s3leveldown's: [`Layout::Objects`] and [`KeyFormat::Utf8`]. Where that is a whole bucket it gets
/// none, since there is no outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormatMarker {
    version: u32,
    /// How the data is laid out.
    pub layout: Layout,
    /// How keys are written.
    pub key_format: KeyFormat,
    /// How far the copy is that the database comes from, until it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    migration: Option<MigrationState>,
}

impl Default for FormatMarker {
    fn default() -> Self {
        Self::new(Layout::Objects, KeyFormat::Utf8)
    }
}

impl FormatMarker {
    /// The marker of a new database.
    pub fn new(layout: Layout, key_format: KeyFormat) -> Self {
        Self { version: VERSION, layout, key_format, migration: None }
    }

    /// The same marker of a copy that is not whole.
    pub(crate) fn migrating(self, state: MigrationState) -> Self {
        Self { migration: Some(state), ..self }
    }

    /// The same marker of a copy that is whole.
    pub(crate) fn whole(self) -> Self {
        Self { migration: None, ..self }
    }

    /// How far the copy is, of one that is not whole.
    pub(crate) fn migration(&self) -> Option<&MigrationState> {
        self.migration.as_ref()
    }

    /// Reads the marker of a location.
    ///
    /// # Errors
    /// `Integrity` with code `LEVEL_FORMAT_UNKNOWN` when it was written by a newer version or is damaged.
    pub(crate) async fn load(bucket: &Bucket, location: &Location) -> Result<Option<Self>> {
        let Some(bytes) = bucket.find_bytes(&marker_key(location)).await? else { return Ok(None) };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(marker) if marker.version == VERSION => Ok(Some(marker)),
            _ => {
                let key = marker_key(location);
                let message = format!("{key} describes a format that this version does not know; use a newer holdfast");
                Err(Error::new(ErrorKind::Integrity, "LEVEL_FORMAT_UNKNOWN", message))
            }
        }
    }

    /// Records the marker of a new database; gives back the one that stands, which may be another opener's.
    pub(crate) async fn store(self, bucket: &Bucket, location: &Location) -> Result<Self> {
        let json = serde_json::to_vec(&self).map_err(|error| Error::internal(error.to_string()))?;
        let options = PutOptions { if_none_match: true, ..json_options() };
        match bucket.put(&marker_key(location), Bytes::from(json), &options).await {
            Ok(_) => Ok(self),
            Err(put) => match Self::load(bucket, location).await? {
                Some(standing) => Ok(standing),
                None => Err(put),
            },
        }
    }

    /// Records another marker of a database that is there.
    pub(crate) async fn replace(self, bucket: &Bucket, location: &Location) -> Result<()> {
        let json = serde_json::to_vec(&self).map_err(|error| Error::internal(error.to_string()))?;
        bucket.put(&marker_key(location), Bytes::from(json), &json_options()).await.map(drop)
    }

    /// Removes the marker of a location.
    pub(crate) async fn remove(bucket: &Bucket, location: &Location) -> Result<()> {
        bucket.delete(&marker_key(location), None).await
    }

    /// Whether s3leveldown's data looks the same.
    pub(crate) fn is_plain(&self) -> bool {
        self.layout == Layout::Objects && self.key_format == KeyFormat::Utf8 && self.migration.is_none()
    }

    /// Checks that a database of this format can serve what was asked for.
    pub(crate) fn check(&self, layout: Option<Layout>, key_format: Option<KeyFormat>) -> Result<()> {
        let other_layout = layout.is_some_and(|layout| layout != self.layout);
        let other_keys = key_format.is_some_and(|format| format != self.key_format);
        if !other_layout && !other_keys {
            return Ok(());
        }
        let (is, keys) = (self.layout, self.key_format);
        let message = format!(
            "the database has layout {is:?} and key format {keys:?}, which can't be changed; open it without these options"
        );
        Err(Error::new(ErrorKind::Config, "LEVEL_LAYOUT_MISMATCH", message.to_lowercase()))
    }
}

fn json_options() -> PutOptions {
    PutOptions { content_type: Some("application/json".to_owned()), ..PutOptions::default() }
}

fn marker_key(location: &Location) -> String {
    format!("{}format.json", location.own_area())
}
