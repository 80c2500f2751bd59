//! Connections to elsewhere, and TLS in both directions: whom to trust, what time it is to a
//! certificate, and which addresses may be spoken to.
//!
//! In reading order: `address` (where to), `tls` (whom to trust), `line`, `dial` (a connection), `post` (one
//! request over it), `acceptor` (our own certificate, read again when it changes), `authority` (who signs
//! it where nobody else does).
//!
//! `sync::dial` and `relay::push` dial; `http::listen` accepts. It knows nothing of what is said.

pub mod acceptor;
pub mod address;
pub mod authority;
pub mod dial;
mod line;
pub mod post;
pub mod tls;

#[cfg(test)]
pub(crate) mod testing;

pub use acceptor::TlsAcceptor;
pub use address::{Target, TargetError};
pub use authority::{AuthorityFiles, LocalAuthority};
pub use dial::{DialError, Dialer, Plain, Reach};
pub use line::Line;
pub use post::{Answer, post};
