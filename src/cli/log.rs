//! The words of `motoreach log`.

use clap::Args;

use super::operator::DataArgs;
use crate::ops::Ttl;

/// `motoreach log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// What to log.
    #[command(flatten)]
    pub what: LogWhat,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// What a running server shall log.
#[derive(Debug, Args)]
pub struct LogWhat {
    /// A level (error, warn, info, debug, trace, off), directives such as motoreach=debug,hyper=info, or
    /// `usual`; nothing: only show what is logged now
    #[arg(value_name = "LEVEL")]
    pub level: Option<String>,
    /// For so long, such as 10m; then it is as usual again
    #[arg(long = "for", value_name = "TIME", requires = "level")]
    pub lasting: Option<Ttl>,
}
