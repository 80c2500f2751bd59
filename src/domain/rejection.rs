//! The reasons why the workshop says no. A rejection is an ordinary outcome, and it changed nothing.

use super::TextError;

/// The input that was at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field(pub &'static str);

/// Why an intention was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejection {
    /// No such thing, or not for this person: they cannot tell which.
    #[error("There is no such {0}, or it is not yours.")]
    NoSuch(&'static str),
    /// Known and seen, but not this person's to do.
    #[error("You are not allowed to do that.")]
    NotAllowed,
    /// A text that breaks a bound or a form.
    #[error("{} {why}.", .field.0)]
    Text {
        /// Which input.
        field: Field,
        /// What is wrong with it.
        why: TextError,
    },
    /// A value that cannot be right.
    #[error("{} {why}.", .field.0)]
    Value {
        /// Which input.
        field: Field,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The request takes no more messages.
    #[error("This request is closed; open it again before writing in it.")]
    RequestClosed,
    /// The job cannot go there from here.
    #[error("A request that is {from} cannot become {to}.")]
    StatusMove {
        /// What it is.
        from: &'static str,
        /// What it was to become.
        to: &'static str,
    },
    /// The id was used before, for something else or by somebody else.
    #[error("That id was used before for something else; make a new one.")]
    IdTaken,
    /// Somebody else signs in with that.
    #[error("Somebody else already uses that {}.", .0.0)]
    Taken(Field),
    /// The workshop would have nobody left to run it.
    #[error("This is the last admin who can sign in; make somebody else admin first.")]
    LastAdmin,
    /// First run is over.
    #[error("This box is set up already; sign in instead.")]
    AlreadySetUp,
    /// First run is not over yet.
    #[error("This box is not set up yet; open its page and do that first.")]
    NotSetUp,
    /// The time to take a message back is over, or it is not theirs.
    #[error("Only your own messages of the last 15 minutes can be removed.")]
    RedactTooLate,
    /// The sign-in is not valid, or not any more.
    #[error("Your sign-in is over; sign in again.")]
    SignedOut,
    /// Wrong name or password: the person cannot tell which.
    #[error("That name or password is not right.")]
    WrongPassword,
    /// A link that was never given out.
    #[error("This link is not valid; ask the workshop for a new one.")]
    InviteInvalid,
    /// A link that was taken back.
    #[error("This link was taken back; ask the workshop for a new one.")]
    InviteRevoked,
    /// A link whose time is over.
    #[error("This link has expired; ask the workshop for a new one.")]
    InviteExpired,
    /// The recovery words were written down, and are not shown twice.
    #[error("The recovery words were shown and confirmed; they are not shown again.")]
    WordsGone,
    /// They asked to be forgotten; nobody may bring them back.
    #[error("This owner was erased; open a new request if they come again.")]
    OwnerErased,
    /// The link of somebody who asked to be forgotten.
    #[error(
        "You asked to be forgotten here, and what belonged to you was erased. This link opens nothing any more."
    )]
    InviteErased,
    /// More than a file that proves itself takes.
    #[error(
        "The journal between its first and its last entry is too long for one file; export requests one by one."
    )]
    ExportTooLarge,
}

impl Rejection {
    /// The word that programs know it by (`wire.md` §6).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuch(_) => "not_found",
            Self::NotAllowed => "not_allowed",
            Self::Text {
                why: TextError::TooLong(_),
                ..
            } => "too_long",
            Self::Text {
                why: TextError::Empty | TextError::TooShort(_) | TextError::Form(_),
                ..
            }
            | Self::Value { .. } => "invalid",
            Self::RequestClosed => "request_closed",
            Self::StatusMove { .. } => "status_move",
            Self::IdTaken => "id_taken",
            Self::Taken(_) => "taken",
            Self::LastAdmin => "last_admin",
            Self::AlreadySetUp => "already_set_up",
            Self::NotSetUp => "not_set_up",
            Self::RedactTooLate => "too_late",
            Self::SignedOut => "signed_out",
            Self::WrongPassword => "wrong_password",
            Self::InviteInvalid => "invite_invalid",
            Self::InviteRevoked => "invite_revoked",
            Self::InviteExpired => "invite_expired",
            Self::WordsGone => "words_gone",
            Self::OwnerErased => "owner_erased",
            Self::InviteErased => "invite_erased",
            Self::ExportTooLarge => "export_too_large",
        }
    }

    /// The input at fault, where there is one.
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Text { field, .. } | Self::Value { field, .. } | Self::Taken(field) => {
                Some(*field)
            }
            Self::NoSuch(_)
            | Self::NotAllowed
            | Self::RequestClosed
            | Self::StatusMove { .. }
            | Self::IdTaken
            | Self::LastAdmin
            | Self::AlreadySetUp
            | Self::NotSetUp
            | Self::RedactTooLate
            | Self::SignedOut
            | Self::WrongPassword
            | Self::InviteInvalid
            | Self::InviteRevoked
            | Self::InviteExpired
            | Self::WordsGone
            | Self::OwnerErased
            | Self::InviteErased
            | Self::ExportTooLarge => None,
        }
    }
}
