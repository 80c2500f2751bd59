//! A small HTTP client: one request on a connection of its own, in bytes, so that a test can also
//! say what no browser would.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::harness::PATIENCE;

/// A request about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    address: SocketAddr,
    method: String,
    path: String,
    host: String,
    fields: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            path: path.to_owned(),
            host: address.to_string(),
            fields: Vec::new(),
            body: None,
        }
    }

    /// Signed in with an access token.
    pub(crate) fn token(self, token: &str) -> Self {
        self.field("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    pub(crate) fn body(mut self, kind: &str, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self.field("Content-Type", kind)
    }

    /// Sends it and waits for the whole answer.
    pub(crate) async fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.path);
        let exchange = async {
            let stream = TcpStream::connect(self.address).await.unwrap();
            self.exchange(stream).await
        };
        timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|_| panic!("no answer to {asked}"))
    }

    /// Sends it from where `socket` is bound.
    pub(crate) async fn send_on(self, socket: TcpSocket) -> Answer {
        let exchange = async {
            let stream = socket.connect(self.address).await.unwrap();
            self.exchange(stream).await
        };
        timeout(PATIENCE, exchange).await.expect("an answer")
    }

    async fn exchange(self, mut stream: TcpStream) -> Answer {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.method, self.path, self.host
        );
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = self.body.unwrap_or_default();
        if !body.is_empty() || !["GET", "HEAD", "OPTIONS"].contains(&self.method.as_str()) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend(body);
        let (mut reading, mut writing) = stream.split();
        let mut bytes = Vec::new();
        // A refusal may come before all of a large body was taken.
        let (_, read) = tokio::join!(writing.write_all(&request), reading.read_to_end(&mut bytes));
        assert!(read.is_ok() || !bytes.is_empty(), "{read:?}");
        Answer::parse(&bytes)
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let fields: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let is_chunked = fields
            .iter()
            .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = &bytes[end + 4..];
        Self {
            status: status.parse().unwrap(),
            body: if is_chunked {
                unchunked(body)
            } else {
                body.to_vec()
            },
            fields,
        }
    }

    /// The first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every field of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The cookie of this name that it sets, as a browser sends it back.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.all("set-cookie")
            .filter_map(|cookie| cookie.split(';').next())
            .find(|pair| pair.split('=').next() == Some(name))
            .map(str::to_owned)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Asserts that it is a problem (`wire.md` §5) of this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.is_problem();
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        problem
    }

    /// Asserts that it is a well-formed problem, whichever.
    #[track_caller]
    pub(crate) fn is_problem(&self) {
        assert_eq!(
            self.field("content-type"),
            Some("application/problem+json"),
            "{} {}",
            self.status,
            self.text()
        );
        let problem = self.json();
        for key in ["type", "title", "detail", "code"] {
            let text = problem[key].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{key} is missing: {problem}");
        }
        assert_eq!(problem["status"], self.status, "{problem}");
        for (key, value) in problem.as_object().unwrap() {
            match key.as_str() {
                "type" | "title" | "detail" | "code" | "status" => {}
                "errors" => {
                    for sentences in value.as_object().unwrap().values() {
                        let sentences = sentences.as_array().unwrap();
                        assert!(!sentences.is_empty() && sentences.iter().all(Value::is_string));
                    }
                }
                other => panic!("a problem has no {other}: {problem}"),
            }
        }
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        let start = end + 2;
        body.extend(&bytes[start..start + size]);
        bytes = &bytes[start + size + 2..];
    }
}
