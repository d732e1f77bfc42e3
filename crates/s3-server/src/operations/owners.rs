use crate::auth::Accounts;
use crate::bucket_rules::Rules;
use crate::engine::UploadInfo;
use crate::xml::XmlWriter;

/// Names the owners of what is listed in a bucket.
#[derive(Clone, Copy)]
pub(super) struct Owners<'a> {
    pub(super) rules: &'a Rules,
    pub(super) accounts: &'a Accounts,
}

impl Owners<'_> {
    /// Writes the owner of an object, by the id that is kept of it.
    pub(super) fn write(self, xml: &mut XmlWriter, kept_id: Option<&str>) {
        self.rules.owner_named(kept_id, self.accounts).write(xml, "Owner");
    }

    /// Writes who began an upload, and who will own its object.
    pub(super) fn write_of_upload(self, xml: &mut XmlWriter, upload: &UploadInfo) {
        let initiator = upload.attributes.owner.as_deref();
        let initiator = initiator.map_or_else(|| self.rules.owner.clone(), |id| self.accounts.owner(Some(id)));
        initiator.write(xml, "Initiator");
        self.write(xml, upload.attributes.owner.as_deref());
    }
}
