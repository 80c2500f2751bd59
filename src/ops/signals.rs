//! The signals that a long-running command minds.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGXFSZ has this number on every architecture of Linux that we build for.
const SIGXFSZ: i32 = 25;

/// Ctrl-C, and what `systemctl stop` sends.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// From here on these signals end the process only through `next`.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one. Cancel-safe: `recv` is.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Turns a write beyond the file size limit (`ulimit -f`, `LimitFSIZE=`) from the process's death
/// into an error that the store understands (quality.md §1.9).
///
/// A handler that does nothing is enough, and tokio keeps it for the life of the process.
pub(super) fn survive_file_size_limit() -> io::Result<()> {
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}
