//! The edge over TLS, spoken to by clients of `net`.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::Request;
use http_body_util::Full;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::edge_harness::{Edge, PATIENCE, SOON};
use super::limits::Limits;
use crate::clock::Clock;
use crate::net::testing::Authority;
use crate::net::tls::{TlsClock, client};
use crate::net::{Dialer, Plain, Reach, Target, TlsAcceptor, post};

struct Secured {
    edge: Edge,
    dialer: Dialer,
    _files: tempfile::TempDir,
}

fn secured(limits: Limits) -> Secured {
    let files = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (chain, key) = authority.write(files.path(), "localhost");
    let acceptor = Arc::new(TlsAcceptor::open(chain, key).unwrap());
    let trusted = client(
        &TlsClock::new(Clock::system()),
        Some(&authority.root(files.path())),
    );
    Secured {
        edge: Edge::open_with(limits, Some(acceptor)),
        dialer: Dialer::new(trusted.unwrap(), Plain::NearOnly, Reach::Anywhere),
        _files: files,
    }
}

impl Secured {
    fn target(&self, path: &str) -> Target {
        let port = self.edge.address.port();
        Target::parse(&format!("https://localhost:{port}{path}")).unwrap()
    }
}

#[tokio::test]
async fn an_answer_over_tls_asks_the_browser_to_stay_with_it() {
    let secured = secured(Limits::default());
    let request = Request::get("/").body(Full::new(Bytes::new())).unwrap();
    let target = secured.target("/api/peer/");
    let answer = post(&secured.dialer, &target, request).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(
        answer.headers["strict-transport-security"],
        "max-age=63072000"
    );
    let plain = Edge::open(Limits::default());
    let answer = plain
        .ask("GET /api/peer/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await;
    assert!(!answer.to_ascii_lowercase().contains("strict-transport"));
}

#[tokio::test]
async fn a_socket_opens_over_tls_and_closes_with_a_reason() {
    let secured = secured(Limits::default());
    let target = secured.target("/ws/echo/");
    let line = secured.dialer.dial(&target).await.unwrap();
    let url = format!("wss://{}{}", target.authority(), target.path);
    let (mut socket, _) = tokio_tungstenite::client_async(url, line).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    let echoed = timeout(PATIENCE, socket.next()).await.unwrap();
    assert_eq!(echoed.unwrap().unwrap(), Message::text("hello"));
}

#[tokio::test]
async fn a_peer_that_does_not_finish_its_handshake_is_dropped() {
    let secured = secured(Limits {
        handshake: SOON,
        ..Limits::default()
    });
    let mut stream = secured.edge.connect().await;
    let mut answer = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "still connected");
}
