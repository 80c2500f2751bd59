//! A network between a box and its relay that can be cut, or swallow what is sent over it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Passes connections on; ends with this value.
pub(super) struct Forwarder {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

/// What becomes of connections.
struct State {
    /// New ones are passed on.
    open: bool,
    /// Closes those that stand.
    cut: CancellationToken,
    /// Those that stand stay, and nothing comes through any more.
    mute: CancellationToken,
}

impl Forwarder {
    pub(super) async fn start(to: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            open: true,
            cut: CancellationToken::new(),
            mute: CancellationToken::new(),
        }));
        Ok(Self {
            address,
            accepting: tokio::spawn(accept(listener, to, Arc::clone(&state))),
            state,
        })
    }

    /// Closes what stands and lets nobody through until `open`.
    pub(super) fn close(&self) {
        let mut state = held(&self.state);
        state.open = false;
        std::mem::take(&mut state.cut).cancel();
    }

    /// Lets everybody through again.
    pub(super) fn open(&self) {
        held(&self.state).open = true;
    }

    /// Swallows what is sent over connections that stand; new ones are passed on.
    pub(super) fn mute(&self) {
        std::mem::take(&mut held(&self.state).mute).cancel();
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, to: SocketAddr, state: Arc<Mutex<State>>) {
    let mut lines = JoinSet::new();
    while let Ok((from, _)) = listener.accept().await {
        let (open, cut, mute) = {
            let state = held(&state);
            (state.open, state.cut.clone(), state.mute.clone())
        };
        if open {
            lines.spawn(pass_on(from, to, cut, mute));
        }
        while lines.try_join_next().is_some() {}
    }
}

async fn pass_on(
    mut from: TcpStream,
    to: SocketAddr,
    cut: CancellationToken,
    mute: CancellationToken,
) {
    let Ok(mut to) = TcpStream::connect(to).await else {
        return;
    };
    for end in [&from, &to] {
        // Without it figures are worse, not wrong.
        let _ = end.set_nodelay(true);
    }
    // What is dropped half-way was on a line that is of no use any more.
    tokio::select! {
        _ = copy_bidirectional(&mut from, &mut to) => {}
        () = cut.cancelled() => {}
        // Both ends stay open, and nobody reads them.
        () = mute.cancelled() => cut.cancelled().await,
    }
}

fn held(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
