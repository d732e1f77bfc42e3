//! An endpoint that answers as it is told, over real sockets, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use holdfast_s3_client::{Bucket, Client, ClientSettings, Credentials, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What to do with one request, once it is read whole.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answer with a status, headers and a body.
    Answer(u16, &'static str, &'static str),
    /// Announce more bytes than are sent, then hang up.
    Truncate(&'static str),
    /// Hang up without an answer.
    Cut,
    /// Never answer.
    Hang,
}

/// The endpoint.
pub(crate) struct Endpoint {
    pub(crate) address: String,
    seen: watch::Receiver<Vec<String>>,
}

impl Endpoint {
    /// Starts one that follows the script, and answers 200 after its end.
    pub(crate) async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let script: Arc<Mutex<VecDeque<Act>>> = Arc::new(Mutex::new(script.into_iter().collect()));
        let (sender, seen) = watch::channel(Vec::new());
        let sender = Arc::new(sender);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, script.clone(), sender.clone()));
            }
        });
        Self { address, seen }
    }

    /// A bucket there, with short deadlines.
    pub(crate) fn bucket(&self) -> Bucket {
        bucket_at(&self.address)
    }

    /// The request lines so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }

    /// Waits for a request whose line starts with `start`.
    pub(crate) async fn saw(&mut self, start: &str) {
        self.seen.wait_for(|lines| lines.iter().any(|line| line.starts_with(start))).await.unwrap();
    }
}

/// A bucket at an address, with short deadlines.
pub(crate) fn bucket_at(address: &str) -> Bucket {
    let settings = ClientSettings {
        endpoint: Some(address.to_owned()),
        credentials: Some(Credentials::new("id", "secret")),
        timeouts: Timeouts { connect_ms: 1_000, attempt_ms: 1_000, operation_ms: 5_000 },
        ..ClientSettings::default()
    };
    Client::new(settings).unwrap().bucket("box", "").unwrap()
}

async fn serve(socket: TcpStream, script: Arc<Mutex<VecDeque<Act>>>, seen: Arc<watch::Sender<Vec<String>>>) {
    let mut socket = BufReader::new(socket);
    while let Some(head) = read_request(&mut socket).await {
        let line = head.lines().next().unwrap_or_default().to_owned();
        seen.send_modify(|lines| lines.push(line));
        let act = script.lock().unwrap().pop_front().unwrap_or(Act::Answer(200, "", ""));
        let answer = match act {
            Act::Cut => return,
            Act::Hang => std::future::pending().await,
            Act::Truncate(body) => format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\netag: \"e\"\r\n\r\n{body}"),
            Act::Answer(status, headers, body) => {
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\netag: \"e\"\r\n{headers}\r\n{body}", body.len())
            }
        };
        if socket.get_mut().write_all(answer.as_bytes()).await.is_err() || answer.contains("content-length: 1000") {
            return;
        }
    }
}

/// Reads one request with its body; `None` when the connection is closed.
async fn read_request(socket: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    socket.read_exact(&mut body).await.ok()?;
    Some(head)
}
