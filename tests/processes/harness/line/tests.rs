//! The line itself, between a WebSocket client and an echo.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use motoreach::clock::stopwatch;
use motoreach::wire::link::Frame;

use super::{Certificate, Deed, Line, Way, Weather, Which, kind};

const UP: Which = Which {
    way: Way::Up,
    kind: None,
};
const DOWN: Which = Which {
    way: Way::Down,
    kind: None,
};

/// A line to a server that says everything back.
async fn line() -> (Line, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = Line::to(listener.local_addr().unwrap()).await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            open.spawn(echo(stream));
        }
    });
    (line, tasks)
}

async fn echo(stream: TcpStream) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_binary() && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn client(line: &Line) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(line.address()).await.unwrap();
    client_async("ws://localhost/", stream).await.unwrap().0
}

async fn says(socket: &mut WebSocketStream<TcpStream>, word: &str) {
    let _ = socket.send(Message::binary(word.as_bytes().to_vec())).await;
}

/// The next thing said, or how it ended.
async fn hears(socket: &mut WebSocketStream<TcpStream>) -> String {
    let next = tokio::time::timeout(super::SOON, socket.next()).await;
    match next.expect("something comes") {
        Some(Ok(message)) => String::from_utf8(message.into_data().to_vec()).unwrap(),
        Some(Err(_)) | None => "(broken)".to_owned(),
    }
}

#[tokio::test]
async fn in_fair_weather_everything_comes_through() {
    let (line, _tasks) = line().await;
    let mut socket = client(&line).await;
    let long = "x".repeat(200_000);
    for word in ["a", &long, "b"] {
        says(&mut socket, word).await;
        assert_eq!(hears(&mut socket).await, word);
    }
    assert_eq!((line.seen(UP), line.seen(DOWN)), (3, 3));
}

#[tokio::test]
async fn frames_are_lost_doubled_and_held_up_as_ordered() {
    let (line, _tasks) = line().await;
    let mut socket = client(&line).await;
    line.deed(UP, 1, 1, Deed::Drop);
    line.deed(DOWN, 0, 1, Deed::Twice);
    for word in ["a", "lost", "b"] {
        says(&mut socket, word).await;
    }
    for heard in ["a", "a", "b"] {
        assert_eq!(hears(&mut socket).await, heard);
    }
    let begun = stopwatch();
    line.deed(UP, 0, 1, Deed::Delay(Duration::from_millis(80)));
    says(&mut socket, "late").await;
    assert_eq!(hears(&mut socket).await, "late");
    assert!(begun.elapsed() >= Duration::from_millis(80));
    assert_eq!(line.deeds_done(), 3);
}

#[tokio::test]
async fn a_connection_is_cut_before_in_and_after_a_frame() {
    for (deed, heard) in [
        (Deed::CutBefore, vec!["(broken)"]),
        (Deed::CutMid, vec!["(broken)"]),
        (Deed::CutAfter, vec!["b", "(broken)"]),
    ] {
        let (line, _tasks) = line().await;
        let mut socket = client(&line).await;
        line.deed(DOWN, 1, 1, deed);
        says(&mut socket, "a").await;
        assert_eq!(hears(&mut socket).await, "a");
        says(&mut socket, "b").await;
        for heard in heard {
            assert_eq!(hears(&mut socket).await, heard, "{deed:?}");
        }
        let mut again = client(&line).await;
        says(&mut again, "c").await;
        assert_eq!(hears(&mut again).await, "c");
        assert_eq!(line.dialled(), 2);
    }
}

#[tokio::test]
async fn a_deed_may_be_for_one_type_of_frame() {
    let (line, _tasks) = line().await;
    let mut socket = client(&line).await;
    let entries = Which {
        way: Way::Down,
        kind: Some(kind::WELCOME + 1),
    };
    line.deed(entries, 0, 1, Deed::Drop);
    for frame in [Frame::Ping, Frame::Granted, Frame::Pong] {
        socket.send(Message::binary(frame.encode())).await.unwrap();
    }
    for expected in [Frame::Ping, Frame::Pong] {
        let heard = socket.next().await.unwrap().unwrap().into_data();
        assert_eq!(Frame::decode(&heard).unwrap(), Some(expected));
    }
    assert_eq!(line.seen(entries), 1);
}

#[tokio::test]
async fn a_stalled_connection_stays_open_and_says_nothing() {
    let (line, _tasks) = line().await;
    let mut socket = client(&line).await;
    line.deed(DOWN, 0, 1, Deed::Stall);
    says(&mut socket, "a").await;
    line.has_done(1).await;
    let silence = tokio::time::timeout(Duration::from_millis(50), socket.next()).await;
    assert!(silence.is_err(), "{silence:?}");
    line.break_off();
    assert_eq!(hears(&mut socket).await, "(broken)");
}

#[tokio::test]
async fn a_cut_line_resets_what_is_open_and_refuses_until_it_heals() {
    let (line, _tasks) = line().await;
    let mut socket = client(&line).await;
    line.cut();
    assert_eq!(hears(&mut socket).await, "(broken)");
    let mut refused = TcpStream::connect(line.address()).await.unwrap();
    let read = refused.read(&mut [0; 8]).await;
    assert!(matches!(read, Err(_) | Ok(0)), "{read:?}");
    line.heals();
    let mut socket = client(&line).await;
    says(&mut socket, "a").await;
    assert_eq!(hears(&mut socket).await, "a");
}

#[tokio::test]
async fn a_throttled_line_takes_its_time() {
    let (line, _tasks) = line().await;
    let mut socket = client(&line).await;
    line.throttle(100_000);
    let begun = stopwatch();
    let long = "x".repeat(20_000);
    says(&mut socket, &long).await;
    assert_eq!(hears(&mut socket).await, long);
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_portal_answers_html_and_silence_answers_nothing() {
    let (line, _tasks) = line().await;
    line.becomes(Weather::Portal);
    let mut stream = TcpStream::connect(line.address()).await.unwrap();
    stream
        .write_all(b"GET /link/ HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("Hotel Wi-Fi"));

    line.becomes(Weather::Silent);
    let mut stream = TcpStream::connect(line.address()).await.unwrap();
    let mut nothing = [0; 1];
    let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut nothing)).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn a_foreign_certificate_is_shown() {
    let (line, _tasks) = line().await;
    let certificate = Certificate::of(&["localhost"]);
    line.becomes(Weather::Behind(certificate.clone()));
    let mut roots = rustls::RootCertStore::empty();
    let trusts = |roots| {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tokio_rustls::TlsConnector::from(std::sync::Arc::new(config))
    };
    let stream = TcpStream::connect(line.address()).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let strangers = trusts(roots.clone()).connect(name.clone(), stream).await;
    assert!(strangers.is_err());

    let der = rustls::pki_types::CertificateDer::from(pem(&certificate.pem));
    roots.add(der).unwrap();
    let stream = TcpStream::connect(line.address()).await.unwrap();
    let stream = trusts(roots).connect(name, stream).await.unwrap();
    let (mut socket, _) = client_async("ws://localhost/", stream).await.unwrap();
    socket.send(Message::binary(b"a".to_vec())).await.unwrap();
    let heard = socket.next().await.unwrap().unwrap().into_data();
    assert_eq!(&heard[..], b"a");
}

/// The bytes of a PEM file's one block.
fn pem(text: &str) -> Vec<u8> {
    use base64::Engine;
    let base64: String = text
        .lines()
        .filter(|line| !line.contains("-----"))
        .collect();
    base64::engine::general_purpose::STANDARD
        .decode(base64)
        .unwrap()
}
