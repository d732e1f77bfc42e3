//! A storage server for tests: ours, on a free port of this machine, in a folder of its own.

use holdfast_base::Result;
use holdfast_s3_server::{Server, ServerSettings};
use tempfile::TempDir;

/// A running server whose folder goes with it. Stop it with [`TestServer::stop`], or drop it.
pub struct TestServer {
    server: Server,
    directory: TempDir,
}

impl TestServer {
    /// Starts one that asks for no signatures and has these buckets.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start(buckets: &[&str]) -> Result<Self> {
        Self::start_with(|settings| settings.buckets = buckets.iter().map(|&name| name.to_owned()).collect()).await
    }

    /// Starts one with settings that `change` changes: authentication, limits, the clock.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(change: impl FnOnce(&mut ServerSettings)) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut settings = ServerSettings::new(directory.path());
        change(&mut settings);
        Ok(Self { server: Server::start(settings).await?, directory })
    }

    /// The URL of the server, without a slash at the end; for clients that address buckets by path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The access key and the secret that it takes when it asks for signatures and was given no others.
    pub fn credentials(&self) -> (&'static str, &'static str) {
        ("STORAGE", "STORAGE")
    }

    /// The server itself: `log()` tells its requests, `faults()` makes it fail.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The folder that it keeps its data in.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Stops it.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
