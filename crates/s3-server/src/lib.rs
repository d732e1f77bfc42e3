//! s3-server
