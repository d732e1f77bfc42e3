//! One connection, with or without TLS.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use crate::service::Service;

/// The most headers of a request.
const MAX_HEADERS: usize = 200;

/// Serves its requests to its end.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    service: Arc<Service>,
    acceptor: Option<TlsAcceptor>,
    watcher: Watcher,
) {
    // Answers are written whole; waiting to fill a packet only costs time.
    let _ = stream.set_nodelay(true);
    let idle = Duration::from_millis(service.settings.idle_timeout_ms);
    let mut stream = TimeoutStream::new(stream);
    // A client that does not read its answer is not waited for. What it sends has a limit of its own in each phase.
    stream.set_write_timeout(Some(idle));
    let stream = Box::pin(stream);
    match acceptor {
        None => serve_http(stream, peer, service, watcher).await,
        Some(acceptor) => match tokio::time::timeout(idle, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => serve_http(stream, peer, service, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a client did not come to speak TLS"),
            Err(_) => tracing::debug!("a client began to speak TLS and went on too slowly"),
        },
    }
}

async fn serve_http<S>(stream: S, peer: IpAddr, service: Arc<Service>, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let settings = &service.settings;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(settings.idle_timeout_ms))
        .max_headers(MAX_HEADERS)
        .max_header_size(settings.max_head_bytes);
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { service.answer(request, peer).await }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
