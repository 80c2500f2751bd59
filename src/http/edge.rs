//! What every handler shares: the store, the hub, and who may do what, how often.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ring::hmac;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::health::Proof;
use super::problem::Problem;
use super::restore_desk::RestoreDesk;
use super::throttle::{Throttle, network};
use super::tickets::Tickets;
use super::token::TokenKeys;
use crate::clock::stopwatch;
use crate::discovery::Board;
use crate::domain::{Actor, PersonId, Rejection};
use crate::health::Watch;
use crate::hub::Hub;
use crate::store::backup::Backups;
use crate::store::people::{self, Credential};
use crate::store::{CommandError, CommandResult, Need, Store, View, WriteTx};
use crate::update::desk::Desk;

/// Wrong log-ins for one account (S8).
const LOGINS_PER_ACCOUNT_MAX: usize = 10;
/// Wrong log-ins, links and set-up codes from one address (S8).
const GUESSES_PER_ADDRESS_MAX: usize = 60;
/// Wrong set-up codes, from anywhere: it has six digits.
const SET_UP_CODES_MAX: usize = 10;
const GUESS_WINDOW: Duration = Duration::from_secs(15 * 60);
/// Messages that one person may send within `MESSAGE_WINDOW`.
const MESSAGES_MAX: usize = 40;
const MESSAGE_WINDOW: Duration = Duration::from_secs(20);
/// Password hashes computed at once: each takes 19 MiB and a core.
const HASHES_AT_ONCE: usize = 2;

/// Whether people may be stopped from sending too many messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageLimits {
    /// 40 messages in 20 seconds for each person.
    On,
    /// None, for the demo and for benchmarks.
    Off,
}

/// Everything that handlers need; clones share it.
#[derive(Clone)]
pub struct Edge {
    inner: Arc<Inner>,
}

/// The parts of an `Edge`.
pub struct Inner {
    /// The database.
    pub store: Store,
    /// Live fan-out.
    pub hub: Hub,
    /// Signs and checks access tokens.
    pub tokens: Arc<TokenKeys>,
    /// Tickets for sockets.
    pub tickets: Tickets,
    /// The base of owners' links, when it was configured.
    pub public_url: Option<String>,
    /// The printed code that the first run asks for when it does not come from this machine.
    pub set_up_code: Option<String>,
    /// Takes the first-run page's wish to restore.
    pub restore: RestoreDesk,
    /// Where the box is found.
    pub board: Board,
    /// Ends sockets when the box stops.
    pub shutdown: CancellationToken,
    /// Owns the tasks of sockets.
    pub tracker: TaskTracker,
    /// Held while somebody hands a backup in: one at a time.
    pub uploading: Arc<Mutex<()>>,
    /// Makes backups.
    pub backups: Backups,
    /// Looks at how the box fares.
    pub health: Watch,
    /// Programs that admins bring.
    pub updates: Desk,
    /// Whether messages are limited.
    pub message_limits: MessageLimits,
    /// Hashing passwords, two at once.
    pub hashing: Arc<Semaphore>,
    /// Makes each refresh token's successor.
    pub refresh_key: hmac::Key,
    /// The newest proof that the disk takes writes.
    pub proof: Proof,
    logins: Throttle<String>,
    guesses: Throttle<IpAddr>,
    set_up_codes: Throttle<()>,
    messages: Throttle<PersonId>,
}

/// What an `Edge` is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Live fan-out.
    pub hub: Hub,
    /// Signs and checks access tokens.
    pub tokens: Arc<TokenKeys>,
    /// The base of owners' links, when it was configured.
    pub public_url: Option<String>,
    /// The printed code for the first run.
    pub set_up_code: Option<String>,
    /// Takes the first-run page's wish to restore.
    pub restore: RestoreDesk,
    /// Where the box is found.
    pub board: Board,
    /// Makes backups.
    pub backups: Backups,
    /// Looks at how the box fares.
    pub health: Watch,
    /// Programs that admins bring.
    pub updates: Desk,
    /// Whether messages are limited.
    pub message_limits: MessageLimits,
    /// Ends sockets when the box stops.
    pub shutdown: CancellationToken,
    /// Owns the tasks of sockets.
    pub tracker: TaskTracker,
}

impl Edge {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let refresh_key = parts.store.keys().secret("refresh-token");
        let inner = Inner {
            refresh_key: hmac::Key::new(hmac::HMAC_SHA256, refresh_key.as_bytes()),
            store: parts.store,
            hub: parts.hub,
            tokens: parts.tokens,
            tickets: Tickets::default(),
            public_url: parts.public_url,
            set_up_code: parts.set_up_code,
            restore: parts.restore,
            board: parts.board,
            uploading: Arc::default(),
            backups: parts.backups,
            health: parts.health,
            updates: parts.updates,
            shutdown: parts.shutdown,
            tracker: parts.tracker,
            message_limits: parts.message_limits,
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            proof: Proof::default(),
            logins: Throttle::new(LOGINS_PER_ACCOUNT_MAX, GUESS_WINDOW),
            guesses: Throttle::new(GUESSES_PER_ADDRESS_MAX, GUESS_WINDOW),
            set_up_codes: Throttle::new(SET_UP_CODES_MAX, GUESS_WINDOW),
            messages: Throttle::new(MESSAGES_MAX, MESSAGE_WINDOW),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Reads as whoever the credential stands for.
    ///
    /// # Errors
    /// 401 when it does not count any more, or what `look` returns.
    pub async fn read_as<T, F>(&self, who: Credential, look: F) -> Result<T, Problem>
    where
        F: FnOnce(&View<'_>, &Actor) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let read = self.store.read(move |view| look(view, &actor(view, who)?));
        Ok(read.await?)
    }

    /// Runs a command as whoever the credential stands for: that it still counts is checked in the
    /// same transaction.
    ///
    /// # Errors
    /// 401 when it does not count any more, or what the command returns.
    pub async fn write_as<T, F>(
        &self,
        who: Credential,
        need: Need,
        command: F,
    ) -> Result<T, Problem>
    where
        F: FnOnce(&mut WriteTx<'_>, &Actor) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        Ok(self.submit_as(who, need, command).await?)
    }

    /// Like `write_as`, queued at once: commands submitted one after the other run in that order.
    pub fn submit_as<T, F>(
        &self,
        who: Credential,
        need: Need,
        command: F,
    ) -> impl Future<Output = CommandResult<T>> + Send + use<T, F>
    where
        F: FnOnce(&mut WriteTx<'_>, &Actor) -> CommandResult<T> + Send + 'static,
        T: Send + 'static,
    {
        self.store.submit(need, move |tx| {
            let actor = actor(tx, who)?;
            command(tx, &actor)
        })
    }

    /// Counts a guess at a log-in before it is looked at, by account and address.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub fn guess_login(&self, account: &str, from: IpAddr) -> Result<(), Problem> {
        let now = stopwatch();
        self.guesses
            .attempt(network(from), now)
            .map_err(Problem::rate_limited)?;
        self.logins
            .attempt(account.to_owned(), now)
            .map_err(Problem::rate_limited)
    }

    /// The guess was right: it does not count.
    pub fn login_was_right(&self, account: &str, from: IpAddr) {
        self.guesses.forgive(&network(from));
        self.logins.forgive(&account.to_owned());
    }

    /// Counts a guess at a link or a code before it is looked at, by address.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub fn guess_code(&self, from: IpAddr) -> Result<(), Problem> {
        self.guesses
            .attempt(network(from), stopwatch())
            .map_err(Problem::rate_limited)
    }

    /// The guess was right: it does not count.
    pub fn code_was_right(&self, from: IpAddr) {
        self.guesses.forgive(&network(from));
    }

    /// Counts a guess at the set-up code.
    ///
    /// # Errors
    /// 429 when there were too many, from anywhere.
    pub fn guess_set_up_code(&self) -> Result<(), Problem> {
        self.set_up_codes
            .attempt((), stopwatch())
            .map_err(Problem::rate_limited)
    }

    /// Counts a message.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn count_message(&self, from: PersonId) -> Result<(), Duration> {
        match self.message_limits {
            MessageLimits::Off => Ok(()),
            MessageLimits::On => self.messages.attempt(from, stopwatch()),
        }
    }
}

impl std::ops::Deref for Edge {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

fn actor(view: &View<'_>, who: Credential) -> Result<Actor, CommandError> {
    Ok(people::actor(view, who)?.ok_or(Rejection::SignedOut)?)
}
