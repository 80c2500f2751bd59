//! The link between box and relay (`sync.md`): `link` says what each end says, without IO; `line`
//! carries frames over a WebSocket; `dial` is the box's end at work, and `restore` works it once, to bring
//! a workshop back. The relay's is `relay::accept`.

pub mod dial;
pub mod line;
pub mod link;
pub mod restore;
