//! A program from elsewhere: over HTTP into a file, within bounds, going on where a line broke off.
//!
//! What comes is believed by its signature alone; TLS only keeps curious people out.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, LOCATION, RANGE, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{sleep, timeout};

use crate::net::address::TargetError;
use crate::net::{DialError, Dialer, Target};

/// An answer begins within this time.
const ANSWER_WAIT: Duration = Duration::from_secs(30);
/// A line on which nothing came for so long is dead.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// All of it is here within this time, on a bad line too.
const ALL: Duration = Duration::from_secs(30 * 60);
/// A line that breaks off is taken up again so often, after a pause each.
const ATTEMPTS_MAX: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);
/// So many times somebody may send us elsewhere.
const REDIRECTS_MAX: u32 = 5;
/// An answer's head, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Why nothing came. Its text is a sentence.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is none.
    #[error("{0} is no address to download from: it {1}.")]
    Address(String, #[source] TargetError),
    /// There is no connection.
    #[error("{0} cannot be reached: {1}. Is this box on the internet?")]
    Dial(String, #[source] DialError),
    /// The server says no.
    #[error("{0} answered {1}: there is no program at this address.")]
    Refused(String, StatusCode),
    /// The line broke, again and again.
    #[error("The download broke off again and again; nothing was changed. Try again later.")]
    Broken,
    /// It took too long.
    #[error("The download was not done within half an hour; nothing was changed. Try again later.")]
    Slow,
    /// There is more than anybody asked for.
    #[error("{0} sends more than a program has; nothing was changed.")]
    TooLarge(String),
    /// It cannot be written down.
    #[error("The download cannot be written down: {0}. Nothing was changed.")]
    Disk(#[source] io::Error),
}

/// How one try ended.
enum Broke {
    /// Trying again may help.
    Line,
    /// It would not.
    For(FetchError),
}

impl From<hyper::Error> for Broke {
    fn from(error: hyper::Error) -> Self {
        tracing::debug!(%error, "a download broke off");
        Self::Line
    }
}

/// Downloads into a file from its beginning; it is on the disk afterwards.
///
/// # Errors
/// A sentence; what is in the file is worth nothing then.
pub async fn fetch(
    dialer: &Dialer,
    url: &str,
    bytes_max: u64,
    file: &mut File,
) -> Result<(), FetchError> {
    let all = async {
        let mut target = target(url)?;
        let (mut attempt, mut redirects, mut have) = (1, 0, 0);
        loop {
            match once(dialer, &target, bytes_max, file, &mut have).await {
                Ok(None) => return file.sync_all().map_err(FetchError::Disk),
                Ok(Some(elsewhere)) if redirects < REDIRECTS_MAX => {
                    redirects += 1;
                    target = elsewhere;
                }
                Ok(Some(_)) => return Err(FetchError::Broken),
                Err(Broke::For(error)) => return Err(error),
                Err(Broke::Line) if attempt < ATTEMPTS_MAX => {
                    attempt += 1;
                    sleep(ATTEMPT_PAUSE).await;
                }
                Err(Broke::Line) => return Err(FetchError::Broken),
            }
        }
    };
    timeout(ALL, all).await.unwrap_or(Err(FetchError::Slow))
}

fn target(url: &str) -> Result<Target, FetchError> {
    Target::parse(url).map_err(|error| FetchError::Address(url.to_owned(), error))
}

/// One try: goes on after the `have` bytes that are there. Gives where else to look, if it was told so.
async fn once(
    dialer: &Dialer,
    at: &Target,
    bytes_max: u64,
    file: &mut File,
    have: &mut u64,
) -> Result<Option<Target>, Broke> {
    let name = at.authority();
    let line = match dialer.dial(at).await {
        Ok(line) => line,
        Err(error @ (DialError::Connect(_) | DialError::Name(_))) if *have > 0 => {
            tracing::debug!(%error, "a download could not be taken up again");
            return Err(Broke::Line);
        }
        Err(error) => return Err(Broke::For(FetchError::Dial(name, error))),
    };
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX.max(64 * 1024))
        .handshake(TokioIo::new(line))
        .await?;
    let talking = async {
        let asked = request(at, *have).map_err(|_| Broke::Line)?;
        let answer = timeout(ANSWER_WAIT, sender.send_request(asked));
        let answer = answer.await.map_err(|_| Broke::Line)??;
        let status = answer.status();
        if status.is_redirection() {
            return elsewhere(at, &answer).map(Some).map_err(Broke::For);
        }
        match status {
            StatusCode::PARTIAL_CONTENT if *have > 0 => {}
            StatusCode::OK => {
                *have = 0;
                begin_anew(file).map_err(disk)?;
            }
            _ if status.is_server_error() => return Err(Broke::Line),
            _ => return Err(Broke::For(FetchError::Refused(name.clone(), status))),
        }
        write_down(answer, &name, bytes_max, file, have).await?;
        Ok(None)
    };
    tokio::pin!(talking, connection);
    // The connection only moves bytes for the exchange; once it has ended, the exchange ends too.
    tokio::select! {
        done = talking.as_mut() => done,
        ended = connection => {
            ended?;
            talking.await
        }
    }
}

fn request(at: &Target, have: u64) -> Result<Request<Empty<Bytes>>, http::Error> {
    let mut request = Request::get(&at.path)
        .header(HOST, at.authority())
        .header(USER_AGENT, concat!("motoreach/", env!("CARGO_PKG_VERSION")));
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    request.body(Empty::new())
}

/// Where a server sends us: another address, or another path of its own. Never from TLS to none.
fn elsewhere<B>(at: &Target, answer: &http::Response<B>) -> Result<Target, FetchError> {
    let refused = || FetchError::Refused(at.authority(), answer.status());
    let to = answer
        .headers()
        .get(LOCATION)
        .and_then(|it| it.to_str().ok());
    let to = to.ok_or_else(refused)?;
    let target = if to.starts_with('/') && !to.starts_with("//") {
        Target {
            path: to.to_owned(),
            ..at.clone()
        }
    } else {
        target(to)?
    };
    if at.tls && !target.tls {
        return Err(refused());
    }
    Ok(target)
}

async fn write_down(
    answer: http::Response<Incoming>,
    name: &str,
    bytes_max: u64,
    file: &mut File,
    have: &mut u64,
) -> Result<(), Broke> {
    let length = answer.headers().get(CONTENT_LENGTH);
    let length: Option<u64> = length.and_then(|it| it.to_str().ok()?.parse().ok());
    let whole = length.map(|more| have.saturating_add(more));
    let mut body = answer.into_body();
    let too_large = || Broke::For(FetchError::TooLarge(name.to_owned()));
    if whole.is_some_and(|whole| whole > bytes_max) {
        return Err(too_large());
    }
    loop {
        let frame = timeout(SILENCE_MAX, body.frame());
        let Some(frame) = frame.await.map_err(|_| Broke::Line)? else {
            break;
        };
        if let Ok(data) = frame?.into_data() {
            if have.saturating_add(data.len() as u64) > bytes_max {
                return Err(too_large());
            }
            // A card may be slow; nobody else waits for this thread.
            file.write_all(&data).map_err(disk)?;
            *have += data.len() as u64;
        }
    }
    match whole {
        Some(whole) if *have < whole => Err(Broke::Line),
        Some(_) | None => Ok(()),
    }
}

fn begin_anew(file: &mut File) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.set_len(0)
}

const fn disk(error: io::Error) -> Broke {
    Broke::For(FetchError::Disk(error))
}

#[cfg(test)]
#[path = "fetch_test.rs"]
mod tests;
