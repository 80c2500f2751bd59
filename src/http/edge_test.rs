//! The edge as a peer on the network meets it: real sockets, port 0, bytes in and bytes out.
//!
//! Times are shortened through `Limits`; no test sleeps, each waits for what the box does.

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

use super::edge_harness::{
    Edge, PATIENCE, SOON, closed_with, next, read_all, read_some, read_while_trickling,
};
use super::limits::{Limits, SOCKET_MESSAGE_BYTES_MAX};
use super::upgrade::CloseReason;

#[tokio::test]
async fn an_unknown_path_is_a_problem_and_a_missing_last_slash_none() {
    let edge = Edge::open(Limits::default());
    let answer = edge
        .ask("GET /api/nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(
        answer.contains("content-type: application/problem+json"),
        "{answer}"
    );
    assert!(answer.contains(r#""code":"not_found""#), "{answer}");
    assert!(!answer.to_lowercase().contains("\r\nserver:"), "{answer}");

    let answer = edge
        .ask("GET /api/peer?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert!(
        answer.ends_with(&format!("127.0.0.1 to {} x=1", edge.address)),
        "{answer}"
    );
}

#[tokio::test]
async fn a_request_without_exactly_one_known_host_is_refused() {
    let edge = Edge::open(Limits::default());
    for (hosts, status) in [
        ("", 400),
        ("Host: localhost\r\nHost: localhost\r\n", 400),
        ("Host: evil.example\r\n", 421),
        ("Host: localhost\r\n", 200),
    ] {
        let answer = edge
            .ask(&format!("GET /api/peer/ HTTP/1.1\r\n{hosts}\r\n"))
            .await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{hosts:?}: {answer}"
        );
    }
    let answer = edge.ask("GET /api/peer/ HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 400 "), "{answer}");
}

#[tokio::test]
async fn odd_request_lines_are_answered_and_hurt_nobody() {
    let edge = Edge::open(Limits::default());
    for line in [
        "OPTIONS *",
        "CONNECT localhost:80",
        "GET http://localhost/api/peer/",
        "BREW /",
    ] {
        let answer = edge
            .ask(&format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            .await;
        assert!(answer.starts_with("HTTP/1.1 "), "{line}: {answer}");
        assert!(!answer.starts_with("HTTP/1.1 5"), "{line}: {answer}");
    }
    let many = "X-A: b\r\n".repeat(100);
    let answer = edge
        .ask(&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let long = "a".repeat(20_000);
    let answer = edge
        .ask(&format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn headers_that_trickle_are_cut_off() {
    let edge = Edge::open(Limits {
        header_read: SOON,
        ..Limits::default()
    });
    let mut stream = edge.connect().await;
    let began = Instant::now();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        .await
        .unwrap();
    // One more header every while, as slowloris does: none of them buys time.
    read_while_trickling(&mut stream, b"X: y\r\n").await;
    let took = began.elapsed();
    assert!((SOON..SOON * 10).contains(&took), "{took:?}");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let edge = Edge::open(Limits {
        header_read: SOON,
        ..Limits::default()
    });
    let mut stream = edge.connect().await;
    assert!(read_all(&mut stream).await.is_empty());
}

#[tokio::test]
async fn a_body_that_trickles_is_408() {
    let limits = Limits {
        body_progress: SOON,
        ..Limits::default()
    };
    let edge = Edge::open(limits);
    for body in ["", "{\"a\""] {
        let mut stream = edge.connect().await;
        let head = "POST /api/body/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n";
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .unwrap();
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(answer.contains(r#""code":"too_slow""#), "{answer}");
    }
}

#[tokio::test]
async fn a_body_in_drips_gains_no_time_and_one_that_comes_is_read() {
    let limits = Limits {
        body_progress: SOON,
        body_progress_bytes_min: 1024,
        ..Limits::default()
    };
    let edge = Edge::open(limits);
    let mut stream = edge.connect().await;
    let head = "POST /api/body/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4096\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_while_trickling(&mut stream, b"x").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");

    // Four times what counts as progress, over more than one deadline in all.
    let edge = Edge::open(Limits {
        body_progress: SOON * 4,
        ..limits
    });
    let mut stream = edge.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut ticks = tokio::time::interval(SOON * 3 / 2);
    for _ in 0..4 {
        ticks.tick().await;
        stream.write_all(&[b'x'; 1024]).await.unwrap();
    }
    let answer = read_some(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("4096"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let edge = Edge::open(Limits {
        write: SOON,
        ..Limits::default()
    });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let mut stream = socket.connect(edge.address).await.unwrap();
    stream
        .write_all(b"GET /api/flood/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    // The flood's body says when the box has dropped it.
    timeout(PATIENCE, edge.shared.flood_ended.notified())
        .await
        .expect("the writer is cut");
}

#[tokio::test]
async fn a_reader_that_falls_asleep_on_a_socket_is_cut() {
    let edge = Edge::open(Limits {
        write: SOON,
        ..Limits::default()
    });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let stream = socket.connect(edge.address).await.unwrap();
    let (_socket, _) = edge.open_socket_on(stream, "/ws/flood/").await;
    timeout(PATIENCE, edge.shared.flood_ended.notified())
        .await
        .expect("the writer is cut");
}

#[tokio::test]
async fn an_address_may_hold_so_many_connections_until_one_becomes_a_socket() {
    let edge = Edge::open(Limits {
        connections_loopback_max: 2,
        ..Limits::default()
    });
    let first = edge.connect().await;
    let mut second = edge.connect().await;
    // Answered, so both were admitted; kept alive, so both still count.
    let peer = "GET /api/peer/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
    second.write_all(peer.as_bytes()).await.unwrap();
    assert!(read_some(&mut second).await.starts_with("HTTP/1.1 200 "));
    assert!(edge.is_refused().await);

    let (mut socket, _) = edge.open_socket_on(first, "/ws/echo/").await;
    edge.until_admitted().await;
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(
        next(&mut socket).await.unwrap(),
        Message::text("still here")
    );
}

#[tokio::test]
async fn the_box_holds_so_many_connections_sockets_included() {
    let edge = Edge::open(Limits {
        connections_max: 1,
        ..Limits::default()
    });
    let stream = edge.connect().await;
    let (socket, _) = edge.open_socket_on(stream, "/ws/echo/").await;
    assert!(edge.is_refused().await);
    drop(socket);
    edge.until_admitted().await;
}

#[tokio::test]
async fn a_running_request_finishes_when_the_box_stops() {
    let mut edge = Edge::open(Limits::default());
    let mut busy = edge.connect().await;
    busy.write_all(b"GET /api/wait/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut idle = edge.connect().await;
    edge.shared.waiting.notified().await;

    edge.shutdown.cancel();
    assert!(read_all(&mut idle).await.is_empty());
    edge.shared.go_on.notify_one();
    let answer = read_all(&mut busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("done"),
        "{answer}"
    );
    timeout(PATIENCE, &mut edge.serving)
        .await
        .expect("serve returns")
        .unwrap();
    assert!(TcpStream::connect(edge.address).await.is_err());
}

#[tokio::test]
async fn a_request_that_does_not_finish_is_cut_when_the_box_stops() {
    let mut edge = Edge::open(Limits {
        shutdown: SOON,
        ..Limits::default()
    });
    let mut busy = edge.connect().await;
    busy.write_all(b"GET /api/wait/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    edge.shared.waiting.notified().await;
    edge.shutdown.cancel();
    timeout(PATIENCE, &mut edge.serving)
        .await
        .expect("serve returns")
        .unwrap();
    assert!(read_all(&mut busy).await.is_empty());
}

#[tokio::test]
async fn an_upgrade_is_granted_as_rfc_6455_asks() {
    let edge = Edge::open(Limits::default());
    let answer = edge.upgrade(&[]).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    // The example of RFC 6455 §1.3.
    assert!(
        answer.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{answer}"
    );
    assert!(!answer.contains("sec-websocket-protocol"), "{answer}");

    let offered = [("Sec-WebSocket-Protocol", "other, motoreach.v1")];
    let answer = edge.upgrade(&offered).await;
    assert!(
        answer.contains("sec-websocket-protocol: motoreach.v1\r\n"),
        "{answer}"
    );
    assert!(
        !edge
            .upgrade(&[("Sec-WebSocket-Protocol", "x")])
            .await
            .contains("sec-websocket-protocol")
    );
}

#[tokio::test]
async fn an_upgrade_that_is_none_is_refused_in_words() {
    let edge = Edge::open(Limits::default());
    for (field, value, status) in [
        ("Connection", "close", 426),
        ("Upgrade", "h2c", 426),
        ("Sec-WebSocket-Version", "8", 426),
        ("Sec-WebSocket-Key", "c2hvcnQ=", 400),
        ("Sec-WebSocket-Key", "not base64", 400),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Origin", "http://localhost", 101),
    ] {
        let answer = edge.upgrade(&[(field, value)]).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{field}: {value}: {answer}"
        );
        if status == 426 {
            assert!(answer.contains("upgrade: websocket"), "{answer}");
            assert!(answer.contains("sec-websocket-version: 13"), "{answer}");
        }
    }
    let answer = edge
        .ask("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}

#[tokio::test]
async fn a_message_of_64_kib_passes_and_one_more_byte_is_1009() {
    let edge = Edge::open(Limits::default());
    for bytes in [SOCKET_MESSAGE_BYTES_MAX + 1, 64 * SOCKET_MESSAGE_BYTES_MAX] {
        let (mut socket, _) = edge.open_socket_on(edge.connect().await, "/ws/echo/").await;
        let largest = Message::text("x".repeat(SOCKET_MESSAGE_BYTES_MAX));
        socket.send(largest.clone()).await.unwrap();
        assert_eq!(next(&mut socket).await.unwrap(), largest);

        // All of it is taken, though nobody reads it: a reset could swallow the code.
        let too_large = Message::text("x".repeat(bytes));
        timeout(PATIENCE, socket.send(too_large))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(closed_with(&mut socket).await, CloseReason::TOO_BIG.code);
    }
}

#[tokio::test]
async fn a_close_carries_its_code_and_cuts_long_reasons_between_letters() {
    let edge = Edge::open(Limits::default());
    let (mut socket, _) = edge
        .open_socket_on(edge.connect().await, "/ws/close/")
        .await;
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else {
        panic!("no close")
    };
    assert_eq!(frame.code, CloseCode::from(4401));
    assert_eq!(frame.reason.as_str(), "é".repeat(61));
}
