//! Changes: records, kv and events.

use holdfast_base::{Error, ErrorKind, Key, Result};
use holdfast_store::{Batch, Condition, Step, ToJson};
use napi_derive::napi;

use super::crossing::{Crossing, whole};
use super::entries::space_of;
use super::handle::StoreHandle;

/// One change.
#[napi(object)]
pub struct StepData {
    /// `check`, `put`, `delete`, `add`, `append` or `restore`.
    #[napi(ts_type = "'check' | 'put' | 'delete' | 'add' | 'append' | 'restore'")]
    pub kind: String,
    /// 0 records, 1 kv; without meaning for events.
    pub space: u32,
    /// The key, or the stream.
    pub key: String,
    /// JSON text: the value, or the payload.
    pub value: Option<String>,
    /// The version that must be there; 0: none must be there.
    pub expected: Option<f64>,
    /// How long the entry lives, in milliseconds.
    pub ttl_ms: Option<f64>,
    /// How much to add.
    pub by: Option<f64>,
    /// The event's own id.
    pub id: Option<String>,
    /// Of an entry that is restored: its version.
    pub version: Option<f64>,
    /// Of an entry that is restored, in milliseconds since the epoch.
    pub created_at: Option<f64>,
    /// Of an entry that is restored, in milliseconds since the epoch; of an event, when it happened elsewhere.
    pub updated_at: Option<f64>,
    /// Of an entry that is restored, in milliseconds since the epoch.
    pub expires_at: Option<f64>,
}

impl TryFrom<StepData> for Step {
    type Error = Error;

    fn try_from(data: StepData) -> Result<Self> {
        let space = space_of(data.space);
        let key = Key::new(data.key)?;
        let expected = data.expected.map(|version| whole(version, "the expected version")).transpose()?;
        let condition = match expected {
            None => Condition::Any,
            Some(0) => Condition::Absent,
            Some(version) => Condition::Version(version),
        };
        let value = data.value.unwrap_or_else(|| "null".to_owned());
        Ok(match data.kind.as_str() {
            "check" => Self::Check { space, key, condition },
            "put" => {
                let ttl_ms = data.ttl_ms.map(|ttl_ms| whole(ttl_ms, "ttl")).transpose()?;
                Self::Put { space, key, value, condition, ttl_ms }
            }
            "delete" => Self::Delete { space, key, condition },
            "add" => Self::Add { space, key, by: data.by.unwrap_or(1.0) },
            "append" => Self::Append {
                stream: key,
                payload: value,
                expected_version: expected,
                id: data.id,
                timestamp_ms: data.updated_at.map(|time| whole(time, "the time")).transpose()?,
            },
            "restore" => Self::Restore {
                space,
                key,
                value,
                version: whole(data.version.unwrap_or(1.0), "version")?,
                created_at_ms: whole(data.created_at.unwrap_or(0.0), "createdAt")?,
                updated_at_ms: whole(data.updated_at.unwrap_or(0.0), "updatedAt")?,
                expires_at_ms: data.expires_at.map(|time| whole(time, "expiresAt")).transpose()?,
            },
            other => {
                let message = format!("{other:?} is no kind of step");
                return Err(Error::new(ErrorKind::Validation, "INVALID_STEP", message));
            }
        })
    }
}

#[napi]
impl StoreHandle {
    /// Runs the steps in their order; answers with what became of each.
    #[napi(ts_return_type = "Reply<string> | Promise<Reply<string>>")]
    pub fn commit(&self, steps: Vec<StepData>, atomic: bool) -> Crossing<String> {
        Crossing::of(|| {
            let steps = steps.into_iter().map(Step::try_from).collect::<Result<_>>()?;
            Ok(self.adapter.commit(Batch { steps, atomic }).map(|outcomes| outcomes.to_json()))
        })
    }
}
