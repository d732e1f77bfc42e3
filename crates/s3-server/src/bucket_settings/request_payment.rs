use super::shape::{Shape, one};

pub(super) const SHAPE: Shape =
    Shape::Of(&[one("Payer", &Shape::Text(|text| matches!(text, "Requester" | "BucketOwner")))]);
