//! A bare HTTP client: what is written here is what goes over the socket.

use std::collections::{BTreeSet, HashMap};

use holdfast_s3_server::{Server, ServerSettings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server in a folder of its own.
pub(crate) struct Fixture {
    pub(crate) server: Server,
    pub(crate) directory: TempDir,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// Bucket `b` is there.
    pub(crate) async fn with(change: impl FnOnce(&mut ServerSettings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = ServerSettings::new(directory.path());
        settings.buckets = vec!["bkt".into()];
        settings.max_memory_bytes = crate::MAX_MEMORY_BYTES;
        change(&mut settings);
        Self { server: Server::start(settings).await.unwrap(), directory }
    }

    /// Stops a server, and starts another one in its folder.
    #[allow(dead_code, reason = "in memory nothing is there again: modules that use it are in ON_DISK")]
    pub(crate) async fn again(stopped: Self) -> Self {
        let Self { server, directory } = stopped;
        server.stop().await;
        Self { server: Server::start(ServerSettings::new(directory.path())).await.unwrap(), directory }
    }

    /// Sends a request with a body and reads the answer.
    pub(crate) async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head.push_str(&format!("host: {}\r\n", self.server.address()));
        }
        let framed = headers.iter().any(|(name, _)| ["content-length", "transfer-encoding"].contains(name));
        if !framed && (!body.is_empty() || ["PUT", "POST"].contains(&method)) {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("connection: close\r\n\r\n");
        self.send_raw(&[head.as_bytes(), body].concat(), method == "HEAD").await
    }

    /// Every data file below the folder, staged ones included. In memory there is none.
    pub(crate) fn data_files(&self) -> BTreeSet<String> {
        let root = self.directory.path();
        let (mut folders, mut found) = (vec![root.to_owned()], BTreeSet::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                match path.is_dir() {
                    true if name != ".holdfast/snapshots" => folders.push(path),
                    false if !name.starts_with(".holdfast/index.db") && name != ".holdfast/lock" => {
                        found.insert(name);
                    }
                    _ => {}
                }
            }
        }
        assert!(found.is_empty() || crate::MAX_MEMORY_BYTES.is_none());
        found
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &[], b"").await
    }

    pub(crate) async fn put(&self, target: &str, body: &[u8]) -> Reply {
        self.send("PUT", target, &[], body).await
    }

    /// Sends bytes as they are and reads the answer to its end.
    pub(crate) async fn send_raw(&self, bytes: &[u8], is_head: bool) -> Reply {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        Reply::read(&answer, is_head)
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn read(bytes: &[u8], is_head: bool) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: HashMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = bytes[end + 4..].to_vec();
        if is_head {
            assert!(body.is_empty(), "an answer to HEAD has no body");
        }
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The text of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> String {
        self.elements(name).into_iter().next().unwrap_or_default()
    }

    /// The texts of all elements of that name.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        text.split(&open)
            .skip(1)
            .filter_map(|rest| rest.split_once(&close))
            .map(|(value, _)| value.to_owned())
            .collect()
    }

    /// Status and code of an error.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.element("Code"))
    }
}
