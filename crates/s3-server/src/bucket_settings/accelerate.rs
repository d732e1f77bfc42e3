use super::shape::{Shape, one};
use crate::error::{Code, S3Error, S3Result};

pub(super) const SHAPE: Shape =
    Shape::Of(&[one("Status", &Shape::Text(|text| matches!(text, "Enabled" | "Suspended")))]);

pub(super) fn check(bucket: &str) -> S3Result<()> {
    if bucket.contains('.') {
        let message = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names";
        return Err(S3Error::new(Code::InvalidRequest, message));
    }
    Ok(())
}
