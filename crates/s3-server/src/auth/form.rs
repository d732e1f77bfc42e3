//! The signature of a form: over its policy, of version 4 or 2.

use std::sync::Arc;

use super::identity::{Identity, SignedBy};
use super::old_query::OldQuery;
use super::scope::Scope;
use super::signing_key::{SigningKey, same_signature};
use super::verifier::Verifier;
use crate::amz_time;
use crate::error::{Code, S3Error, S3Result};
use crate::form::Fields;

impl Verifier {
    /// Finds out who signed a form. One without a policy is nobody's.
    ///
    /// # Errors
    /// `InvalidArgument` for a field that is missing or wrong, `InvalidAccessKeyId`, `SignatureDoesNotMatch`.
    pub(crate) fn verify_form(&self, fields: &Fields) -> S3Result<(Identity, SignedBy)> {
        if !self.is_enabled() {
            return Ok((Identity::Unchecked, SignedBy::Nothing));
        }
        let Some(policy) = fields.get("policy") else {
            return Ok((Identity::Anonymous, SignedBy::Nothing));
        };
        match fields.get("awsaccesskeyid") {
            Some(access_key_id) => self.verify_old_form(fields, policy, access_key_id),
            None => self.verify_new_form(fields, policy),
        }
    }

    fn verify_new_form(&self, fields: &Fields, policy: &str) -> S3Result<(Identity, SignedBy)> {
        let field = |name: &'static str| fields.get(name).ok_or_else(|| missing(name));
        let algorithm = field("x-amz-algorithm")?;
        if algorithm != "AWS4-HMAC-SHA256" {
            let message = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"";
            return Err(S3Error::argument("X-Amz-Algorithm", algorithm, message));
        }
        let (credential, amz_date) = (field("x-amz-credential")?, field("x-amz-date")?);
        let signature = field("x-amz-signature")?;
        let wrong = |message: String| S3Error::argument("X-Amz-Credential", credential, message);
        let scope = Scope::read(credential).map_err(|fault| wrong(fault.message(None, self.region())))?;
        let signatory = self.signatory(&scope.access_key_id)?;
        let check = scope.check(amz_date, self.region());
        check.map_err(|fault| wrong(fault.message(Some(&scope), self.region())))?;
        let at_ms = amz_time::from_basic(amz_date).ok_or_else(|| {
            let message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"";
            S3Error::argument("X-Amz-Date", amz_date, message)
        })?;
        let ours = SigningKey::derive(&signatory.secret, &scope.day, self.region()).sign(policy);
        require_same(&ours, signature, &scope.access_key_id, policy)?;
        Ok((Identity::User(Arc::clone(&signatory.user)), SignedBy::Form { at_ms }))
    }

    fn verify_old_form(&self, fields: &Fields, policy: &str, access_key_id: &str) -> S3Result<(Identity, SignedBy)> {
        let signature = fields.get("signature").ok_or_else(|| missing("Signature"))?;
        let signatory = self.signatory(access_key_id)?;
        require_same(&OldQuery::sign(&signatory.secret, policy), signature, access_key_id, policy)?;
        Ok((Identity::User(Arc::clone(&signatory.user)), SignedBy::OldForm))
    }
}

fn require_same(ours: &str, theirs: &str, access_key_id: &str, policy: &str) -> S3Result<()> {
    if same_signature(ours, theirs) {
        return Ok(());
    }
    let error = S3Error::from(Code::SignatureDoesNotMatch).with("AWSAccessKeyId", access_key_id);
    Err(error.with("StringToSign", policy))
}

fn missing(name: &'static str) -> S3Error {
    crate::form::missing(name)
}
