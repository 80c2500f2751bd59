//! Tests of `dial` and `post` against listeners on port 0.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::clock::Clock;
use crate::net::acceptor::TlsAcceptor;
use crate::net::post::post;
use crate::net::testing::Authority;
use crate::net::tls::{TlsClock, client};

fn dialer(root: Option<&std::path::Path>, reach: Reach) -> Dialer {
    let tls = client(&TlsClock::new(Clock::system()), root).unwrap();
    Dialer::new(tls, Plain::NearOnly, reach)
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Answers one request inside TLS.
async fn answer_one(listener: TcpListener, acceptor: Arc<TlsAcceptor>) -> io::Result<Vec<u8>> {
    let (stream, _) = listener.accept().await?;
    let mut stream = acceptor.accept(stream).await?;
    let mut asked = Vec::new();
    while !asked.ends_with(b"hello") {
        stream.read_buf(&mut asked).await?;
    }
    stream
        .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok")
        .await?;
    stream.shutdown().await?;
    Ok(asked)
}

#[tokio::test]
async fn a_request_goes_through_tls_and_back() {
    let temp = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (chain, key) = authority.write(temp.path(), "localhost");
    let acceptor = Arc::new(TlsAcceptor::open(chain, key).unwrap());
    let (listener, port) = listener().await;
    let serving = tokio::spawn(answer_one(listener, acceptor));
    let target = Target::parse(&format!("https://localhost:{port}/push/1?x")).unwrap();
    let request = Request::post("/")
        .body(Full::new(Bytes::from("hello")))
        .unwrap();
    let dialer = dialer(Some(&authority.root(temp.path())), Reach::Anywhere);
    let answer = post(&dialer, &target, request).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (201, &b"ok"[..])
    );
    let asked = String::from_utf8(serving.await.unwrap().unwrap()).unwrap();
    assert!(asked.starts_with("POST /push/1?x HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.contains(&format!("host: localhost:{port}")),
        "{asked}"
    );
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_not_trusted() {
    let temp = tempfile::tempdir().unwrap();
    let (chain, key) = Authority::new().write(temp.path(), "localhost");
    let acceptor = Arc::new(TlsAcceptor::open(chain, key).unwrap());
    let (listener, port) = listener().await;
    let serving = tokio::spawn(answer_one(listener, acceptor));
    let target = Target::parse(&format!("https://localhost:{port}/")).unwrap();
    let dialed = dialer(None, Reach::Anywhere).dial(&target).await;
    assert!(matches!(dialed, Err(DialError::Tls(_))), "{dialed:?}");
    assert!(serving.await.unwrap().is_err());
}

#[tokio::test]
async fn a_far_place_is_not_spoken_to_without_tls() {
    let target = Target::parse("http://relay.example/").unwrap();
    let dialed = dialer(None, Reach::Anywhere).dial(&target).await;
    assert!(matches!(dialed, Err(DialError::NeedsTls)), "{dialed:?}");
}

#[tokio::test]
async fn a_stranger_cannot_make_us_speak_to_our_own_machines() {
    let (_listener, port) = listener().await;
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let target = Target::parse(&format!("https://{host}:{port}/")).unwrap();
        let dialed = dialer(None, Reach::PublicOnly).dial(&target).await;
        assert!(
            matches!(dialed, Err(DialError::NotPublic)),
            "{host}: {dialed:?}"
        );
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let (gone, closed) = listener().await;
    drop(gone);
    let (_listening, port) = listener().await;
    let addresses = [closed, port].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let stream = connect(&addresses).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap().port(), port);
}

#[test]
fn both_families_are_tried_in_turn() {
    let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(|it| it.parse().unwrap());
    let mixed: Vec<_> = alternating(addresses.to_vec())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(mixed, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
}
