//! A list as XML: `AccessControlPolicy`.

use bytes::Bytes;

use super::grant::{Grant, Grantee, Permission};
use super::{Acl, MAX_GRANTS, Subject, headers};
use crate::auth::{Account, Accounts};
use crate::error::{Code, S3Error, S3Result};
use crate::xml::{Element, XmlWriter};

/// The largest such document, in bytes.
pub(crate) const MAX_ACL_BYTES: usize = 256 * 1024;
const USER: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"";
const GROUP: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"";

/// Reads a document.
///
/// # Errors
/// `MalformedXML`, `MalformedACLError`, `AccessDenied` for another owner, `InvalidArgument` and
/// `UnresolvableGrantByEmailAddress` for a grantee that nobody is.
pub(crate) fn of_document(document: &[u8], accounts: &Accounts, subject: Subject<'_>) -> S3Result<Acl> {
    let policy = Element::read(document, "AccessControlPolicy").map_err(|_| malformed())?;
    let owner = policy.child("Owner").and_then(|owner| owner.text_of("ID")).ok_or_else(malformed)?;
    if owner != subject.owner.canonical_id {
        return Err(Code::AccessDenied.into());
    }
    let list = policy.child("AccessControlList").ok_or_else(malformed)?;
    if list.children.len() > MAX_GRANTS || list.children.iter().any(|child| child.name != "Grant") {
        return Err(malformed());
    }
    let grants = list.children.iter().map(|grant| read_grant(grant, accounts, subject));
    Ok(Acl { grants: grants.collect::<S3Result<_>>()? })
}

fn read_grant(grant: &Element, accounts: &Accounts, subject: Subject<'_>) -> S3Result<Grant> {
    let permission = grant.text_of("Permission").and_then(Permission::named).ok_or_else(malformed)?;
    let grantee = grant.child("Grantee").ok_or_else(malformed)?;
    let text = |name| grantee.text_of(name).ok_or_else(malformed);
    let to = match grantee.kind.as_deref().ok_or_else(malformed)? {
        "CanonicalUser" => headers::user(text("ID")?, "CanonicalUser/ID", accounts, subject)?,
        "Group" => headers::group(text("URI")?)?,
        "AmazonCustomerByEmail" => headers::of_email(text("EmailAddress")?, accounts, subject)?,
        _ => return Err(malformed()),
    };
    Ok(Grant { to, permission })
}

/// Writes a document.
pub(crate) fn write(acl: &Acl, accounts: &Accounts, subject: Subject<'_>) -> Bytes {
    XmlWriter::document("AccessControlPolicy", |xml| {
        subject.owner.write(xml, "Owner");
        xml.element("AccessControlList", |xml| {
            for grant in &acl.grants {
                xml.element("Grant", |xml| {
                    write_grantee(xml, &grant.to, accounts, subject);
                    xml.text("Permission", grant.permission.name());
                });
            }
        });
    })
}

fn write_grantee(xml: &mut XmlWriter, grantee: &Grantee, accounts: &Accounts, subject: Subject<'_>) {
    let mut write = |account: &Account| {
        xml.element_with("Grantee", USER, |xml| account.write_content(xml));
    };
    match grantee {
        Grantee::Owner => write(subject.owner),
        Grantee::User(id) => write(&accounts.owner(Some(id))),
        Grantee::Group(group) => {
            xml.element_with("Grantee", GROUP, |xml| xml.text("URI", group.uri()));
        }
    }
}

fn malformed() -> S3Error {
    Code::MalformedACLError.into()
}
