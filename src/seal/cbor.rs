//! How ids and hashes stand in CBOR: byte strings of their one length; positions as unsigned numbers.

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::chain::Chain;
use crate::domain::{DeviceId, EventId, InviteId, LogId, RequestKey, Seq, WorkshopKey};

macro_rules! as_bytes {
    ($($name:ty),+) => {$(
        impl<C> Encode<C> for $name {
            fn encode<W: Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), EncodeError<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                let bytes = d.bytes()?;
                bytes
                    .try_into()
                    .map(Self::from_bytes)
                    .map_err(|_| DecodeError::message("bytes of another length"))
            }
        }
    )+};
}

as_bytes!(
    Chain,
    DeviceId,
    EventId,
    InviteId,
    LogId,
    RequestKey,
    WorkshopKey
);

impl<C> Encode<C> for Seq {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.u64(self.0.unsigned_abs())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Seq {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        i64::try_from(d.u64()?)
            .map(Self)
            .map_err(|_| DecodeError::message("a position beyond every journal"))
    }
}
