use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::encoding::hex;
use crate::settings::{Credential, ServerSettings};
use crate::xml::XmlWriter;

/// The number of the server's own account.
pub(crate) const OWN_ACCOUNT: &str = "000000000000";
/// What the canonical id of the server's own account is the SHA-256 of, unless its credential says one. It depends on
/// no key, so that changing keys changes no owner.
const OWN_ID_SEED: &str = "holdfast: the server's own account";

/// Who owns buckets and objects: one or several users under a canonical id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) canonical_id: String,
    /// 12 digits, as ARNs name it.
    pub(crate) number: String,
    pub(crate) display_name: String,
    pub(crate) email: Option<String>,
}

impl Account {
    /// The account of a credential. What it leaves out, another one of the same canonical id may say.
    fn of(credential: &Credential, all: &[Credential], canonical_id: String, number: String) -> Self {
        let others =
            all.iter().filter(|other| other.canonical_id.is_some() && other.canonical_id == credential.canonical_id);
        let said: Vec<_> = std::iter::once(credential).chain(others).collect();
        let display_name = said.iter().find_map(|credential| credential.display_name.clone());
        Self {
            canonical_id,
            number,
            display_name: display_name.unwrap_or_else(|| credential.access_key_id.clone()),
            email: said.iter().find_map(|credential| credential.email.clone()),
        }
    }

    /// Writes it as an element of that name: `Owner` or `Initiator`.
    pub(crate) fn write(&self, xml: &mut XmlWriter, element: &str) {
        xml.element(element, |xml| self.write_content(xml));
    }

    /// Writes what stands in such an element.
    pub(crate) fn write_content(&self, xml: &mut XmlWriter) {
        xml.text("ID", &self.canonical_id);
        if !self.display_name.is_empty() {
            xml.text("DisplayName", &self.display_name);
        }
    }
}

/// The accounts of a server: its own, to which the first credential and all without a canonical id belong, and one
/// for each other canonical id.
#[derive(Debug)]
pub(crate) struct Accounts {
    own: Arc<Account>,
    of_id: HashMap<String, Arc<Account>>,
    /// Whether anybody is asked who they are.
    pub(crate) are_checked: bool,
}

impl Accounts {
    /// Those of the settings' credentials.
    pub(crate) fn of(settings: &ServerSettings) -> Self {
        let first = settings.credentials.first().cloned().unwrap_or_else(|| Credential::new("STORAGE", ""));
        let own_id = first.canonical_id.clone().unwrap_or_else(|| hex(&Sha256::digest(OWN_ID_SEED)));
        let own = Arc::new(Account::of(&first, &settings.credentials, own_id, OWN_ACCOUNT.to_owned()));
        let mut of_id = HashMap::from([(own.canonical_id.clone(), Arc::clone(&own))]);
        for credential in &settings.credentials {
            let Some(id) = &credential.canonical_id else { continue };
            let account = || Arc::new(Account::of(credential, &settings.credentials, id.clone(), number_of(id)));
            of_id.entry(id.clone()).or_insert_with(account);
        }
        Self { own, of_id, are_checked: settings.auth_enabled }
    }

    /// The server's own.
    pub(crate) fn own(&self) -> &Arc<Account> {
        &self.own
    }

    /// Whether there is another beside the server's own.
    pub(crate) fn are_several(&self) -> bool {
        self.of_id.len() > 1
    }

    /// The account of a credential.
    pub(crate) fn holder(&self, credential: &Credential) -> Arc<Account> {
        let found = credential.canonical_id.as_ref().and_then(|id| self.of_id.get(id));
        Arc::clone(found.unwrap_or(&self.own))
    }

    /// The account of a canonical id.
    pub(crate) fn find(&self, canonical_id: &str) -> Option<&Arc<Account>> {
        self.of_id.get(canonical_id)
    }

    /// The account of an address; its case does not matter.
    pub(crate) fn find_by_email(&self, email: &str) -> Option<&Arc<Account>> {
        let is_it = |account: &&Arc<Account>| account.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(email));
        self.of_id.values().find(is_it)
    }

    /// Whoever owns something: `None` is the server's own account. An owner that has no credential any more keeps
    /// its id and has no name.
    pub(crate) fn owner(&self, canonical_id: Option<&str>) -> Arc<Account> {
        let Some(id) = canonical_id else { return Arc::clone(&self.own) };
        let unknown =
            || Account { canonical_id: id.to_owned(), number: number_of(id), display_name: String::new(), email: None };
        self.find(id).cloned().unwrap_or_else(|| Arc::new(unknown()))
    }

    /// How an owner is kept: the server's own account without an id, unless its credential says one, so that what it
    /// owns stays its own when it is given one later.
    pub(crate) fn kept(&self, account: &Account) -> Option<String> {
        let is_derived = account.canonical_id == hex(&Sha256::digest(OWN_ID_SEED));
        (!is_derived).then(|| account.canonical_id.clone())
    }
}

/// The number that stands for a canonical id in ARNs: the id itself when it is one, else 12 digits of its digest.
fn number_of(canonical_id: &str) -> String {
    if canonical_id.len() == OWN_ACCOUNT.len() && canonical_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return canonical_id.to_owned();
    }
    let digest = Sha256::digest(canonical_id);
    let number = digest.iter().take(7).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:012}", number % 1_000_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(credentials: &[(&str, Option<&str>)]) -> Accounts {
        let mut settings = ServerSettings::new("unused");
        let credential = |(key, id): &(&str, Option<&str>)| Credential {
            canonical_id: id.map(str::to_owned),
            ..Credential::new(*key, "secret")
        };
        settings.credentials = credentials.iter().map(credential).collect();
        Accounts::of(&settings)
    }

    #[test]
    fn credentials_without_a_canonical_id_belong_to_the_servers_own_account() {
        let two = accounts(&[("a", None), ("b", None)]);
        assert!(!two.are_several());
        let other = accounts(&[("other", None)]);
        assert_eq!(two.own().canonical_id, other.own().canonical_id, "changing keys changes no owner");
        let named = accounts(&[("a", Some("one")), ("b", None), ("c", Some("two"))]);
        assert!(named.are_several());
        assert_eq!(named.holder(&Credential::new("b", "secret")).canonical_id, "one");
        assert_eq!(named.owner(None).canonical_id, "one");
        assert_eq!(named.owner(Some("gone")).canonical_id, "gone");
        assert_eq!((two.kept(two.own()), named.kept(named.own())), (None, Some("one".to_owned())));
    }

    #[test]
    fn credentials_of_one_canonical_id_are_one_owner_and_each_may_say_what_it_is_called() {
        let mut settings = ServerSettings::new("unused");
        let of = |key: &str| Credential { canonical_id: Some("one".into()), ..Credential::new(key, "secret") };
        settings.credentials = vec![
            Credential::new("own", "secret"),
            of("a"),
            Credential { display_name: Some("One".into()), ..of("b") },
            Credential { email: Some("one@example.com".into()), ..of("c") },
        ];
        let accounts = Accounts::of(&settings);
        for credential in &settings.credentials[1..] {
            let holder = accounts.holder(credential);
            assert_eq!((holder.canonical_id.as_str(), holder.display_name.as_str()), ("one", "One"));
        }
        assert_eq!(accounts.find_by_email("One@example.com"), accounts.find("one"));
    }

    #[test]
    fn every_account_has_a_number_of_12_digits() {
        assert_eq!(number_of("123456789012"), "123456789012");
        assert_eq!(number_of("ann").len(), 12);
        assert_ne!(number_of("ann"), number_of("bob"));
    }
}
