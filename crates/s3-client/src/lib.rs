//! s3-client
