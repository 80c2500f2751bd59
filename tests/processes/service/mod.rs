//! The program and the service manager: the unit files, what is said between the two, and a machine that
//! systemd really runs.

mod life;
mod machine;
mod notify;
mod package;
mod units;
