use super::grant::{Grant, Grantee, Group, Permission};
use super::{Acl, Subject};

/// Who makes machine images of what is granted by `aws-exec-read`.
const EC2: &str = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

/// The list of a name; `None` for a name that S3 does not know for such a thing.
pub(super) fn named(name: &str, subject: Subject<'_>) -> Option<Acl> {
    let group = |group, permission| Grant { to: Grantee::Group(group), permission };
    let mut acl = Acl::private();
    match (name, subject.bucket_owner) {
        ("private", _) => {}
        ("public-read", _) => acl.grants.push(group(Group::AllUsers, Permission::Read)),
        ("public-read-write", _) => {
            acl.grants.extend([group(Group::AllUsers, Permission::Read), group(Group::AllUsers, Permission::Write)])
        }
        ("authenticated-read", _) => acl.grants.push(group(Group::AuthenticatedUsers, Permission::Read)),
        ("aws-exec-read", _) => {
            acl.grants.push(Grant { to: Grantee::User(EC2.to_owned()), permission: Permission::Read });
        }
        ("log-delivery-write", None) => acl
            .grants
            .extend([group(Group::LogDelivery, Permission::Write), group(Group::LogDelivery, Permission::ReadAcp)]),
        // A bucket has no other owner to grant them to.
        ("bucket-owner-read" | "bucket-owner-full-control", None) => {}
        ("bucket-owner-read" | "bucket-owner-full-control", Some(owner)) => {
            if owner.canonical_id != subject.owner.canonical_id {
                let permission = if name == "bucket-owner-read" { Permission::Read } else { Permission::FullControl };
                acl.grants.push(Grant { to: Grantee::User(owner.canonical_id.clone()), permission });
            }
        }
        _ => return None,
    }
    Some(acl)
}
