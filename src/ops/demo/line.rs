//! The line between the sample's box and its relay, which whoever looks on may take down and up.
//!
//! The box dials here and is carried to the relay. While the line is down, what was open is ended
//! and whoever dials is turned away. `motoreach demo --cut` finds it by a socket in the data
//! directory.

use std::fs::{self, Permissions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The socket by which a running sample is found.
const SOCKET: &str = "line.sock";
/// Connections carried at once; the box has one, and one more while it dials again.
const CARRIED_MAX: usize = 16;
/// Whoever asks over the socket is answered by then.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// After an accept failed: the usual reason, no free file descriptors, passes.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Whether anything comes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is as if the cable were out.
    Down,
    /// Everything comes through.
    Up,
}

impl State {
    const fn other(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Up => Self::Down,
        }
    }

    /// What to tell whoever changed it.
    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::Down => "The line between box and relay is down. Both go on by themselves.",
            Self::Up => "The line is up again. What waited on either side goes over now.",
        }
    }

    /// The one byte that goes over the socket.
    const fn byte(self) -> u8 {
        match self {
            Self::Down => b'0',
            Self::Up => b'1',
        }
    }
}

/// The line; it is gone when this is dropped.
pub(super) struct Line {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
    tasks: JoinSet<()>,
    socket: Option<PathBuf>,
}

impl Line {
    /// A line to the relay, up.
    pub(super) async fn to(relay: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(watch::Sender::new(State::Up));
        let mut tasks = JoinSet::new();
        tasks.spawn(carry_all(listener, relay, state.subscribe()));
        Ok(Self {
            address,
            state,
            tasks,
            socket: None,
        })
    }

    /// Where the box dials.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What takes it down and up (`toggle`).
    pub(super) fn switch(&self) -> Arc<watch::Sender<State>> {
        Arc::clone(&self.state)
    }

    /// Lets `motoreach demo --cut` find it. Call it once the sample is known to be ours alone: a
    /// socket that an earlier run left is removed.
    pub(super) fn answer_in(&mut self, place: &Path) -> io::Result<()> {
        let path = place.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        self.socket = Some(path.clone());
        // Only the user who runs the sample may take its line down.
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let state = Arc::clone(&self.state);
        self.tasks.spawn(answer_all(listener, state));
        Ok(())
    }

    /// What it is now, and whenever somebody changes it.
    pub(super) fn changes(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(path) = &self.socket {
            let _ = fs::remove_file(path);
        }
    }
}

/// Takes the line of the sample that runs in `place` down, or up again.
///
/// # Errors
/// No sample with a relay runs there.
pub(super) async fn toggle_in(place: &Path) -> anyhow::Result<State> {
    let path = place.join(SOCKET);
    let asking = async {
        let mut stream = UnixStream::connect(&path).await?;
        let mut answer = [0];
        stream.read_exact(&mut answer).await?;
        io::Result::Ok(answer[0])
    };
    let nobody = || {
        format!(
            "No sample workshop with a relay runs in {}.",
            place.display()
        )
    };
    let answer = timeout(ANSWER_MAX, asking).await.with_context(nobody)?;
    match answer.with_context(nobody)? {
        answer if answer == State::Down.byte() => Ok(State::Down),
        answer if answer == State::Up.byte() => Ok(State::Up),
        _ => bail!("{} belongs to something else.", path.display()),
    }
}

/// Whether a sample with a relay runs, or ended badly, in `place`.
pub(super) fn was_opened_in(place: &Path) -> bool {
    place.join(SOCKET).exists()
}

/// Takes the line down, or up again; says which.
pub(super) fn toggle(state: &watch::Sender<State>) -> State {
    let mut now = State::Up;
    state.send_modify(|state| {
        *state = state.other();
        now = *state;
    });
    now
}

async fn answer_all(listener: UnixListener, state: Arc<watch::Sender<State>>) {
    loop {
        match listener.accept().await {
            Ok((mut stream, _)) => {
                let answer = [toggle(&state).byte()];
                let _ = timeout(ANSWER_MAX, stream.write_all(&answer)).await;
            }
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
}

async fn carry_all(listener: TcpListener, relay: SocketAddr, state: watch::Receiver<State>) {
    let mut carried = JoinSet::new();
    loop {
        let Ok((near, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        while carried.try_join_next().is_some() {}
        if carried.len() < CARRIED_MAX {
            carried.spawn(carry(near, relay, state.clone()));
        }
    }
}

async fn carry(mut near: TcpStream, relay: SocketAddr, mut state: watch::Receiver<State>) {
    let through = async {
        let mut far = TcpStream::connect(relay).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        copy_bidirectional(&mut near, &mut far).await
    };
    // Whatever is dropped half-way was on a line that is down.
    tokio::select! {
        biased;
        _ = state.wait_for(|state| *state == State::Down) => {}
        _ = through => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut reads, mut writes) = stream.split();
                let _ = tokio::io::copy(&mut reads, &mut writes).await;
            }
        });
        (address, tasks)
    }

    /// Whether a byte goes there and comes back.
    async fn carries(stream: &mut TcpStream) -> bool {
        let mut back = [0];
        stream.write_all(b"a").await.is_ok() && stream.read_exact(&mut back).await.is_ok()
    }

    #[tokio::test]
    async fn a_line_that_is_down_ends_what_is_open_and_turns_everybody_away() {
        let (relay, _tasks) = echo().await;
        let line = Line::to(relay).await.unwrap();
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        assert!(carries(&mut stream).await);
        assert_eq!(toggle(&line.state), State::Down);
        assert!(!carries(&mut stream).await);
        let mut refused = TcpStream::connect(line.address()).await.unwrap();
        assert!(!carries(&mut refused).await);
        assert_eq!(toggle(&line.state), State::Up);
        let mut stream = TcpStream::connect(line.address()).await.unwrap();
        assert!(carries(&mut stream).await);
    }

    #[tokio::test]
    async fn another_process_finds_it_by_the_directory() {
        let (relay, _tasks) = echo().await;
        let place = tempfile::tempdir().unwrap();
        let path = place.path();
        assert!(toggle_in(path).await.is_err());
        let mut line = Line::to(relay).await.unwrap();
        line.answer_in(path).unwrap();
        assert_eq!(toggle_in(path).await.unwrap(), State::Down);
        assert_eq!(toggle_in(path).await.unwrap(), State::Up);
        drop(line);
        assert!(!path.join(SOCKET).exists());
    }
}
