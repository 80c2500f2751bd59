//! The words of an operator's command line: people, requests, tokens and the doctor.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::config;
use crate::domain::Role;
use crate::ops::Ttl;

/// Where the data is, and how to answer.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// The data directory [default: $STATE_DIRECTORY, /var/lib/motoreach for root, otherwise
    /// ~/.local/share/motoreach]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "MOTOREACH_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Answer with one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `motoreach person …`.
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Add somebody; without --password-stdin a password is made up and printed once
    Add(AddPersonArgs),
    /// List people: the staff, or those of one role
    List(ListPeopleArgs),
    /// Give somebody a new password; their sign-ins end
    Password(PasswordArgs),
    /// Erase everything of an owner who asks for it, for ever
    Erase(EraseArgs),
}

/// `motoreach person erase`.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Their number; `motoreach person list --role owner` shows it
    #[arg(long, value_name = "ID")]
    pub person: i64,
    /// Also what the workshop wrote to them and noted of the work; otherwise that stays, as its own
    /// record
    #[arg(long)]
    pub all: bool,
    /// Their full name exactly as it is shown, instead of being asked for it
    #[arg(long)]
    pub name: Option<String>,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach person add`.
#[derive(Debug, Args)]
pub struct AddPersonArgs {
    /// Their full name
    #[arg(long)]
    pub name: String,
    /// What they are to the workshop
    #[arg(long)]
    pub role: RoleArg,
    /// What they sign in with; owners need none, they come by their link
    #[arg(long, required_if_eq_any = [("role", "admin"), ("role", "mechanic")])]
    pub username: Option<String>,
    /// Their telephone number
    #[arg(long)]
    pub phone: Option<String>,
    /// Their e-mail address
    #[arg(long)]
    pub email: Option<String>,
    /// Read the password from standard input (its first line)
    #[arg(long)]
    pub password_stdin: bool,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach person list`.
#[derive(Debug, Args)]
pub struct ListPeopleArgs {
    /// Only people of this role
    #[arg(long)]
    pub role: Option<RoleArg>,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach person password`.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Their number; `motoreach person list` shows it
    #[arg(long, value_name = "ID")]
    pub person: i64,
    /// Read the password from standard input (its first line)
    #[arg(long)]
    pub password_stdin: bool,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach request …`.
#[derive(Debug, Subcommand)]
pub enum RequestCommand {
    /// Take a vehicle in; prints the request's number and its owner's link
    Add(AddRequestArgs),
}

/// `motoreach request add`.
#[derive(Debug, Args)]
pub struct AddRequestArgs {
    /// The owner's full name
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// The owner's telephone number; with name and number of an earlier customer it is the same
    /// person
    #[arg(long)]
    pub phone: Option<String>,
    /// The number plate
    #[arg(long)]
    pub plate: String,
    /// Who built the vehicle
    #[arg(long)]
    pub make: Option<String>,
    /// What they called it
    #[arg(long)]
    pub model: Option<String>,
    /// When they built it
    #[arg(long)]
    pub year: Option<i64>,
    /// What is wrong with it
    #[arg(long, value_name = "TEXT")]
    pub description: String,
    /// What the owner's link begins with [default: `public_url` of the configuration, otherwise
    /// `http://motoreach.local`]
    #[arg(long, value_name = "URL", value_parser = config::parse_public_url)]
    pub base_url: Option<String>,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Whose; `motoreach person list` shows the number
    #[arg(long, value_name = "ID")]
    pub person: i64,
    /// How long it lives, such as 15m, 24h, 7d; at most 30 days
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub ttl: Ttl,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// `motoreach doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Make everything that follows from the journal again; no server may be running
    #[arg(long, conflicts_with = "recovery_words")]
    pub rebuild: bool,
    /// Read the 24 recovery words from standard input and put root.secret back
    #[arg(long)]
    pub recovery_words: bool,
    /// Where, and how to answer.
    #[command(flatten)]
    pub at: DataArgs,
}

/// A role as it is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum RoleArg {
    /// Runs the workshop: everything, including people
    Admin,
    /// Works on vehicles
    Mechanic,
    /// Owns a vehicle
    Owner,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Admin => Self::Admin,
            RoleArg::Mechanic => Self::Mechanic,
            RoleArg::Owner => Self::Owner,
        }
    }
}
