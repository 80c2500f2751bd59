//! One HTTP request over a connection of its own, and its answer, both bounded.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::address::Target;
use super::dial::{DialError, Dialer};

/// The whole exchange, once connected, is done within this time.
const EXCHANGE: Duration = Duration::from_secs(30);
/// What is read of an answer at most, in bytes: nobody answers us at length.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// An answer's head, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body; empty when it was longer than anybody asked for.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// There is no connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The line broke, or what came over it was no HTTP.
    #[error("the exchange broke off")]
    Broken(#[source] hyper::Error),
    /// It took too long.
    #[error("no answer in time")]
    Slow,
}

/// Sends a request to its target: its path and `Host` are put in here. Redirects are not followed.
///
/// # Errors
/// Why there is no answer.
pub async fn post(
    dialer: &Dialer,
    target: &Target,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, PostError> {
    let line = dialer.dial(target).await?;
    if let Ok(path) = target.path.parse() {
        *request.uri_mut() = path;
    }
    if let Ok(host) = target.authority().parse() {
        request.headers_mut().insert(HOST, host);
    }
    timeout(EXCHANGE, exchange(line, request))
        .await
        .map_err(|_| PostError::Slow)?
        .map_err(PostError::Broken)
}

async fn exchange(
    line: super::Line<tokio::net::TcpStream>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, hyper::Error> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(line))
        .await?;
    let talking = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.map(|it| it.to_bytes()).unwrap_or_default(),
        })
    };
    tokio::pin!(talking, connection);
    // The connection only moves bytes for the exchange; once it has ended, the exchange ends too.
    tokio::select! {
        answer = talking.as_mut() => answer,
        ended = connection => {
            ended?;
            talking.await
        }
    }
}
