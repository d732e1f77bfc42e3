use crate::encoding::hex;
use crate::settings::ServerSettings;
use crate::xml::XmlWriter;
use sha2::{Digest, Sha256};

/// Who owns buckets and objects, as listings name it.
pub(crate) struct Owner {
    id: String,
    display_name: String,
}

impl Owner {
    /// The one owner of a server: its first credential. The id is derived from the public half of the pair.
    pub(crate) fn of_server(settings: &ServerSettings) -> Self {
        let name = settings.credentials.first().map_or("STORAGE", |credential| credential.access_key_id.as_str());
        Self { id: hex(&Sha256::digest(name.as_bytes())), display_name: name.to_owned() }
    }

    /// Writes it as an element of that name: `Owner` or `Initiator`.
    pub(crate) fn write(&self, xml: &mut XmlWriter, element: &str) {
        xml.element(element, |xml| {
            xml.text("ID", &self.id);
            xml.text("DisplayName", &self.display_name);
        });
    }
}
