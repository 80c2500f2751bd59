//! An edge with a few routes on port 0, and peers that speak to it in bytes. For `edge_test`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{BoxError, Extension, Router};
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bind::Listener;
use super::guard::{self, Guard, GuardConfig};
use super::headers;
use super::limits::Limits;
use super::listen::{Peer, serve};
use super::problem::{Problem, told, unknown_route};
use super::upgrade::{CloseReason, WebSocket, close, upgrade};
use crate::net::TlsAcceptor;

/// How long a test waits for what must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A limit shortened for a test.
pub(super) const SOON: Duration = Duration::from_millis(200);

pub(super) struct Edge {
    pub(super) address: SocketAddr,
    pub(super) shutdown: CancellationToken,
    pub(super) serving: tokio::task::JoinHandle<()>,
    pub(super) shared: Arc<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    pub(super) waiting: Notify,
    pub(super) go_on: Notify,
    pub(super) flood_ended: Notify,
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Edge {
    pub(super) fn open(limits: Limits) -> Self {
        Self::open_with(limits, None)
    }

    pub(super) fn open_with(limits: Limits, tls: Option<Arc<TlsAcceptor>>) -> Self {
        let shared = Arc::new(Shared::default());
        let guard = Arc::new(Guard::new(&GuardConfig::default(), None).unwrap());
        let router = Router::new()
            .route("/api/peer/", get(peer))
            .route("/api/body/", post(body))
            .route("/api/wait/", get(wait))
            .route("/api/flood/", get(flood))
            .route("/ws/echo/", any(echo))
            .route("/ws/close/", any(close_at_once))
            .route("/ws/flood/", any(flood_socket))
            .with_state(Arc::clone(&shared));
        let router = told(router.fallback(unknown_route))
            .layer(from_fn_with_state(guard, guard::check))
            .layer(from_fn(headers::secure))
            .layer(from_fn(headers::insist_on_tls));
        let listeners = Listener::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = listeners[0].address();
        let listeners = listeners.into_iter().map(|listener| match &tls {
            Some(tls) => listener.with_tls(Arc::clone(tls)),
            None => listener,
        });
        let shutdown = CancellationToken::new();
        let tracker = TaskTracker::new();
        let serving = tokio::spawn(serve(
            listeners.collect(),
            router,
            shutdown.clone(),
            tracker,
            limits,
        ));
        Self {
            address,
            shutdown,
            serving,
            shared,
        }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The whole answer to one request on a connection of its own.
    pub(super) async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        read_some(&mut stream).await
    }

    /// The answer to RFC 6455's example upgrade, with some fields replaced or added.
    pub(super) async fn upgrade(&self, changes: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("Host", "localhost"),
            ("Connection", "keep-alive, Upgrade"),
            ("Upgrade", "WebSocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend(changes);
        let fields: String = fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        self.ask(&format!("GET /ws/echo/ HTTP/1.1\r\n{fields}\r\n"))
            .await
    }

    pub(super) async fn open_socket_on(
        &self,
        stream: TcpStream,
        path: &str,
    ) -> (ClientSocket, Response<()>) {
        let url = format!("ws://{}{path}", self.address);
        let (socket, answer) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        (socket, answer.map(|_| ()))
    }

    /// Whether a new connection is closed without a word.
    pub(super) async fn is_refused(&self) -> bool {
        let mut stream = self.connect().await;
        let peer = "GET /api/peer/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        // A reset while writing is a refusal too.
        let _ = stream.write_all(peer.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .expect("an end");
        answer.is_empty()
    }

    /// Places are given back by other tasks a moment later.
    pub(super) async fn until_admitted(&self) {
        let admitted = async { while self.is_refused().await {} };
        timeout(PATIENCE, admitted)
            .await
            .expect("a place is given back");
    }
}

pub(super) type ClientSocket = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn peer(Extension(peer): Extension<Peer>, request: Request) -> String {
    let query = request.uri().query().unwrap_or_default();
    format!("{} to {} {query}", peer.remote.ip(), peer.local)
}

async fn body(request: Request) -> Result<String, Problem> {
    let read = request.into_body().collect().await;
    let read = read.map_err(|error| Problem::from_body_error(&BoxError::from(error)))?;
    Ok(read.to_bytes().len().to_string())
}

async fn wait(State(shared): State<Arc<Shared>>) -> &'static str {
    shared.waiting.notify_one();
    shared.go_on.notified().await;
    "done"
}

/// An answer without end; tells when the box has given it up.
async fn flood(State(shared): State<Arc<Shared>>) -> Body {
    let ended = TellsWhenDropped(shared);
    let frames = futures_util::stream::repeat_with(move || {
        let _held = &ended;
        Ok::<_, BoxError>(Bytes::from_static(&[b'x'; 16 * 1024]))
    });
    Body::from_stream(frames)
}

async fn flood_socket(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let ended = TellsWhenDropped(shared);
    on_socket(request, async move |mut socket| {
        let _held = ended;
        while socket
            .send(Message::text("x".repeat(16 * 1024)))
            .await
            .is_ok()
        {}
    })
}

async fn echo(request: Request) -> Response {
    on_socket(request, async |mut socket| {
        while let Some(received) = socket.next().await {
            match received {
                Ok(message) if message.is_text() => drop(socket.send(message).await),
                Ok(_) => {}
                Err(error) => match CloseReason::after(&error) {
                    Some(reason) => return reason.close(socket).await,
                    None => return,
                },
            }
        }
    })
}

async fn close_at_once(request: Request) -> Response {
    on_socket(request, async |socket| {
        close(socket, 4401, &"é".repeat(100)).await;
    })
}

fn on_socket<F>(
    mut request: Request,
    pump: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send,
{
    match upgrade(&mut request, &["motoreach.v1"]) {
        Ok(upgrading) => {
            tokio::spawn(async move {
                if let Ok(socket) = upgrading.socket.await {
                    pump(socket).await;
                }
            });
            upgrading.response
        }
        Err(problem) => problem.into_response(),
    }
}

struct TellsWhenDropped(Arc<Shared>);

impl Drop for TellsWhenDropped {
    fn drop(&mut self) {
        self.0.flood_ended.notify_one();
    }
}

pub(super) async fn next(socket: &mut ClientSocket) -> Result<Message, Error> {
    timeout(PATIENCE, socket.next())
        .await
        .expect("a frame")
        .expect("an open socket")
}

pub(super) async fn closed_with(socket: &mut ClientSocket) -> u16 {
    loop {
        match next(socket).await {
            Ok(Message::Close(Some(frame))) => return frame.code.into(),
            Ok(_) => {}
            Err(error) => panic!("closed without a code: {error}"),
        }
    }
}

/// One answer: the head, and as much body as it announces.
pub(super) async fn read_some(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let complete = async {
        while !is_complete(&answer) {
            if stream.read_buf(&mut answer).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    timeout(PATIENCE, complete).await.expect("an answer");
    String::from_utf8(answer).unwrap()
}

fn is_complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// Everything until the box closes, while `drip` is sent every while.
pub(super) async fn read_while_trickling(stream: &mut TcpStream, drip: &[u8]) -> String {
    let (mut reader, mut writer) = stream.split();
    let mut ticks = tokio::time::interval(SOON / 4);
    let trickle = async {
        loop {
            ticks.tick().await;
            if writer.write_all(drip).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        // A reset is an end as well.
        ended = timeout(PATIENCE, reader.read_to_end(&mut answer)) => drop(ended.expect("an end")),
        () = trickle => {}
    }
    String::from_utf8(answer).unwrap()
}

/// Everything until the box closes.
pub(super) async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    String::from_utf8(answer).unwrap()
}
