//! An owner's page as the relay meets it: it shows its link, reads its thread, and writes sealed posts.

use std::net::SocketAddr;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::crowd::Client;
use super::served::socket;
use crate::clock::Clock;
use crate::domain::{DeviceId, EventId, InviteId};
use crate::seal::{self, InviteSecret, Key, SealContext, ThreadKeys};
use crate::wire::owner::OWNER_PROTOCOL;

/// Ten thousand pages share this process: each reads into little.
const READ_BUFFER_BYTES: usize = 2 * 1024;

/// What an owner was given.
pub(super) struct OwnersLink {
    pub(super) relay: SocketAddr,
    /// Whose it is; its address comes of it.
    pub(super) number: usize,
    pub(super) invite: InviteId,
    pub(super) secret: InviteSecret,
}

/// A page that is open.
pub(super) struct Page {
    socket: WebSocketStream<TcpStream>,
    device: DeviceId,
    workshop: Uuid,
    thread: Uuid,
    epoch: u16,
    post_key: Key,
    posts: u32,
}

/// What the relay says, as far as a page here cares.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Said {
    #[serde(rename = "hello")]
    Hello {
        workshop: Uuid,
        thread: Uuid,
        wraps: Vec<Wrapped>,
    },
    #[serde(rename = "entries")]
    Entries { entries: Vec<Entry>, more: bool },
    #[serde(rename = "stored")]
    Stored { id: Uuid },
    #[serde(rename = "error", alias = "gone", alias = "refused")]
    Refused {
        #[serde(alias = "why")]
        code: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Wrapped {
    epoch: u16,
    wrapped: String,
}

#[derive(Deserialize)]
struct Entry {
    id: Uuid,
}

impl OwnersLink {
    /// The link of an address such as `http://box/o/<invite>#<secret>`, at a relay.
    pub(super) fn parse(relay: SocketAddr, number: usize, url: &str) -> anyhow::Result<Self> {
        let (path, fragment) = url.split_once('#').context("a link without a secret")?;
        let (_, invite) = path.rsplit_once('/').context("a link without an id")?;
        let invite: [u8; 16] = BASE64
            .decode(invite)?
            .try_into()
            .ok()
            .context("a link's id")?;
        Ok(Self {
            relay,
            number,
            invite: InviteId::from_bytes(invite),
            secret: InviteSecret::from_fragment(fragment).context("a link's secret")?,
        })
    }

    /// Opens the page and reads its thread to the end.
    pub(super) async fn open(&self) -> anyhow::Result<Page> {
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let path = format!("/ws/owner/{}/", BASE64.encode(self.invite.as_bytes()));
        let mut socket = socket(self.relay, self.number, &path, OWNER_PROTOCOL, config).await?;
        let device = DeviceId::new(Uuid::now_v7());
        let auth = BASE64.encode(self.secret.auth());
        let shown = json!({ "type": "auth", "auth": auth, "device": device.uuid() });
        socket.send(Message::Text(shown.to_string().into())).await?;
        let Said::Hello {
            workshop,
            thread,
            wraps,
        } = said(&mut socket).await?
        else {
            anyhow::bail!("the relay did not say hello");
        };
        let newest = wraps.iter().max_by_key(|wrap| wrap.epoch);
        let Wrapped { epoch, wrapped } = newest.context("a link without a key")?;
        let wrapped = BASE64.decode(wrapped)?;
        let invite = *self.invite.as_bytes();
        let key = self.secret.unwrap(&wrapped, invite, *epoch)?;
        let keys = ThreadKeys::from_thread_key(key);
        let mut page = Page {
            socket,
            device,
            workshop,
            thread,
            epoch: *epoch,
            post_key: self.secret.post_key(&keys, invite),
            posts: 0,
        };
        while page.next().await?.more {}
        Ok(page)
    }
}

/// A stretch of the thread.
struct Stretch {
    ids: Vec<Uuid>,
    more: bool,
}

impl Page {
    /// Says something; gives its id once the relay has it on disk.
    pub(super) async fn post(&mut self) -> anyhow::Result<EventId> {
        let id = EventId::new(Uuid::now_v7());
        self.posts += 1;
        let words = json!({ "seq": self.posts, "content": "When can I have it back?" });
        let now = Clock::system().now();
        let plain = seal::plain(now.0, *self.device.as_bytes(), words.to_string().as_bytes());
        let context = SealContext {
            workshop: *self.workshop.as_bytes(),
            thread: Some(*self.thread.as_bytes()),
            event: *id.as_bytes(),
            kind: "message",
        };
        let sealed = BASE64.encode(seal::seal(&self.post_key, &context, &plain));
        let post = json!({
            "type": "post", "id": id.uuid(), "kind": "message", "epoch": self.epoch,
            "sealed": sealed,
        });
        let post = Message::Text(post.to_string().into());
        self.socket.send(post).await?;
        while !matches!(self.said().await?, Said::Stored { id: kept } if kept == id.uuid()) {}
        Ok(id)
    }

    /// Waits until the journal of the thread shows an event.
    pub(super) async fn until(&mut self, id: Uuid) -> anyhow::Result<()> {
        while !self.next().await?.ids.contains(&id) {}
        Ok(())
    }

    async fn next(&mut self) -> anyhow::Result<Stretch> {
        loop {
            if let Said::Entries { entries, more } = self.said().await? {
                let ids = entries.into_iter().map(|entry| entry.id).collect();
                return Ok(Stretch { ids, more });
            }
        }
    }

    async fn said(&mut self) -> anyhow::Result<Said> {
        said(&mut self.socket).await
    }
}

async fn said(socket: &mut WebSocketStream<TcpStream>) -> anyhow::Result<Said> {
    loop {
        let frame = socket.next().await.context("the relay closed a socket")??;
        if let Message::Text(text) = frame {
            match serde_json::from_str(&text)? {
                Said::Refused { code } => anyhow::bail!("the relay refused a page: {code}"),
                said @ (Said::Hello { .. }
                | Said::Entries { .. }
                | Said::Stored { .. }
                | Said::Other) => return Ok(said),
            }
        }
    }
}

impl Client for OwnersLink {
    async fn stay(
        self,
        coming: OwnedSemaphorePermit,
        leave: CancellationToken,
    ) -> anyhow::Result<Self> {
        let mut page = self.open().await?;
        drop(coming);
        loop {
            // Cancel-safe: a frame is taken whole or not at all.
            tokio::select! {
                said = page.said() => { said?; }
                () = leave.cancelled() => break,
            }
        }
        page.socket.close(None).await?;
        Ok(self)
    }
}
