//! A server that may open few files, and clients that take them all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use holdfast_s3_server::{Server, ServerSettings};

use crate::client::Reply;

const CHILD: &str = "HOLDFAST_FEW_FILES";
const TEST: &str = "descriptors::a_server_without_descriptors_answers_503_goes_on_and_recovers";
/// What the server may open: it needs about half of it for itself.
const MAX_FILES: usize = 64;

#[test]
#[expect(clippy::disallowed_methods, reason = "the parent tells the child what it is by its environment")]
fn a_server_without_descriptors_answers_503_goes_on_and_recovers() {
    if let Ok(folder) = std::env::var(CHILD) {
        return serve(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -n {MAX_FILES}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(CHILD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| line.strip_prefix("at ")?.parse().ok()).unwrap();
    take_all_and_give_back(address);
    drop(child.stdin.take());
    // The child writes to its end; a pipe that nobody reads would fail it.
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
}

fn serve(folder: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut settings = ServerSettings::new(folder);
        settings.buckets = vec!["bkt".into()];
        let server = Server::start(settings).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nat {}", server.address()).and_then(|()| out.flush()).unwrap();
        drop(out);
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()).unwrap()).await.unwrap();
        server.stop().await;
    });
}

fn take_all_and_give_back(address: SocketAddr) {
    let mut kept = connect(address);
    let body = vec![b'x'; 300_000];
    assert_eq!(request(&mut kept, "PUT", "/bkt/before", &body).status, 200);
    // More connections than the server can have: the last ones wait in the system's queue.
    let idle: Vec<TcpStream> = (0..2 * MAX_FILES).map(|_| connect(address)).collect();
    let refused = (0..200).map(|_| request(&mut kept, "PUT", "/bkt/during", &body)).find(|put| put.status != 200);
    let refused = refused.expect("a server that can't open a file refuses to write one");
    assert_eq!(refused.error(), (503, "SlowDown".into()), "{}", refused.text());
    // What needs no file is answered as ever.
    assert_eq!(request(&mut kept, "HEAD", "/bkt/before", b"").status, 200);

    drop(idle);
    let recovered = (0..200).any(|_| {
        let put = request(&mut kept, "PUT", "/bkt/after", &body).status;
        std::thread::sleep(Duration::from_millis(20)); // between two looks
        put == 200
    });
    assert!(recovered, "the server has descriptors again and still refuses");
    for key in ["before", "after"] {
        let got = request(&mut connect(address), "GET", &format!("/bkt/{key}"), b"");
        assert!(got.body == body, "{key} has changed");
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// A request on a connection that stays open.
fn request(stream: &mut TcpStream, method: &str, target: &str, body: &[u8]) -> Reply {
    let head = format!("{method} {target} HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let length = Reply::read(&answer, true).header("content-length").parse().unwrap_or(0);
    if method != "HEAD" {
        let mut rest = vec![0; length];
        stream.read_exact(&mut rest).unwrap();
        answer.extend(rest);
    }
    Reply::read(&answer, method == "HEAD")
}
