//! The words of installing: `motoreach install`, `uninstall`, and what the units themselves call.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `motoreach install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// Install a relay instead of a box
    #[arg(long)]
    pub relay: bool,
    /// Enable it, and start it later
    #[arg(long)]
    pub no_start: bool,
    /// Install into this folder, such as a card that is being prepared, and start nothing
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// `motoreach uninstall`.
#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Remove the relay instead of the box
    #[arg(long)]
    pub relay: bool,
    /// Also remove the data, the configuration and the user, for good
    #[arg(long)]
    pub purge: bool,
    /// With --purge: do not ask for the workshop's name
    #[arg(long, requires = "purge")]
    pub yes: bool,
    /// Remove it from this folder instead of from this machine
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// `motoreach where`.
#[derive(Clone, Copy, Debug, Args)]
pub struct WhereArgs {
    /// The relay instead of the box
    #[arg(long)]
    pub relay: bool,
}

/// `motoreach usb …`: what `motoreach-usb@.service` calls.
#[derive(Debug, Subcommand)]
pub enum UsbCommand {
    /// Mount a partition under /media for backups
    Mount {
        /// Its name below /dev, such as sda1
        partition: String,
    },
    /// Let go of it
    Unmount {
        /// Its name below /dev, such as sda1
        partition: String,
    },
}
