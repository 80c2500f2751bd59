//! Downloads from servers of the test's own: whole, broken off, sent elsewhere, endless.

use std::io::Read;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::clock::Clock;
use crate::net::tls::{TlsClock, client};
use crate::net::{Plain, Reach};

/// Answers one request after the other with these words, closing each; gives what was asked.
async fn server(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/program", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            asked.push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        asked
    });
    (url, serving)
}

async fn fetched(url: &str, bytes_max: u64) -> Result<String, FetchError> {
    let tls = client(&TlsClock::new(Clock::system()), None).unwrap();
    let dialer = Dialer::new(tls, Plain::NearOnly, Reach::Anywhere);
    let mut file = tempfile::tempfile().unwrap();
    fetch(&dialer, url, bytes_max, &mut file).await?;
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_string(&mut text).unwrap();
    Ok(text)
}

#[tokio::test]
async fn a_line_that_breaks_off_is_taken_up_where_it_was() {
    let (url, serving) = server(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 6\r\n\r\n456789",
    ])
    .await;
    assert_eq!(fetched(&url, 100).await.unwrap(), "0123456789");
    let asked = serving.await.unwrap();
    assert!(!asked[0].contains("range:"), "{asked:?}");
    assert!(asked[1].contains("range: bytes=4-\r\n"), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_cannot_go_on_begins_anew() {
    let (url, _serving) = server(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123",
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nanew",
    ])
    .await;
    assert_eq!(fetched(&url, 100).await.unwrap(), "anew");
}

#[tokio::test]
async fn what_was_moved_is_found_and_what_is_not_there_is_told() {
    let (url, _serving) = server(&[
        "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ])
    .await;
    assert_eq!(fetched(&url, 100).await.unwrap(), "ok");
    let (url, _serving) = server(&["HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno"]).await;
    let missing = fetched(&url, 100).await.unwrap_err();
    assert!(missing.to_string().contains("404"), "{missing}");
}

#[tokio::test]
async fn more_than_was_asked_for_is_not_taken() {
    let (url, _serving) =
        server(&["HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n01234567890"]).await;
    let large = fetched(&url, 10).await.unwrap_err();
    assert!(matches!(large, FetchError::TooLarge(_)), "{large}");
    let (url, _serving) = server(&["HTTP/1.1 200 OK\r\n\r\n01234567890"]).await;
    let large = fetched(&url, 10).await.unwrap_err();
    assert!(matches!(large, FetchError::TooLarge(_)), "{large}");
}

#[tokio::test]
async fn what_is_no_address_is_told_at_once() {
    let none = fetched("motoreach.bin", 10).await.unwrap_err();
    assert!(matches!(none, FetchError::Address(..)), "{none}");
}
