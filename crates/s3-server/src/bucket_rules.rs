use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::Error;

use crate::encryption::{BucketEncryption, ENCRYPTION_DOCUMENT};
use crate::engine::{Engine, EngineError};
use crate::error::S3Result;
use crate::policy::Policy;
use crate::public_access::PublicAccessBlock;

/// The name of the document that holds a bucket's policy.
pub(crate) const POLICY_DOCUMENT: &str = "policy";
/// How many buckets' rules are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// What a bucket says of who may do what in it, and how.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) policy: Option<Policy>,
    pub(crate) block: PublicAccessBlock,
    /// How what asks for no encryption is encrypted.
    pub(crate) encryption: Option<BucketEncryption>,
}

/// The rules of the buckets, read once. This process alone writes them, so that what is remembered is true as
/// long as every change is followed by [`BucketRules::forget`].
#[derive(Default)]
pub(crate) struct BucketRules(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    /// Grows with each change: what was read before one is not remembered after it.
    changes: u64,
    of_bucket: HashMap<String, Arc<Rules>>,
}

impl BucketRules {
    /// Forgets a bucket's rules; said after any of them has changed.
    pub(crate) fn forget(&self, bucket: &str) {
        let mut remembered = self.lock();
        remembered.changes += 1;
        remembered.of_bucket.remove(bucket);
    }

    /// Forgets the rules of all buckets; said after everything was replaced.
    pub(crate) fn forget_all(&self) {
        let mut remembered = self.lock();
        remembered.changes += 1;
        remembered.of_bucket.clear();
    }

    /// The rules of a bucket; none for one that does not exist, which the operation itself says.
    ///
    /// # Errors
    /// The engine's.
    pub(crate) async fn of(&self, engine: &Engine, bucket: &str) -> S3Result<Arc<Rules>> {
        let changes = {
            let remembered = self.lock();
            if let Some(rules) = remembered.of_bucket.get(bucket) {
                return Ok(Arc::clone(rules));
            }
            remembered.changes
        };
        let policy = match engine.document(bucket, POLICY_DOCUMENT).await {
            Ok(document) => document.map(|text| Policy::read(&text, bucket)).transpose()?,
            Err(EngineError::NoSuchBucket(_)) => return Ok(Arc::default()),
            Err(error) => return Err(error.into()),
        };
        let block = PublicAccessBlock::of(engine, bucket).await?.unwrap_or_default();
        let encryption = engine.document(bucket, ENCRYPTION_DOCUMENT).await?;
        let damaged = |_| EngineError::from(Error::internal("the index holds an encryption setting that is damaged"));
        let encryption = encryption.map(|text| serde_json::from_str(&text).map_err(damaged)).transpose()?;
        let rules = Arc::new(Rules { policy, block, encryption });
        let mut remembered = self.lock();
        if remembered.changes == changes {
            if remembered.of_bucket.len() >= MAX_REMEMBERED {
                remembered.of_bucket.clear();
            }
            remembered.of_bucket.insert(bucket.to_owned(), Arc::clone(&rules));
        }
        Ok(rules)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
