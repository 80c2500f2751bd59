//! How the configuration wants the box to be found, and under which names it answers.

use std::net::SocketAddr;

use crate::config::Config;
use crate::discovery::{Discovery, Interfaces, Settings, Telling};
use crate::http::guard::{Guard, GuardConfig, GuardConfigError, machine_name};
use crate::hub::Hub;
use crate::store::DataDir;

/// Whose requests are answered.
pub(super) fn guard(config: &Config) -> Result<Guard, GuardConfigError> {
    let names = GuardConfig {
        names: config.hosts.clone(),
        origins: config.origins.clone(),
        label: config.name.clone(),
    };
    Guard::new(&names, machine_name().as_deref())
}

/// What tells the network where the box is.
pub(super) fn discovery(
    config: &Config,
    dir: &DataDir,
    listening: &[SocketAddr],
    hub: &Hub,
) -> Discovery {
    let settings = Settings {
        label: config.name.clone(),
        telling: if config.mdns {
            Telling::Mdns
        } else {
            Telling::Nothing
        },
        interfaces: Interfaces::named(config.interfaces.clone()),
        memory: dir.name_on_network(),
        listening: listening.to_vec(),
    };
    Discovery::new(settings, hub.workshop_named())
}
