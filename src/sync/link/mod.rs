//! Both ends of the link as machines without IO: frames and answers in, frames and wishes out.

pub mod kept;
