//! One frame as bytes: a CBOR array of its type and its body.

use minicbor::{Decoder, Encode, Encoder};

use super::{
    Applied, Chains, Challenge, Entries, FRAME_BYTES_MAX, Fork, GiveBack, Given, Goaway, Moment,
    Probe, Refused, Retain, Signed, Watch,
};
use crate::seal::SealedPost;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each body says what it is")]
pub enum Frame {
    Challenge(Challenge),
    Hello(Signed),
    Welcome(Signed),
    /// The box has stored the grant of the welcome.
    Granted,
    Entries(Entries),
    Applied(Applied),
    Post(SealedPost),
    Refused(Refused),
    /// The relay may send so many more posts.
    Credit(u32),
    Ping,
    Pong,
    Goaway(Goaway),
    Probe(Probe),
    Chains(Chains),
    GiveBack(GiveBack),
    Given(Given),
    Fork(Fork),
    Moment(Moment),
    Retain(Retain),
    Watch(Watch),
}

/// A frame that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Longer than `FRAME_BYTES_MAX`.
    #[error("a frame of {0} bytes")]
    TooLong(usize),
    /// Not CBOR, or not ours.
    #[error("a frame that cannot be read")]
    Form(#[source] minicbor::decode::Error),
}

impl Frame {
    /// The frame as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        let written = match self {
            Self::Challenge(body) => put(&mut e, 0, body),
            Self::Hello(body) => put(&mut e, 1, body),
            Self::Welcome(body) => put(&mut e, 2, body),
            Self::Granted => put(&mut e, 3, ()),
            Self::Entries(body) => put(&mut e, 4, body),
            Self::Applied(body) => put(&mut e, 5, body),
            Self::Post(body) => put(&mut e, 6, body),
            Self::Refused(body) => put(&mut e, 7, body),
            Self::Credit(posts) => put(&mut e, 8, posts),
            Self::Ping => put(&mut e, 9, ()),
            Self::Pong => put(&mut e, 10, ()),
            Self::Goaway(body) => put(&mut e, 11, body),
            Self::Probe(body) => put(&mut e, 12, body),
            Self::Chains(body) => put(&mut e, 13, body),
            Self::GiveBack(body) => put(&mut e, 14, body),
            Self::Given(body) => put(&mut e, 15, body),
            Self::Fork(body) => put(&mut e, 16, body),
            Self::Moment(body) => put(&mut e, 17, body),
            Self::Retain(body) => put(&mut e, 18, body),
            Self::Watch(body) => put(&mut e, 19, body),
        };
        written.expect("writing to memory cannot fail");
        e.into_writer()
    }

    /// Reads one frame; `None` for a type that this program does not know.
    ///
    /// # Errors
    /// It is too long or cannot be read: the line is ended.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong(bytes.len()));
        }
        read(bytes).map_err(FrameError::Form)
    }
}

fn put<T: Encode<()>>(
    e: &mut Encoder<Vec<u8>>,
    kind: u16,
    body: T,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    e.array(2)?.u16(kind)?.encode(body)?.ok()
}

fn read(bytes: &[u8]) -> Result<Option<Frame>, minicbor::decode::Error> {
    let mut d = Decoder::new(bytes);
    if d.array()? != Some(2) {
        return Err(minicbor::decode::Error::message("not a pair"));
    }
    let frame = match d.u16()? {
        0 => Frame::Challenge(d.decode()?),
        1 => Frame::Hello(d.decode()?),
        2 => Frame::Welcome(d.decode()?),
        3 => Frame::Granted,
        4 => Frame::Entries(d.decode()?),
        5 => Frame::Applied(d.decode()?),
        6 => Frame::Post(d.decode()?),
        7 => Frame::Refused(d.decode()?),
        8 => Frame::Credit(d.decode()?),
        9 => Frame::Ping,
        10 => Frame::Pong,
        11 => Frame::Goaway(d.decode()?),
        12 => Frame::Probe(d.decode()?),
        13 => Frame::Chains(d.decode()?),
        14 => Frame::GiveBack(d.decode()?),
        15 => Frame::Given(d.decode()?),
        16 => Frame::Fork(d.decode()?),
        17 => Frame::Moment(d.decode()?),
        18 => Frame::Retain(d.decode()?),
        19 => Frame::Watch(d.decode()?),
        _ => return Ok(None),
    };
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{EventId, LogId, RequestKey, Seq};
    use crate::seal::{Chain, Position, SealedEntry, SignedHead};

    #[test]
    fn a_frame_type_of_a_later_version_is_passed_over() {
        let mut e = Encoder::new(Vec::new());
        put(&mut e, 999, "something new").unwrap();
        assert_eq!(Frame::decode(&e.into_writer()).unwrap(), None);
    }

    #[test]
    fn a_key_of_a_later_version_is_passed_over() {
        let mut e = Encoder::new(Vec::new());
        e.array(2).unwrap().u16(11).unwrap();
        e.map(3).unwrap().u8(0).unwrap().u32(5).unwrap();
        e.u8(77).unwrap().str("new").unwrap();
        e.u8(1).unwrap().str("restarting").unwrap();
        let goaway = Goaway {
            reconnect_in_ms: 5,
            why: "restarting".into(),
        };
        assert_eq!(
            Frame::decode(&e.into_writer()).unwrap(),
            Some(Frame::Goaway(goaway))
        );
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Frame::decode(&bytes);
        }

        #[test]
        fn entries_come_back(
            seq in 1_i64..i64::MAX, id: [u8; 16], thread: Option<[u8; 16]>, flags: u32, epoch: u16,
            body: Option<Vec<u8>>, sha: [u8; 32], kind in "[a-z_]{1,20}",
        ) {
            let position = Position {
                log: LogId::from_bytes(id), seq: Seq(seq - 1), chain: Chain::from_bytes(sha),
            };
            let entry = SealedEntry {
                seq: Seq(seq), id: EventId::from_bytes(id), thread: thread.map(RequestKey::from_bytes),
                kind, flags, epoch, body_sha: sha, chain: Chain::from_bytes(sha), body, clear: None,
            };
            let frame = Frame::Entries(Entries {
                prev: position, log: LogId::from_bytes(id), entries: vec![entry.clone(), entry],
                head: SignedHead { position, signature: [7; 64] },
            });
            prop_assert_eq!(Frame::decode(&frame.encode()).unwrap(), Some(frame));
        }
    }
}
