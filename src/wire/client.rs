//! What a browser says on a chat socket. Everything here is hostile until it is parsed.

use serde::Deserialize;
use uuid::Uuid;

use crate::domain::{Body, EventId, Field, MessageId, Rejection, TextError};

/// A frame that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientFrame {
    /// A message to post. `id` is there in `motoreach.v1`.
    Message {
        /// The id that the sender gave it.
        id: Option<EventId>,
        /// What it says.
        body: Body,
        /// What it answers.
        reply_to: Option<MessageId>,
        /// Erase it by itself after so many seconds.
        expires_in_s: Option<i64>,
    },
    /// The reader has seen everything up to here.
    Read(MessageId),
    /// Somebody is typing.
    Typing,
    /// Older messages are wanted.
    History {
        /// Before which message.
        before: Option<MessageId>,
        /// At most so many.
        limit: Option<usize>,
    },
    /// A message is taken back.
    Redact(MessageId),
    /// Nothing to do: an empty message, or a type that this box does not know.
    Ignore,
}

/// A frame that was not understood, with what its sender is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadFrame {
    /// The word for it.
    pub code: &'static str,
    /// A sentence for a person.
    pub detail: String,
    /// The message that it concerns, where that much was understood.
    pub client_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    client_id: Option<String>,
    content: String,
    #[serde(default)]
    reply_to: Option<i64>,
    #[serde(default)]
    attachments: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct Read {
    up_to: i64,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    before: Option<i64>,
    #[serde(default)]
    limit: Option<u16>,
}

#[derive(Deserialize)]
struct Redact {
    id: i64,
}

/// Whether the sender must name its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// `motoreach.v1`: a message has a `client_id`.
    Required,
    /// The original contract: messages are nameless, and a name is ignored.
    Absent,
}

impl ClientFrame {
    /// Parses one text frame.
    ///
    /// # Errors
    /// What the sender is told; the socket stays open.
    pub fn parse(text: &str, naming: Naming) -> Result<Self, BadFrame> {
        let Kind { kind } = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        match &*kind {
            "chat.message" => message(text, naming),
            "chat.read" => {
                let Read { up_to } = body(text)?;
                Ok(Self::Read(MessageId(up_to)))
            }
            "chat.typing" => Ok(Self::Typing),
            "chat.history" => {
                let History { before, limit } = body(text)?;
                let before = before.map(MessageId);
                Ok(Self::History {
                    before,
                    limit: limit.map(usize::from),
                })
            }
            "chat.redact" => {
                let Redact { id } = body(text)?;
                Ok(Self::Redact(MessageId(id)))
            }
            _ => Ok(Self::Ignore),
        }
    }
}

fn message(text: &str, naming: Naming) -> Result<ClientFrame, BadFrame> {
    let message: Message = body(text)?;
    let id = match naming {
        Naming::Absent => None,
        Naming::Required => Some(named(message.client_id.as_deref())?),
    };
    let bad = |rejection: Rejection| BadFrame {
        code: rejection.code(),
        detail: rejection.to_string(),
        client_id: id.map(EventId::uuid),
    };
    if message
        .attachments
        .is_some_and(|attachments| !attachments.is_empty())
    {
        return Err(bad(Rejection::NoSuch("attachment")));
    }
    let body = match Body::parse(&message.content) {
        Ok(body) => body,
        Err(TextError::Empty) => return Ok(ClientFrame::Ignore),
        Err(why) => {
            return Err(bad(Rejection::Text {
                field: Field("content"),
                why,
            }));
        }
    };
    Ok(ClientFrame::Message {
        id,
        body,
        reply_to: message.reply_to.map(MessageId),
        expires_in_s: message.expires_in,
    })
}

fn named(client_id: Option<&str>) -> Result<EventId, BadFrame> {
    client_id
        .and_then(|text| Uuid::parse_str(text).ok())
        .filter(|id| !id.is_nil())
        .map(EventId::new)
        .ok_or_else(|| BadFrame {
            code: "invalid",
            detail: "client_id must be a UUID, made anew for every message.".to_owned(),
            client_id: None,
        })
}

fn body<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, BadFrame> {
    serde_json::from_str(text).map_err(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> BadFrame {
    BadFrame {
        code: "malformed",
        detail: format!("That frame could not be read: {error}."),
        client_id: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_original_contract_needs_no_id_and_ignores_one() {
        let frame = ClientFrame::parse(
            r#"{"type":"chat.message","content":" Hello "}"#,
            Naming::Absent,
        );
        let Ok(ClientFrame::Message { id: None, body, .. }) = frame else {
            panic!("{frame:?}");
        };
        assert_eq!(body.as_str(), "Hello");
    }

    #[test]
    fn an_empty_message_and_an_unknown_type_are_ignored() {
        for text in [
            r#"{"type":"chat.message","content":" \n\t "}"#,
            r#"{"type":"chat.dance","speed":7}"#,
        ] {
            assert_eq!(
                ClientFrame::parse(text, Naming::Absent),
                Ok(ClientFrame::Ignore)
            );
        }
    }

    #[test]
    fn a_bad_frame_is_told_why_and_which_message_it_was() {
        let code = |text: &str| ClientFrame::parse(text, Naming::Required).unwrap_err().code;
        assert_eq!(code("{"), "malformed");
        assert_eq!(code("[]"), "malformed");
        assert_eq!(code(r#"{"content":"no type"}"#), "malformed");
        assert_eq!(code(r#"{"type":"chat.message","content":7}"#), "malformed");
        assert_eq!(code(r#"{"type":"chat.message","content":"x"}"#), "invalid");
        assert_eq!(
            code(r#"{"type":"chat.message","client_id":"x","content":"x"}"#),
            "invalid"
        );
        let id = Uuid::from_u128(7);
        let long = "a".repeat(8_001);
        let text = format!(r#"{{"type":"chat.message","client_id":"{id}","content":"{long}"}}"#);
        let bad = ClientFrame::parse(&text, Naming::Required).unwrap_err();
        assert_eq!((bad.code, bad.client_id), ("too_long", Some(id)));
    }

    #[test]
    fn attachments_that_do_not_exist_are_refused() {
        let id = Uuid::from_u128(7);
        let text = format!(
            r#"{{"type":"chat.message","client_id":"{id}","content":"x","attachments":[1]}}"#
        );
        assert_eq!(
            ClientFrame::parse(&text, Naming::Required)
                .unwrap_err()
                .code,
            "not_found"
        );
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(text in ".{0,400}") {
            let _ = ClientFrame::parse(&text, Naming::Required);
        }

        #[test]
        fn hostile_json_never_panics(
            kind in "chat\\.(message|read|typing|history|redact)",
            field in "(client_id|content|up_to|before|limit|id|reply_to|expires_in|attachments)",
            value in r#"(null|true|-?[0-9]{1,30}|"[a-z0-9-]{0,40}"|\[\]|\{\}|1e999)"#,
        ) {
            let text = format!(r#"{{"type":"{kind}","{field}":{value}}}"#);
            let _ = ClientFrame::parse(&text, Naming::Required);
            let _ = ClientFrame::parse(&text, Naming::Absent);
        }
    }
}
