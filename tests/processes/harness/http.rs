//! One HTTP request, one connection: written by hand, so that nothing between us and the server
//! repairs what either of them does.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::SOON;

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The word that tells one refusal from another.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// Asks for something.
pub async fn get(base: &str, path: &str, token: &str) -> io::Result<Answer> {
    ask(base, "GET", path, token, None).await
}

/// Sends something.
pub async fn post(base: &str, path: &str, token: &str, body: &Value) -> io::Result<Answer> {
    ask(base, "POST", path, token, Some(body)).await
}

/// Puts something in the place of what is there.
pub async fn put(base: &str, path: &str, token: &str, body: &Value) -> io::Result<Answer> {
    ask(base, "PUT", path, token, Some(body)).await
}

/// Takes something away.
pub async fn delete(base: &str, path: &str, token: &str) -> io::Result<Answer> {
    ask(base, "DELETE", path, token, None).await
}

async fn ask(
    base: &str,
    method: &str,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> io::Result<Answer> {
    let host = base.trim_start_matches("http://").trim_end_matches('/');
    let body = body.map(Value::to_string).unwrap_or_default();
    let bearer = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{bearer}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let conversation = async {
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        parse(&answer).ok_or_else(|| io::Error::other("the answer was cut off"))
    };
    tokio::time::timeout(SOON, conversation)
        .await
        .unwrap_or_else(|_| panic!("{method} {path}: no answer within {SOON:?}"))
}

/// None when the answer is not whole.
fn parse(answer: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>())
    });
    if length.is_some_and(|length| length != Ok(body.len())) {
        return None;
    }
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    Some(Answer { status, body })
}
