use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::Error;

use crate::acl::{self, ACL_DOCUMENT, Acl};
use crate::auth::{Account, Accounts};
use crate::bucket_cors::{BucketCors, CORS_DOCUMENT};
use crate::encryption::{BucketEncryption, ENCRYPTION_DOCUMENT};
use crate::engine::{Engine, EngineError, ObjectAttributes};
use crate::error::S3Result;
use crate::lifecycle::Lifecycle;
use crate::ownership::{OWNERSHIP_DOCUMENT, Ownership};
use crate::policy::Policy;
use crate::public_access::PublicAccessBlock;

/// The name of the document that holds a bucket's policy.
pub(crate) const POLICY_DOCUMENT: &str = "policy";
/// How many buckets' rules are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// What a bucket says of who may do what in it, and how, and of when things in it end.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) owner: Arc<Account>,
    pub(crate) ownership: Ownership,
    /// As it was set; [`Rules::acl`] is what counts.
    pub(crate) kept_acl: Acl,
    pub(crate) policy: Option<Policy>,
    pub(crate) block: PublicAccessBlock,
    /// Which browsers of other origins may ask what.
    pub(crate) cors: Option<BucketCors>,
    /// How what asks for no encryption is encrypted.
    pub(crate) encryption: Option<BucketEncryption>,
    pub(crate) lifecycle: Option<Lifecycle>,
}

impl Rules {
    async fn read(engine: &Engine, accounts: &Accounts, bucket: &str) -> S3Result<Self> {
        let found = engine.bucket(bucket).await?;
        let mut documents = engine.documents(bucket).await?;
        let policy = documents.remove(POLICY_DOCUMENT).map(|text| Policy::read(&text, bucket)).transpose()?;
        let ownership = documents.remove(OWNERSHIP_DOCUMENT).and_then(|name| Ownership::named(&name));
        let damaged = |_| EngineError::from(Error::internal("the index holds an encryption setting that is damaged"));
        let encryption = documents.get(ENCRYPTION_DOCUMENT);
        let encryption = encryption.map(|text| serde_json::from_str(text).map_err(damaged));
        let damaged = |_| EngineError::from(Error::internal("the index holds CORS rules that are damaged"));
        let cors = documents.get(CORS_DOCUMENT).map(|text| serde_json::from_str(text).map_err(damaged));
        Ok(Self {
            owner: accounts.owner(found.owner_id.as_deref()),
            ownership: ownership.unwrap_or_default(),
            kept_acl: Acl::of_kept(documents.get(ACL_DOCUMENT).map(String::as_str))?,
            policy,
            block: PublicAccessBlock::of_documents(&documents)?.unwrap_or_default(),
            cors: cors.transpose()?,
            encryption: encryption.transpose()?,
            lifecycle: Lifecycle::of_documents(&documents)?,
        })
    }

    /// Whether access control lists count for nothing.
    pub(crate) fn are_acls_off(&self) -> bool {
        self.ownership == Ownership::BucketOwnerEnforced
    }

    /// The bucket's list.
    pub(crate) fn acl(&self) -> Acl {
        if self.are_acls_off() { Acl::private() } else { self.kept_acl.clone() }
    }

    /// Leaves an object to whom the bucket's ownership controls give it, as it is written.
    ///
    /// # Errors
    /// `Storage` for a list that can't be read.
    pub(crate) fn settle(&self, attributes: &mut ObjectAttributes) -> Result<(), EngineError> {
        let is_left = match self.ownership {
            Ownership::BucketOwnerEnforced => true,
            Ownership::BucketOwnerPreferred => acl::of_object(attributes)?.hands_over_to(&self.owner),
            Ownership::ObjectWriter => false,
        };
        if is_left {
            (attributes.acl, attributes.owner) = (None, None);
        }
        Ok(())
    }

    /// Who owns an object, or an upload, in the bucket.
    pub(crate) fn owner_of(&self, attributes: &ObjectAttributes, accounts: &Accounts) -> Arc<Account> {
        self.owner_named(attributes.owner.as_deref(), accounts)
    }

    /// The same, by the id that is kept; what has none is the bucket owner's.
    pub(crate) fn owner_named(&self, id: Option<&str>, accounts: &Accounts) -> Arc<Account> {
        match id.filter(|_| !self.are_acls_off()) {
            None => Arc::clone(&self.owner),
            Some(id) => accounts.owner(Some(id)),
        }
    }
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

    /// The rules of a bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`, and the engine's.
    pub(crate) async fn of(&self, engine: &Engine, accounts: &Accounts, bucket: &str) -> S3Result<Arc<Rules>> {
        let changes = {
            let remembered = self.lock();
            if let Some(rules) = remembered.of_bucket.get(bucket) {
                return Ok(Arc::clone(rules));
            }
            remembered.changes
        };
        let rules = Arc::new(Rules::read(engine, accounts, bucket).await?);
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
