//! Data keys: made for what is written, opened for what is read.

use super::encryption::Sealing;
use super::index::objects;
use super::{CustomerKey, DataKey, Encryption, Engine, EngineError, Result, Scheme};

impl Engine {
    /// A new data key for an object or upload of that bucket and key, and what its attributes keep of it. `customer`
    /// is the key of [`Scheme::Customer`].
    ///
    /// # Errors
    /// `WrongCustomerKey` when that scheme has none, `Storage`.
    pub async fn new_data_key(
        &self,
        object: (&str, &str),
        scheme: Scheme,
        customer: Option<&CustomerKey>,
    ) -> Result<(Encryption, DataKey)> {
        let sealing = self.sealing(&scheme, customer).await?;
        Ok(Encryption::begin(scheme, &sealing, object)?)
    }

    /// The data key that an object's or upload's attributes keep.
    ///
    /// # Errors
    /// `WrongCustomerKey`, `Storage` (`DATA_KEY_SEALED` when the master key is another).
    pub async fn data_key(
        &self,
        object: (&str, &str),
        encryption: &Encryption,
        customer: Option<&CustomerKey>,
    ) -> Result<DataKey> {
        let sealing = self.sealing(&encryption.scheme, customer).await?;
        let opened = encryption.open(&sealing, object)?;
        opened.ok_or_else(|| match encryption.scheme {
            Scheme::Customer => EngineError::WrongCustomerKey,
            Scheme::S3 | Scheme::Kms(_) => sealed_for_good(object.1).into(),
        })
    }

    async fn sealing<'a>(&'a self, scheme: &Scheme, customer: Option<&'a CustomerKey>) -> Result<Sealing<'a>> {
        if *scheme == Scheme::Customer {
            return customer.map(Sealing::Customer).ok_or(EngineError::WrongCustomerKey);
        }
        let database = self.0.database.clone();
        let is_needed = move || database.read(objects::need_master_key);
        Ok(Sealing::Master(self.0.master_key.key(is_needed).await?))
    }
}

fn sealed_for_good(key: &str) -> holdfast_base::Error {
    let message = format!(
        "the data key of object {key:?} does not open: .holdfast/master.key is not the one that sealed it, or the \
         index was changed; restore both from a backup"
    );
    holdfast_base::Error::new(holdfast_base::ErrorKind::Integrity, "DATA_KEY_SEALED", message)
}
