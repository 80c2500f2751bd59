//! The running server's ear: a Unix socket in the data directory on which an operator's command
//! line orders what it would otherwise do itself.
//!
//! One JSON line asks, one JSON line answers, then the connection is over. Only the user who runs
//! the server, and root, are listened to. `appliance` runs `listen`; `desk` calls `ask`.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::ear::Ear;
use super::order::{Answer, Refused, Request};

/// The longest line, either way.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// From connecting to the answer; a command that waits longer is told that nobody knows.
const EXCHANGE_WAIT: Duration = Duration::from_secs(10);
/// Operators who are answered at once; more wait.
const CONNECTIONS_MAX: usize = 8;
/// The pause after a failed accept: no descriptors are left, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// The longest path of a socket: `sun_path` of unix(7), with its final zero.
const PATH_BYTES_MAX: usize = 107;

/// What came back: the server's answer, or its refusal.
pub(super) type Outcome = Result<Answer, Refused>;

/// Answers operators until `shutdown`, then lets the ones at work finish.
///
/// A server without this ear still serves: what goes wrong here is logged and no more.
pub async fn listen(path: PathBuf, ear: Ear, shutdown: CancellationToken) {
    let listener = match bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "operators' commands cannot be taken");
            return;
        }
    };
    let mut at_work = JoinSet::new();
    // Cancel-safe: `accept` is, and nothing else is waited for.
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let (ear, shutdown) = (ear.clone(), shutdown.clone());
                at_work.spawn(async move {
                    let served = timeout(EXCHANGE_WAIT, serve(stream, &ear, &shutdown));
                    if let Ok(Err(error)) = served.await {
                        tracing::debug!(%error, "an operator's command broke off");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "an operator could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while at_work.try_join_next().is_some() {}
        if at_work.len() >= CONNECTIONS_MAX {
            at_work.join_next().await;
        }
    }
    let _ = fs::remove_file(&path);
    while at_work.join_next().await.is_some() {}
}

/// Asks the server that has this data directory; `None` when none listens there.
///
/// # Errors
/// It listened, and no answer came back: nobody knows whether it was done.
pub(super) async fn ask(path: &Path, request: &Request) -> io::Result<Option<Outcome>> {
    let Some(mut stream) = connect(path).await? else {
        return Ok(None);
    };
    let exchange = async {
        write_line(&mut stream, &serde_json::to_vec(request)?).await?;
        let line = read_line(&mut stream).await?;
        serde_json::from_slice(&line).map_err(io::Error::from)
    };
    timeout(EXCHANGE_WAIT, exchange).await?.map(Some)
}

/// Whether a server listens there.
pub(super) async fn is_listened_to(path: &Path) -> bool {
    matches!(connect(path).await, Ok(Some(_)))
}

async fn connect(path: &Path) -> io::Result<Option<UnixStream>> {
    let connected = match Reachable::new(path) {
        Ok(reachable) => UnixStream::connect(&reachable.path).await,
        Err(error) => Err(error),
    };
    let nobody = [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused];
    match connected {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if nobody.contains(&error.kind()) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn serve(mut stream: UnixStream, ear: &Ear, shutdown: &CancellationToken) -> io::Result<()> {
    if !may_order(&stream.peer_cred()?) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let Some(line) = shutdown.run_until_cancelled(read_line(&mut stream)).await else {
        return Ok(());
    };
    let outcome: Outcome = match serde_json::from_slice(&line?) {
        Ok(request) => ear.carry_out(request).await,
        Err(error) => {
            tracing::debug!(%error, "an operator's command was not understood");
            let detail = "The running server does not understand this: it is of another version. \
                          Restart it, then try again.";
            Err(Refused {
                code: "other_version".to_owned(),
                detail: detail.to_owned(),
            })
        }
    };
    write_line(&mut stream, &serde_json::to_vec(&outcome)?).await
}

/// Beside the socket's mode: that one has a moment between `bind` and `chmod`.
fn may_order(peer: &UCred) -> bool {
    peer.uid() == 0 || peer.uid() == rustix::process::geteuid().as_raw()
}

/// The directory is locked by this process, so a socket that is there is a dead one's.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&Reachable::new(path)?.path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn read_line(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let most = LINE_BYTES_MAX as u64;
    BufReader::new(stream.take(most))
        .read_until(b'\n', &mut line)
        .await?;
    if line.pop() == Some(b'\n') {
        Ok(line)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

async fn write_line(stream: &mut UnixStream, json: &[u8]) -> io::Result<()> {
    if json.len() >= LINE_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.write_all(json).await?;
    stream.write_all(b"\n").await?;
    stream.flush().await
}

/// A path that fits into a socket's address, however deep its directory lies.
struct Reachable {
    path: PathBuf,
    /// Keeps the way through `/proc` open.
    _directory: Option<File>,
}

impl Reachable {
    fn new(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self {
                path: path.to_owned(),
                _directory: None,
            });
        }
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let directory = File::open(directory)?;
        let way = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
        Ok(Self {
            path: way.join(name),
            _directory: Some(directory),
        })
    }
}
