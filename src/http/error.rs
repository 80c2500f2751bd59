//! From what a command or the store refused to what a client is told: one table (`wire.md` §5).

use std::time::Duration;

use http::StatusCode;

use super::problem::Problem;
use super::upgrade::CloseReason;
use crate::domain::Rejection;
use crate::store::{CommandError, StoreError};

const SOON: Duration = Duration::from_secs(1);

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejection.into(),
            CommandError::Store(error) => error.into(),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let status = status(&rejection);
        if status == StatusCode::UNAUTHORIZED {
            return Self::unauthorized(rejection.to_string()).with_code(rejection.code());
        }
        let problem = Self::new(status, rejection.code(), rejection.to_string());
        match rejection.field() {
            Some(field) => problem.with_error(field.0, rejection.to_string()),
            None => problem,
        }
    }
}

const fn status(rejection: &Rejection) -> StatusCode {
    match rejection {
        Rejection::NoSuch(_) => StatusCode::NOT_FOUND,
        Rejection::NotAllowed | Rejection::RedactTooLate => StatusCode::FORBIDDEN,
        Rejection::Text { .. } | Rejection::Value { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Rejection::RequestClosed
        | Rejection::StatusMove { .. }
        | Rejection::IdTaken
        | Rejection::Taken(_)
        | Rejection::LastAdmin
        | Rejection::AlreadySetUp
        | Rejection::NotSetUp
        | Rejection::OwnerErased => StatusCode::CONFLICT,
        Rejection::SignedOut | Rejection::WrongPassword | Rejection::InviteInvalid => {
            StatusCode::UNAUTHORIZED
        }
        Rejection::ExportTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Rejection::InviteRevoked
        | Rejection::InviteErased
        | Rejection::InviteExpired
        | Rejection::WordsGone => StatusCode::GONE,
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::disk_full(),
            StoreError::Failing(_) | StoreError::ReadOnly => Self::storage_failing(),
            StoreError::Busy | StoreError::Unknown => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "The box has too much to do at the moment. Please try again.",
            )
            .with_retry_after(SOON),
            StoreError::Stopped => Self::unavailable(SOON),
            StoreError::Damaged(why) => {
                tracing::error!(why, "the database is damaged");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "damaged",
                    "The box's database is damaged here. Run `motoreach doctor`.",
                )
            }
            StoreError::Fault(cause) => {
                tracing::error!(?cause, "a fault of ours");
                Self::internal()
            }
        }
    }
}

/// The word and the sentence for a socket, where there is no status.
pub(super) fn told(error: CommandError) -> (&'static str, String) {
    match error {
        CommandError::Rejected(rejection) => (rejection.code(), rejection.to_string()),
        CommandError::Store(error) => {
            let problem = Problem::from(error);
            (problem.code(), problem.detail().to_owned())
        }
    }
}

/// How a socket is closed when what it asked for could not be looked up.
pub(super) fn closing(error: CommandError) -> CloseReason {
    match error {
        CommandError::Rejected(Rejection::SignedOut) => CloseReason::SIGN_IN_AGAIN,
        CommandError::Rejected(_) => CloseReason::NOT_YOURS,
        CommandError::Store(error) => {
            tracing::warn!(%error, "a socket could not be served");
            CloseReason::TRY_AGAIN_LATER
        }
    }
}
