//! A line between two programs that can be made as bad as a line gets: cut in the middle of a frame,
//! stalled, doubled, delayed, throttled, answered by a captive portal or by somebody else's
//! certificate.
//!
//! It listens on a port of its own for as long as it lives and forwards to wherever it is told. What
//! it holds of each direction is at most one frame.

mod certificate;
mod frames;
mod pump;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use certificate::Certificate;

use super::{SOON, until};

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From whoever dialled.
    Up,
    /// Towards whoever dialled.
    Down,
}

/// What whoever dials meets.
#[derive(Clone, Debug)]
pub enum Weather {
    /// The target.
    Fair,
    /// A reset.
    Refused,
    /// Nobody: the connection is taken, and then nothing.
    Silent,
    /// A captive portal: a page of HTML, whatever was asked.
    Portal,
    /// The target, behind this certificate.
    Behind(Certificate),
}

/// What becomes of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is lost.
    Drop,
    /// It comes twice.
    Twice,
    /// The connection is reset before it.
    CutBefore,
    /// The connection is reset in its middle.
    CutMid,
    /// The connection is reset after it.
    CutAfter,
    /// It comes, and all after it, later.
    Delay(Duration),
    /// It and all after it on this connection never come; the connection stays.
    Stall,
}

/// Which frames a deed is for: their way and, on a link, their type (`wire::link::Frame`).
#[derive(Clone, Copy, Debug)]
pub struct Which {
    pub way: Way,
    pub kind: Option<u8>,
}

/// Types of frames as they stand on the line.
pub mod kind {
    pub const HELLO: u8 = 1;
    pub const WELCOME: u8 = 2;
    pub const ENTRIES: u8 = 4;
    pub const APPLIED: u8 = 5;
    pub const POST: u8 = 6;
    pub const GIVEN: u8 = 15;
    pub const FORK: u8 = 16;
}

/// One order: after `skip` more such frames, `times` of them meet the deed.
struct Rule {
    which: Which,
    skip: u64,
    times: u64,
    deed: Deed,
}

/// What the line is told, and what it has seen.
struct Orders {
    target: SocketAddr,
    weather: Weather,
    rules: Vec<Rule>,
    /// Bytes a second in each direction; none: as fast as it goes.
    bytes_per_s: Option<u32>,
    /// Ends every connection when replaced.
    era: CancellationToken,
    dialled: u64,
    deeds_done: u64,
    frames: Vec<(Way, Option<u8>)>,
}

/// Frames remembered for `seen`, at most; a long test does not ask.
const FRAMES_REMEMBERED_MAX: usize = 100_000;

impl Orders {
    /// What becomes of this frame.
    fn judge(&mut self, way: Way, kind: Option<u8>) -> Option<Deed> {
        if self.frames.len() < FRAMES_REMEMBERED_MAX {
            self.frames.push((way, kind));
        }
        let rule = self.rules.iter_mut().find(|rule| {
            rule.times > 0
                && rule.which.way == way
                && (rule.which.kind.is_none() || rule.which.kind == kind)
        })?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        self.deeds_done += 1;
        Some(rule.deed)
    }
}

type Shared = Arc<Mutex<Orders>>;

/// The line. Dropped, it is gone with every connection.
pub struct Line {
    address: SocketAddr,
    orders: Shared,
    _tasks: JoinSet<()>,
}

impl Line {
    /// A line to this address, in fair weather.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let orders = Arc::new(Mutex::new(Orders {
            target,
            weather: Weather::Fair,
            rules: Vec::new(),
            bytes_per_s: None,
            era: CancellationToken::new(),
            dialled: 0,
            deeds_done: 0,
            frames: Vec::new(),
        }));
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, Arc::clone(&orders)));
        Self {
            address,
            orders,
            _tasks: tasks,
        }
    }

    /// A line to nobody yet.
    pub async fn to_nobody() -> Self {
        let line = Self::to(([127, 0, 0, 1], 9).into()).await;
        line.becomes(Weather::Refused);
        line
    }

    /// Where to dial.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same for a browser or a box.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// New connections go here from now on.
    pub fn leads_to(&self, target: SocketAddr) {
        self.tell(|orders| orders.target = target);
    }

    /// What whoever dials meets from now on; connections that are open go on.
    pub fn becomes(&self, weather: Weather) {
        self.tell(|orders| orders.weather = weather);
    }

    /// Resets every connection, and refuses new ones until it `heals`.
    pub fn cut(&self) {
        self.becomes(Weather::Refused);
        self.break_off();
    }

    /// Fair weather again, without rules and at full speed.
    pub fn heals(&self) {
        self.tell(|orders| {
            orders.weather = Weather::Fair;
            orders.rules.clear();
            orders.bytes_per_s = None;
        });
    }

    /// Resets every connection that is open now.
    pub fn break_off(&self) {
        self.tell(|orders| {
            std::mem::replace(&mut orders.era, CancellationToken::new()).cancel();
        });
    }

    /// After `skip` more of these frames, `times` of them meet this deed.
    pub fn deed(&self, which: Which, skip: u64, times: u64, deed: Deed) {
        self.tell(|orders| {
            orders.rules.push(Rule {
                which,
                skip,
                times,
                deed,
            });
        });
    }

    /// No faster than so many bytes a second in each direction.
    pub fn throttle(&self, bytes_per_s: u32) {
        self.tell(|orders| orders.bytes_per_s = Some(bytes_per_s));
    }

    /// How often it was dialled.
    pub fn dialled(&self) -> u64 {
        self.orders.lock().unwrap().dialled
    }

    /// How many frames met a deed.
    pub fn deeds_done(&self) -> u64 {
        self.orders.lock().unwrap().deeds_done
    }

    /// How many such frames began to pass.
    pub fn seen(&self, which: Which) -> usize {
        let orders = self.orders.lock().unwrap();
        let same = |(way, kind): &&(Way, Option<u8>)| {
            *way == which.way && (which.kind.is_none() || which.kind == *kind)
        };
        orders.frames.iter().filter(same).count()
    }

    /// Waits until so many frames met a deed.
    pub async fn has_done(&self, deeds: u64) {
        let done = async || (self.deeds_done() >= deeds).then_some(());
        until("the line did what it was told", SOON, done).await;
    }

    fn tell(&self, order: impl FnOnce(&mut Orders)) {
        order(&mut self.orders.lock().unwrap());
    }
}

async fn listen(listener: TcpListener, orders: Shared) {
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        while open.try_join_next().is_some() {}
        let (weather, target, era) = {
            let mut orders = orders.lock().unwrap();
            orders.dialled += 1;
            (orders.weather.clone(), orders.target, orders.era.clone())
        };
        let orders = Arc::clone(&orders);
        open.spawn(async move {
            // Whoever is cut off in between sees a reset.
            era.run_until_cancelled(meet(stream, weather, target, orders))
                .await;
        });
    }
}

async fn meet(stream: TcpStream, weather: Weather, target: SocketAddr, orders: Shared) {
    // Dropped with a zero linger, a connection ends with a reset and not with an end.
    let _ = stream.set_zero_linger();
    let _ = stream.set_nodelay(true);
    match weather {
        Weather::Refused => {}
        Weather::Silent => std::future::pending().await,
        Weather::Portal => portal(stream).await,
        Weather::Fair => {
            let Ok(far) = dial(target).await else { return };
            pump::both(stream, far, orders).await;
        }
        Weather::Behind(certificate) => {
            let Ok(near) = certificate.accept(stream).await else {
                return;
            };
            let Ok(far) = dial(target).await else { return };
            pump::both(near, far, orders).await;
        }
    }
}

async fn dial(target: SocketAddr) -> std::io::Result<TcpStream> {
    let far = TcpStream::connect(target).await?;
    far.set_zero_linger()?;
    far.set_nodelay(true)?;
    Ok(far)
}

/// What a hotel's network says to everything.
async fn portal(mut stream: TcpStream) {
    const PAGE: &str =
        "<!doctype html><title>Welcome to Hotel Wi-Fi</title><form>Room number</form>";
    let mut asked = [0; 4_096];
    let _ = stream.read(&mut asked).await;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{PAGE}",
        PAGE.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    // Until the other side has read it: a reset would throw it away.
    while matches!(stream.read(&mut asked).await, Ok(1..)) {}
}

#[cfg(test)]
mod tests;
