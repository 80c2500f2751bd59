//! TLS beside plain HTTP, where somebody wants it: the box's own authority, or files of somebody else's.
//!
//! Plain HTTP goes on whatever happens here: a port that is taken or a certificate that cannot be made
//! is told on the page and in the log, and everybody can still read it there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Config, Tls};
use crate::discovery::{Board, Secure, Standing, Voucher};
use crate::http::bind::Listener;
use crate::http::guard::machine_name;
use crate::http::handed::Handed;
use crate::net::{AuthorityFiles, LocalAuthority, TlsAcceptor};
use crate::store::DataDir;

/// How often we look whether the certificate has to be made anew, beside every change of names.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Listeners that speak TLS, and what keeps their certificate right.
pub(super) struct SecureDoor {
    pub(super) listeners: Vec<Listener>,
    upkeep: Option<Upkeep>,
}

/// Makes the certificate anew when it has to be.
struct Upkeep {
    authority: LocalAuthority,
    board: Board,
    clock: Clock,
}

/// Opens it, and shows on the board how it stands.
pub(super) fn open(
    config: &Config,
    dir: &DataDir,
    handed: &Handed,
    plain: &[SocketAddr],
    board: &Board,
    clock: &Clock,
) -> SecureDoor {
    let opened = match (&config.tls_cert, &config.tls_key, config.tls) {
        (Some(certificate), Some(key), _) => with_files(certificate.clone(), key.clone()),
        (Some(_), None, _) | (None, Some(_), _) => {
            Err("`tls_cert` and `tls_key` belong together: give both, or neither.".to_owned())
        }
        (None, None, Tls::Auto) => with_own_authority(dir, board, clock),
        (None, None, Tls::Off) => return SecureDoor::shut(),
    };
    let opened = opened.and_then(|(acceptor, by, upkeep)| {
        let listeners = listen(config, handed, plain)?;
        Ok((acceptor, by, upkeep, listeners))
    });
    match opened {
        Ok((acceptor, by, upkeep, listeners)) => {
            let port = listeners
                .first()
                .map_or(443, |first| first.address().port());
            board.show(|shown| shown.secure = Secure::On { port, by });
            let listeners = listeners.into_iter();
            SecureDoor {
                listeners: listeners
                    .map(|listener| listener.with_tls(Arc::clone(&acceptor)))
                    .collect(),
                upkeep,
            }
        }
        Err(why) => {
            tracing::error!(%why, "no TLS; plain HTTP is served");
            board.show(|shown| shown.secure = Secure::Failed(why));
            SecureDoor::shut()
        }
    }
}

type Opened = Result<(Arc<TlsAcceptor>, Voucher, Option<Upkeep>), String>;

fn with_files(certificate: PathBuf, key: PathBuf) -> Opened {
    let acceptor = TlsAcceptor::open(certificate, key).map_err(|error| error.to_string())?;
    Ok((Arc::new(acceptor), Voucher::Configured, None))
}

fn with_own_authority(dir: &DataDir, board: &Board, clock: &Clock) -> Opened {
    let begin = || {
        let files = AuthorityFiles::at(dir.tls());
        let upkeep = Upkeep {
            authority: LocalAuthority::open(files, clock.now())?,
            board: board.clone(),
            clock: clock.clone(),
        };
        upkeep.certify(&board.now())?;
        let server = upkeep.authority.files().server();
        let acceptor = TlsAcceptor::open(server.clone(), server)?;
        Ok((Arc::new(acceptor), Voucher::OwnAuthority, Some(upkeep)))
    };
    begin().map_err(|error: std::io::Error| error.to_string())
}

fn listen(config: &Config, handed: &Handed, plain: &[SocketAddr]) -> Result<Vec<Listener>, String> {
    let told = |error: crate::http::bind::BindError| error.to_string();
    let given = handed.listen_for_tls().map_err(told)?;
    if !given.is_empty() {
        return Ok(given);
    }
    let wanted: Vec<_> = if config.tls_listen.is_empty() {
        plain
            .iter()
            .map(|address| beside(*address, &config.listen))
            .collect()
    } else {
        config.tls_listen.clone()
    };
    Listener::bind(&wanted).map_err(told)
}

/// The usual port beside the usual one. Whoever asked for any free port gets another one.
fn beside(plain: SocketAddr, asked: &[SocketAddr]) -> SocketAddr {
    let port = match plain.port() {
        80 => 443,
        _ if asked.iter().any(|it| it.port() == 0) => 0,
        _ => 8443,
    };
    SocketAddr::new(plain.ip(), port)
}

impl SecureDoor {
    const fn shut() -> Self {
        Self {
            listeners: Vec::new(),
            upkeep: None,
        }
    }

    /// What has to run beside it.
    pub(super) fn upkeep(
        &mut self,
        shutdown: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let upkeep = self.upkeep.take();
        async move {
            if let Some(upkeep) = upkeep {
                upkeep.mind(shutdown).await;
            }
        }
    }
}

impl Upkeep {
    async fn mind(self, shutdown: CancellationToken) {
        let this = Arc::new(self);
        let mut board = this.board.watch();
        loop {
            // Cancel-safe: all of them only wait.
            tokio::select! {
                () = shutdown.cancelled() => return,
                changed = board.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let standing = board.borrow_and_update().clone();
            let upkeep = Arc::clone(&this);
            // Writes a file. The acceptor takes it at its next look.
            match tokio::task::spawn_blocking(move || upkeep.certify(&standing)).await {
                Ok(Ok(true)) => tracing::info!("a new certificate for the box was made"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "no new certificate could be made"),
                Err(error) => tracing::error!(%error, "no new certificate could be made"),
            }
        }
    }

    fn certify(&self, standing: &Standing) -> std::io::Result<bool> {
        let mut names = vec![standing.name.clone()];
        if let Some(machine) = machine_name() {
            let label = machine.split('.').next().unwrap_or_default();
            let own = format!("{}.local", label.to_ascii_lowercase());
            if own != standing.name {
                names.push(own);
            }
        }
        self.authority
            .certify(&names, &standing.addresses, self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_has_the_usual_port_beside_the_usual_one() {
        let beside = |plain: &str, asked: &str| {
            beside(plain.parse().unwrap(), &[asked.parse().unwrap()]).to_string()
        };
        assert_eq!(beside("[::]:80", "[::]:80"), "[::]:443");
        assert_eq!(beside("10.0.0.5:8080", "10.0.0.5:8080"), "10.0.0.5:8443");
        assert_eq!(beside("127.0.0.1:41234", "127.0.0.1:0"), "127.0.0.1:0");
    }
}
