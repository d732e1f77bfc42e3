use crate::auth::User;
use crate::settings::{Credential, ServerSettings};
use crate::xml::XmlWriter;

/// Who owns buckets and objects, as listings name it.
pub(crate) struct Owner {
    id: String,
    display_name: String,
}

impl Owner {
    /// The one owner of a server: its first credential.
    pub(crate) fn of_server(settings: &ServerSettings) -> Self {
        let first = settings.credentials.first().cloned().unwrap_or_else(|| Credential::new("STORAGE", ""));
        let User { canonical_id, display_name, .. } = User::of(&first);
        Self { id: canonical_id, display_name }
    }

    /// Writes it as an element of that name: `Owner` or `Initiator`.
    pub(crate) fn write(&self, xml: &mut XmlWriter, element: &str) {
        xml.element(element, |xml| {
            xml.text("ID", &self.id);
            xml.text("DisplayName", &self.display_name);
        });
    }
}
