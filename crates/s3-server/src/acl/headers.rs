//! What a write says of its list: a canned one by name, or grants in headers.

use http::HeaderName;

use super::grant::{Grant, Grantee, Group, Permission};
use super::{Acl, MAX_GRANTS, Subject, canned};
use crate::auth::Accounts;
use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

const CANNED: &str = "x-amz-acl";
const GRANTS: &str = "x-amz-grant-";

/// Whether a request says anything of a list in its headers.
fn has_headers(request: &Request) -> bool {
    request.headers().keys().map(HeaderName::as_str).any(|name| name == CANNED || name.starts_with(GRANTS))
}

/// Refuses a list where lists are off, unless it would change nothing there.
///
/// # Errors
/// `AccessControlListNotSupported`.
pub(crate) fn require_harmless(request: &Request) -> S3Result<()> {
    let is_harmless = match request.header(CANNED) {
        None => !has_headers(request),
        Some(name) => ["private", "bucket-owner-read", "bucket-owner-full-control"].contains(&name),
    };
    if is_harmless { Ok(()) } else { Err(Code::AccessControlListNotSupported.into()) }
}

/// The list that a request's headers give; `None` when they say nothing of one.
///
/// # Errors
/// `InvalidRequest` for both kinds at once, `InvalidArgument` for what nobody is or nothing means,
/// `UnresolvableGrantByEmailAddress`, `NotImplemented` for an unknown header.
pub(crate) fn of_headers(request: &Request, accounts: &Accounts, subject: Subject<'_>) -> S3Result<Option<Acl>> {
    let headers = request.headers();
    let canned = headers.get(CANNED);
    let mut names = headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with(GRANTS)).peekable();
    match (canned, names.peek()) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let message = "Specifying both Canned ACLs and Header Grants is not allowed";
            return Err(S3Error::new(Code::InvalidRequest, message));
        }
        (Some(name), None) => {
            let name = name.to_str().unwrap_or_default();
            let unknown = || S3Error::argument(CANNED, name, "The canned ACL is not known");
            return canned::named(name, subject).map(Some).ok_or_else(unknown);
        }
        (None, Some(_)) => {}
    }
    if let Some(unknown) = names.find(|name| !Permission::ALL.iter().any(|permission| permission.header() == *name)) {
        return Err(S3Error::from(Code::NotImplemented).with("Header", unknown));
    }
    let mut grants = Vec::new();
    for permission in Permission::ALL {
        for value in headers.get_all(permission.header()) {
            let value = value.to_str().map_err(|_| unreadable(permission, ""))?;
            for part in parts(value) {
                let to = grantee(part, permission, accounts, subject)?;
                grants.push(Grant { to, permission });
            }
        }
    }
    if grants.len() > MAX_GRANTS {
        return Err(S3Error::new(Code::InvalidRequest, format!("An ACL has at most {MAX_GRANTS} grants")));
    }
    Ok(Some(Acl { grants }))
}

/// Splits at commas that stand outside quotes.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let split = value.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    split.map(str::trim).filter(|part| !part.is_empty())
}

/// Reads `id="…"`, `uri=…` or `emailAddress=…`, quoted or not.
fn grantee(part: &str, of: Permission, accounts: &Accounts, subject: Subject<'_>) -> S3Result<Grantee> {
    let (kind, value) = part.split_once('=').ok_or_else(|| unreadable(of, part))?;
    let value = unquoted(value.trim()).ok_or_else(|| unreadable(of, part))?;
    match kind.trim().to_ascii_lowercase().as_str() {
        "id" => user(value, "id", accounts, subject),
        "uri" => group(value),
        "emailaddress" => of_email(value, accounts, subject),
        _ => Err(unreadable(of, part)),
    }
}

fn unquoted(value: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.strip_suffix(quote);
        }
    }
    (!value.is_empty()).then_some(value)
}

fn unreadable(of: Permission, part: &str) -> S3Error {
    S3Error::argument(of.header(), part, "Argument format not recognized")
}

/// The account of a canonical id. While nobody is asked who they are, every id that could be one is taken.
pub(super) fn user(id: &str, argument: &str, accounts: &Accounts, subject: Subject<'_>) -> S3Result<Grantee> {
    let could_be = || id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if id == subject.owner.canonical_id {
        return Ok(Grantee::Owner);
    }
    let is_bucket_owner = subject.bucket_owner.is_some_and(|owner| owner.canonical_id == id);
    if is_bucket_owner || accounts.find(id).is_some() || (!accounts.are_checked && could_be()) {
        return Ok(Grantee::User(id.to_owned()));
    }
    Err(S3Error::argument(argument, id, "Invalid id"))
}

pub(super) fn group(uri: &str) -> S3Result<Grantee> {
    let invalid = || S3Error::argument("uri", uri, "Invalid group uri");
    Group::of_uri(uri).map(Grantee::Group).ok_or_else(invalid)
}

pub(super) fn of_email(email: &str, accounts: &Accounts, subject: Subject<'_>) -> S3Result<Grantee> {
    let unknown = || S3Error::from(Code::UnresolvableGrantByEmailAddress).with("Email", email);
    let account = accounts.find_by_email(email).ok_or_else(unknown)?;
    user(&account.canonical_id, "emailAddress", accounts, subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Credential, ServerSettings};

    fn read(headers: &[(&str, &str)]) -> S3Result<Option<Acl>> {
        let mut settings = ServerSettings::new("unused");
        settings.auth_enabled = true;
        let ann = Credential::new("ann", "secret");
        settings.credentials.push(Credential {
            canonical_id: Some("of-ann".into()),
            email: Some("Ann@example.com".into()),
            ..ann
        });
        let accounts = Accounts::of(&settings);
        let mut request = http::Request::builder().uri("/bkt/k");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = Request::read(request.body(()).unwrap().into_parts().0).unwrap();
        of_headers(&request, &accounts, Subject { owner: accounts.own(), bucket_owner: None })
    }

    #[test]
    fn grantees_stand_in_any_quotes_and_several_in_a_header() {
        let ann = Grantee::User("of-ann".into());
        for value in ["id=of-ann", "id=\"of-ann\"", "ID='of-ann'", " id = of-ann ", "emailAddress=\"ann@EXAMPLE.com\""]
        {
            let read = read(&[("x-amz-grant-read", value)]).unwrap().unwrap();
            assert_eq!(read.grants, [Grant { to: ann.clone(), permission: Permission::Read }], "{value}");
        }
        let uri = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\", id=of-ann";
        let read = read(&[("x-amz-grant-write", uri), ("x-amz-grant-read-acp", "id=of-ann")]).unwrap().unwrap();
        assert_eq!(read.grants.len(), 3);
    }

    #[test]
    fn what_nobody_is_and_nothing_means_is_refused() {
        for (value, code) in [
            ("id=of-bob", Code::InvalidArgument),
            ("of-ann", Code::InvalidArgument),
            ("name=ann", Code::InvalidArgument),
            ("id=\"of-ann", Code::InvalidArgument),
            ("uri=http://example.com", Code::InvalidArgument),
            ("emailAddress=bob@example.com", Code::UnresolvableGrantByEmailAddress),
        ] {
            assert_eq!(read(&[("x-amz-grant-read", value)]).unwrap_err().code(), code, "{value}");
        }
        let both = read(&[("x-amz-grant-read", "id=of-ann"), ("x-amz-acl", "private")]);
        assert_eq!(both.unwrap_err().code(), Code::InvalidRequest);
        let unknown = read(&[("x-amz-grant-sauce", "id=of-ann")]);
        assert_eq!(unknown.unwrap_err().code(), Code::NotImplemented);
        assert_eq!(read(&[("x-amz-acl", "sauce")]).unwrap_err().code(), Code::InvalidArgument);
    }
}
