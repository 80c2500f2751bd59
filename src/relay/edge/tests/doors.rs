//! What is answered over plain HTTP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{PATIENCE, Running, secret_key};
use crate::relay::push::Vapid;

async fn ask(running: &Running, path: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\n{fields}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.unwrap().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_page_learns_that_it_is_at_a_relay() {
    let running = Running::start();
    let answer = ask(&running, "/api/door/", "Host: relay.example\r\n").await;
    let vapid = running.relay.secrets.vapid.public_key();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(r#""door":"relay""#), "{answer}");
    assert!(
        answer.contains(&format!(r#""vapid":"{vapid}""#)),
        "{answer}"
    );
    assert_ne!(vapid, Vapid::new(&secret_key(7)).public_key());
}

#[tokio::test]
async fn owners_get_the_web_app_with_a_strict_policy() {
    let running = Running::start();
    let fields = "Host: relay.example\r\nAccept: text/html\r\n";
    let page = ask(&running, "/o/AQEBAQEBAQEBAQEBAQEBAQ", fields).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(
        page.contains("content-security-policy: default-src 'none'"),
        "{page}"
    );
    assert!(page.contains("referrer-policy: no-referrer"), "{page}");
    let missing = ask(&running, "/api/people/", fields).await;
    assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
}

#[tokio::test]
async fn only_our_own_names_are_answered() {
    let running = Running::start();
    let foreign = ask(&running, "/api/door/", "Host: other.example\r\n").await;
    assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
    let here = ask(&running, "/api/door/", "Host: localhost\r\n").await;
    assert!(here.starts_with("HTTP/1.1 200"), "{here}");
}

#[tokio::test]
async fn health_is_for_everybody_and_numbers_are_not() {
    let running = Running::start();
    running.workshop(1, &[1]).await;
    for path in ["/healthz", "/readyz"] {
        let answer = ask(&running, path, "Host: localhost\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let metrics = ask(&running, "/metrics", "Host: localhost\r\n").await;
    assert!(metrics.contains("motoreach_relay_workshops 1"), "{metrics}");
    assert!(
        metrics.contains("# TYPE motoreach_relay_forks_total counter"),
        "{metrics}"
    );
    // Through a proxy: somebody else asks.
    let forwarded = "Host: relay.example\r\nX-Forwarded-For: 203.0.113.9\r\n";
    let refused = ask(&running, "/metrics", forwarded).await;
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    let shown = format!("{forwarded}Authorization: Bearer a token that is long\r\n");
    let metrics = ask(&running, "/metrics", &shown).await;
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
}

#[tokio::test]
async fn a_socket_that_speaks_something_else_is_refused() {
    let running = Running::start();
    let fields = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for path in ["/ws/owner/AQEBAQEBAQEBAQEBAQEBAQ/", "/link/"] {
        let answer = ask(&running, path, fields).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        let answer = ask(&running, path, "Host: localhost\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 426"), "{path}: {answer}");
    }
    let foreign = format!("{fields}Origin: https://other.example\r\n");
    let answer = ask(&running, "/link/", &foreign).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}
