//! The link between box and relay (`sync.md`): `link` says what each end says, without IO.

pub mod link;
