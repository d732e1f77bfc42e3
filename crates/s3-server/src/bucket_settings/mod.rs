//! Settings of a bucket that are checked, kept and given back: nothing here is done because of them.

mod accelerate;
mod logging;
mod notification;
mod request_payment;
mod shape;
mod website;

use crate::error::{Code, S3Result};
use crate::xml::{Element, XmlWriter};
use shape::Shape;

/// A setting that is one XML document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// How fast far clients are served.
    Accelerate,
    /// Where the log of requests goes.
    Logging,
    /// Who is told of what happens.
    Notification,
    /// Who pays.
    RequestPayment,
    /// How the bucket looks as a website.
    Website,
}

impl Setting {
    /// The name of the document that holds it.
    pub(crate) fn document(self) -> &'static str {
        match self {
            Self::Accelerate => "accelerate",
            Self::Logging => "logging",
            Self::Notification => "notification",
            Self::RequestPayment => "request-payment",
            Self::Website => "website",
        }
    }

    fn root(self) -> &'static str {
        match self {
            Self::Accelerate => "AccelerateConfiguration",
            Self::Logging => "BucketLoggingStatus",
            Self::Notification => "NotificationConfiguration",
            Self::RequestPayment => "RequestPaymentConfiguration",
            Self::Website => "WebsiteConfiguration",
        }
    }

    fn shape(self) -> &'static Shape {
        match self {
            Self::Accelerate => &accelerate::SHAPE,
            Self::Logging => &logging::SHAPE,
            Self::Notification => &notification::SHAPE,
            Self::RequestPayment => &request_payment::SHAPE,
            Self::Website => &website::SHAPE,
        }
    }

    /// Reads the document that a client sends for a bucket of that name, and checks it.
    ///
    /// # Errors
    /// `MalformedXML` for another shape, and what S3 refuses in one of the right shape.
    pub(crate) fn read(self, document: &[u8], bucket: &str) -> S3Result<Element> {
        let mut root = Element::read(document, self.root())?;
        self.shape().check(&root)?;
        match self {
            Self::Accelerate => accelerate::check(bucket)?,
            Self::Logging | Self::RequestPayment => {}
            Self::Notification => notification::check(&mut root)?,
            Self::Website => website::check(&root)?,
        }
        Ok(root)
    }

    /// Writes the document as it is kept and answered.
    pub(crate) fn write(self, root: &Element) -> S3Result<String> {
        let bytes = XmlWriter::document(self.root(), |xml| shape::write_children(xml, root));
        String::from_utf8(bytes.to_vec()).map_err(|_| Code::InternalError.into())
    }

    /// What is answered where the setting was never made; `None` where that is an error.
    pub(crate) fn by_default(self) -> Option<String> {
        let payer = |xml: &mut XmlWriter| xml.text("Payer", "BucketOwner");
        let bytes = match self {
            Self::Website => return None,
            Self::RequestPayment => XmlWriter::document(self.root(), payer),
            Self::Accelerate | Self::Logging | Self::Notification => XmlWriter::document(self.root(), |_| ()),
        };
        String::from_utf8(bytes.to_vec()).ok()
    }

    /// Whether a document says that the setting is none.
    pub(crate) fn is_none(self, root: &Element) -> bool {
        matches!(self, Self::Logging | Self::Notification) && root.children.is_empty()
    }
}

/// The bucket that a logging setting sends its logs to.
pub(crate) fn logging_target(root: &Element) -> Option<&str> {
    root.child("LoggingEnabled")?.text_of("TargetBucket")
}
