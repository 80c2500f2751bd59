//! Where WebSocket frames begin and end in a stream of bytes (RFC 6455 §5.2), and what type a frame
//! of the link is.

/// What is at the front of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front {
    /// Not all of it is here yet.
    Part,
    /// One frame of so many bytes; its type if it is a binary frame of the link.
    Whole { bytes: usize, kind: Option<u8> },
}

const BINARY: u8 = 2;
const TEXT: u8 = 1;

/// Looks at the front of what was read after the upgrade.
pub(super) fn front(read: &[u8]) -> Front {
    let [first, second, ..] = *read else {
        return Front::Part;
    };
    let masked = second & 0x80 != 0;
    let (length, mut head) = match second & 0x7f {
        126 => match read.get(2..4) {
            Some(long) => (usize::from(u16::from_be_bytes([long[0], long[1]])), 4),
            None => return Front::Part,
        },
        127 => match read.get(2..10) {
            Some(long) => {
                let long = u64::from_be_bytes(long.try_into().unwrap());
                (usize::try_from(long).unwrap(), 10)
            }
            None => return Front::Part,
        },
        short => (usize::from(short), 2),
    };
    let mut mask = [0; 4];
    if masked {
        let Some(bytes) = read.get(head..head + 4) else {
            return Front::Part;
        };
        mask.copy_from_slice(bytes);
        head += 4;
    }
    let Some(payload) = read.get(head..head + length) else {
        return Front::Part;
    };
    let opened = |at: usize| payload.get(at).map(|byte| byte ^ mask[at % 4]);
    let kind = match first & 0x0f {
        // CBOR: an array of two, then a small number.
        BINARY if opened(0) == Some(0x82) => opened(1).filter(|kind| *kind < 24),
        _ => None,
    };
    Front::Whole {
        bytes: head + length,
        kind,
    }
}

/// Whether it carries what somebody said: not a ping, pong or close of the WebSocket itself.
pub(super) fn is_data(frame: &[u8]) -> bool {
    matches!(frame[0] & 0x0f, BINARY | TEXT)
}

#[cfg(test)]
mod tests {
    use motoreach::wire::link::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    use tokio_tungstenite::tungstenite::protocol::frame::{Frame as WsFrame, FrameHeader};

    use super::*;

    fn framed(payload: Vec<u8>, mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut frame = WsFrame::message(payload, OpCode::Data(Data::Binary), true);
        let header: &mut FrameHeader = frame.header_mut();
        header.mask = mask;
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_frame_is_found_whatever_its_length_and_mask() {
        for length in [0, 2, 125, 126, 65_535, 65_536] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let mut bytes = framed(vec![7; length], mask);
                let whole = bytes.len();
                for cut in [0, 1, 3, whole / 2, whole - 1].map(|cut| cut.min(whole - 1)) {
                    assert_eq!(front(&bytes[..cut]), Front::Part, "{cut} of {whole}");
                }
                bytes.extend([9; 5]);
                let found = Front::Whole {
                    bytes: whole,
                    kind: None,
                };
                assert_eq!(front(&bytes), found);
            }
        }
    }

    #[test]
    fn the_type_of_a_link_frame_is_seen_through_its_mask() {
        for (frame, kind) in [
            (Frame::Granted, 3),
            (Frame::Credit(300), 8),
            (Frame::Ping, 9),
        ] {
            for mask in [None, Some([0xaa, 0x55, 3, 0])] {
                let bytes = framed(frame.encode(), mask);
                let whole = Front::Whole {
                    bytes: bytes.len(),
                    kind: Some(kind),
                };
                assert_eq!(front(&bytes), whole, "{frame:?}");
            }
        }
    }
}
