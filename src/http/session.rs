//! The rules of a chat socket, without the socket: a frame goes in, what is to be done comes out.
//!
//! `chat::talk` feeds it and does what it says. It never waits, sends or reads a clock.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::commands::{MarkRead, PostMessage, RedactMessage};
use crate::domain::{EventId, MessageId, RequestId};
use crate::hub::Dialect;
use crate::wire::client::{BadFrame, ClientFrame, Naming};
use crate::wire::server::ServerFrame;
use crate::wire::{HISTORY_MESSAGES_DEFAULT, HISTORY_MESSAGES_MAX};

/// Others learn at most this often that somebody is typing.
const TYPING_PAUSE: Duration = Duration::from_secs(1);

/// What a frame asks for.
#[derive(Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Post this; when it is on disk, acknowledge it if it was named by its sender.
    Post {
        /// The command.
        command: PostMessage,
        /// The name to acknowledge, in `motoreach.v1`.
        client_id: Option<Uuid>,
    },
    /// Mark as read.
    Read(MarkRead),
    /// Take back.
    Redact(RedactMessage),
    /// Tell the others.
    Typing,
    /// Send older messages.
    History {
        /// Before which message.
        before: Option<MessageId>,
        /// At most so many.
        limit: usize,
    },
    /// Say this to the sender.
    Tell(ServerFrame),
}

/// One chat socket's rules.
#[derive(Debug)]
pub struct Session {
    request: RequestId,
    dialect: Dialect,
    typed: Option<Instant>,
}

impl Session {
    /// The rules for a socket in this request's room.
    pub const fn new(request: RequestId, dialect: Dialect) -> Self {
        Self {
            request,
            dialect,
            typed: None,
        }
    }

    /// What this frame asks for. `fresh` names a message whose sender did not.
    pub fn on_text(&mut self, text: &str, now: Instant, fresh: Uuid) -> Step {
        let naming = match self.dialect {
            Dialect::Original => Naming::Absent,
            Dialect::V1 => Naming::Required,
        };
        match ClientFrame::parse(text, naming) {
            Ok(frame) => self.on_frame(frame, now, fresh),
            Err(BadFrame {
                code,
                detail,
                client_id,
            }) => self
                .error(code, detail, client_id)
                .map_or(Step::Nothing, Step::Tell),
        }
    }

    fn on_frame(&mut self, frame: ClientFrame, now: Instant, fresh: Uuid) -> Step {
        // An original client knows one frame; anything else is not for it.
        if self.dialect == Dialect::Original && !matches!(frame, ClientFrame::Message { .. }) {
            return Step::Nothing;
        }
        match frame {
            ClientFrame::Message {
                id,
                body,
                reply_to,
                expires_in_s,
            } => Step::Post {
                client_id: id.map(EventId::uuid),
                command: PostMessage {
                    id: id.unwrap_or(EventId::new(fresh)),
                    request: self.request,
                    body,
                    reply_to,
                    expires_in_s,
                },
            },
            ClientFrame::Read(up_to) => Step::Read(MarkRead {
                request: self.request,
                up_to: Some(up_to),
            }),
            ClientFrame::Typing => {
                let lately = self
                    .typed
                    .is_some_and(|typed| now.duration_since(typed) < TYPING_PAUSE);
                if lately {
                    return Step::Nothing;
                }
                self.typed = Some(now);
                Step::Typing
            }
            ClientFrame::History { before, limit } => Step::History {
                before,
                limit: limit
                    .unwrap_or(HISTORY_MESSAGES_DEFAULT)
                    .clamp(1, HISTORY_MESSAGES_MAX),
            },
            ClientFrame::Redact(message) => Step::Redact(RedactMessage {
                request: self.request,
                message,
            }),
            ClientFrame::Ignore => Step::Nothing,
        }
    }

    /// A refusal, for a client that can read one.
    pub fn error(
        &self,
        code: &'static str,
        detail: String,
        client_id: Option<Uuid>,
    ) -> Option<ServerFrame> {
        match self.dialect {
            Dialect::Original => None,
            Dialect::V1 => Some(ServerFrame::Error {
                code,
                detail,
                client_id,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::stopwatch;

    const FRESH: Uuid = Uuid::from_u128(9);

    fn v1() -> Session {
        Session::new(RequestId(7), Dialect::V1)
    }

    #[test]
    fn an_original_client_gets_no_answer_but_messages() {
        let mut session = Session::new(RequestId(7), Dialect::Original);
        for text in [
            "{",
            r#"{"type":"chat.read","up_to":1}"#,
            r#"{"type":"chat.typing"}"#,
            r#"{"type":"chat.history"}"#,
            r#"{"type":"chat.redact","id":1}"#,
        ] {
            let step = session.on_text(text, stopwatch(), FRESH);
            assert!(matches!(step, Step::Nothing), "{text}: {step:?}");
        }
        let long = format!(
            r#"{{"type":"chat.message","content":"{}"}}"#,
            "a".repeat(8_001)
        );
        assert!(matches!(
            session.on_text(&long, stopwatch(), FRESH),
            Step::Nothing
        ));
        let step = session.on_text(
            r#"{"type":"chat.message","content":"Hi"}"#,
            stopwatch(),
            FRESH,
        );
        let Step::Post {
            command,
            client_id: None,
        } = step
        else {
            panic!("{step:?}");
        };
        assert_eq!((command.id.uuid(), command.request), (FRESH, RequestId(7)));
    }

    #[test]
    fn a_message_of_v1_keeps_the_name_that_its_sender_gave_it() {
        let id = Uuid::from_u128(3);
        let text = format!(r#"{{"type":"chat.message","client_id":"{id}","content":"Hi"}}"#);
        let step = v1().on_text(&text, stopwatch(), FRESH);
        let Step::Post { command, client_id } = step else {
            panic!("{step:?}");
        };
        assert_eq!((command.id.uuid(), client_id), (id, Some(id)));
    }

    #[test]
    fn typing_is_passed_on_once_a_second() {
        let mut session = v1();
        let now = stopwatch();
        let typing = r#"{"type":"chat.typing"}"#;
        assert!(matches!(session.on_text(typing, now, FRESH), Step::Typing));
        assert!(matches!(session.on_text(typing, now, FRESH), Step::Nothing));
        let later = now + TYPING_PAUSE;
        assert!(matches!(
            session.on_text(typing, later, FRESH),
            Step::Typing
        ));
    }

    #[test]
    fn history_is_bounded() {
        let step = v1().on_text(
            r#"{"type":"chat.history","limit":60000}"#,
            stopwatch(),
            FRESH,
        );
        assert!(
            matches!(
                step,
                Step::History {
                    limit: HISTORY_MESSAGES_MAX,
                    ..
                }
            ),
            "{step:?}"
        );
        let step = v1().on_text(r#"{"type":"chat.history","limit":0}"#, stopwatch(), FRESH);
        assert!(matches!(step, Step::History { limit: 1, .. }), "{step:?}");
    }
}
