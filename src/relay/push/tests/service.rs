//! A push service of a test's own, with a certificate of its own authority, and a browser that opens
//! what it gets.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::{Auth, decrypt, p256};

use super::PATIENCE;
use crate::net::TlsAcceptor;
use crate::net::testing::Authority;
use crate::relay::conformance::pen::{device, invite};
use crate::relay::store::Subscription;

/// What a push service was sent.
pub(super) struct Sent {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// A push service that answers with these statuses in turn, then 201.
pub(super) struct Service {
    port: u16,
    pub(super) root: PathBuf,
    pub(super) sent: mpsc::UnboundedReceiver<Sent>,
    _files: tempfile::TempDir,
}

impl Service {
    pub(super) async fn start(statuses: &[u16]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let (chain, key) = authority.write(files.path(), "localhost");
        let acceptor = Arc::new(TlsAcceptor::open(chain, key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, sent) = mpsc::unbounded_channel();
        let mut statuses: VecDeque<_> = statuses.iter().copied().collect();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let status = statuses.pop_front().unwrap_or(201);
                if let Some(push) = answer(&acceptor, stream, status).await {
                    let _ = told.send(push);
                }
            }
        });
        Self {
            port,
            root: authority.root(files.path()),
            sent,
            _files: files,
        }
    }

    pub(super) async fn next(&mut self) -> Sent {
        let sent = timeout(PATIENCE, self.sent.recv()).await;
        sent.expect("in time").expect("a push")
    }
}

async fn answer(acceptor: &Arc<TlsAcceptor>, stream: TcpStream, status: u16) -> Option<Sent> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    let mut bytes = Vec::new();
    let (head, length) = loop {
        stream
            .read_buf(&mut bytes)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = field(head, "content-length")?.parse().ok()?;
            break (head.to_owned(), length);
        }
    };
    let mut body = bytes[head.len() + 4..].to_vec();
    while body.len() < length {
        stream
            .read_buf(&mut body)
            .await
            .ok()
            .filter(|read| *read > 0)?;
    }
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.ok()?;
    let _ = stream.shutdown().await;
    Some(Sent { head, body })
}

pub(super) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// One browser with its keys.
pub(super) struct Browser {
    secret: p256::SecretKey,
    pub(super) subscription: Subscription,
}

impl Browser {
    pub(super) fn new(number: u64, service: &Service) -> Self {
        let secret = p256::SecretKey::from_slice(&[u8::try_from(number).unwrap(); 32]).unwrap();
        let subscription = Subscription {
            endpoint: format!("https://localhost:{}/push/{number}", service.port),
            p256dh: secret
                .public_key()
                .to_encoded_point(false)
                .as_bytes()
                .to_vec(),
            auth: vec![8; 16],
            invite: invite(1),
            device: device(number),
            shown: false,
        };
        Self {
            secret,
            subscription,
        }
    }

    pub(super) fn open(&self, sent: &Sent) -> Value {
        let plain = decrypt(sent.body.clone(), &self.secret, &Auth::from([8; 16])).unwrap();
        serde_json::from_slice(&plain).unwrap()
    }
}
