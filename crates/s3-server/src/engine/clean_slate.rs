//! Every bucket goes with all that is in it; what the index does not name stays.

use std::sync::Arc;

use super::chores::finish_left_over;
use super::index::{buckets, objects, versions};
use super::opening::{Shared, no_such_bucket};
use super::uploads::abort_uploads_of;
use super::{BucketsOf, Result};

/// Removes bucket after bucket, each by one commit whose chores unlink its files. Only files that the index
/// names are unlinked, so that a directory which somebody keeps other things in loses none of them. Cut
/// short, it has removed some buckets whole. Blocks.
pub(super) fn remove_all_buckets(shared: &Arc<Shared>) -> Result<()> {
    while let Some(bucket) =
        shared.database.read(|connection| buckets::list(connection, &BucketsOf::All, "", "", 1))?.pop()
    {
        let name = bucket.name.clone();
        let id = shared.write(move |connection| {
            let Some(id) = buckets::id(connection, &name)? else { return no_such_bucket(&name) };
            objects::owe_removal_of_all(connection, id)?;
            versions::owe_removal_of_all(connection, id)?;
            buckets::delete(connection, id)?;
            Ok(Ok(id))
        })?;
        abort_uploads_of(shared, id)?;
        finish_left_over(shared)?;
        if let Err(error) = shared.files.remove_bucket(&bucket.name) {
            tracing::info!(%error, bucket = bucket.name, "the folder of a removed bucket holds foreign files and stays");
        }
    }
    Ok(())
}
