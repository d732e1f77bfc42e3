use super::shape::{EMPTY, Shape, TEXT, maybe, one, some};

/// Whether the target is there, whoever keeps the setting sees to.
pub(super) const SHAPE: Shape = Shape::Of(&[maybe("LoggingEnabled", &ENABLED)]);

const ENABLED: Shape = Shape::Of(&[
    one("TargetBucket", &TEXT),
    one("TargetPrefix", &TEXT),
    maybe("TargetGrants", &Shape::Of(&[some("Grant", &GRANT)])),
    maybe("TargetObjectKeyFormat", &KEY_FORMAT),
]);

const GRANT: Shape = Shape::Of(&[
    one(
        "Grantee",
        &Shape::Of(&[
            maybe("ID", &TEXT),
            maybe("DisplayName", &TEXT),
            maybe("EmailAddress", &TEXT),
            maybe("URI", &TEXT),
        ]),
    ),
    one("Permission", &Shape::Text(|text| matches!(text, "FULL_CONTROL" | "READ" | "WRITE"))),
]);

const KEY_FORMAT: Shape = Shape::Of(&[
    maybe("SimplePrefix", &EMPTY),
    maybe(
        "PartitionedPrefix",
        &Shape::Of(&[maybe("PartitionDateSource", &Shape::Text(|text| matches!(text, "EventTime" | "DeliveryTime")))]),
    ),
]);
