use crate::error::{Code, S3Error, S3Result};
use crate::request::Request;

/// How a body is wrapped, and what vouches for it: the header `x-amz-content-sha256`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// As it is; with the hex SHA-256 that it must have, if one is given.
    Plain { sha256: Option<String> },
    /// `aws-chunked`: in chunks, each signed or none; trailers may follow them.
    Chunked { signed: bool },
}

impl Framing {
    /// Reads the header.
    ///
    /// # Errors
    /// `InvalidArgument` for a value that S3 does not know.
    pub(crate) fn of(request: &Request) -> S3Result<Self> {
        let Some(value) = request.header("x-amz-content-sha256") else { return Ok(Self::Plain { sha256: None }) };
        match value {
            "UNSIGNED-PAYLOAD" => Ok(Self::Plain { sha256: None }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::Chunked { signed: true }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::Chunked { signed: true }),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::Chunked { signed: false }),
            _ if value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Self::Plain { sha256: Some(value.to_ascii_lowercase()) })
            }
            _ => {
                let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                    STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
                Err(S3Error::argument("x-amz-content-sha256", value, message))
            }
        }
    }

    /// The length of the body without its wrapping, in bytes.
    ///
    /// # Errors
    /// `MissingContentLength` when neither header tells it.
    pub(crate) fn declared_length(&self, request: &Request) -> S3Result<u64> {
        let decoded = match self {
            Self::Plain { .. } => None,
            Self::Chunked { .. } => request.number_header("x-amz-decoded-content-length")?,
        };
        let length = match (decoded, self) {
            (Some(length), _) => Some(length),
            (None, Self::Plain { .. }) => request.number_header("content-length")?,
            (None, Self::Chunked { .. }) => None,
        };
        length.ok_or_else(|| Code::MissingContentLength.into())
    }
}
