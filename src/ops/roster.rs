//! Who and what is in the sample workshop, with everything that a test or a script needs to act as
//! them. The shape of `motoreach demo --json`.

use serde::Serialize;
use uuid::Uuid;

use super::execute::grant;
use super::sample;
use crate::domain::{Actor, Role};
use crate::http::token::TokenKeys;
use crate::seal::invite_link;
use crate::store::{Store, StoreError, View, invites, people, requests};
use crate::wire::role_word;

/// Links that are printed; the file has all of them.
pub(super) const REQUESTS_TOLD_MAX: usize = 12;
/// Requests that are read at once.
const REQUESTS_PAGE: i64 = 200;

/// The sample workshop from outside.
#[derive(Serialize)]
pub(super) struct Roster {
    /// The box's address.
    #[serde(rename = "box")]
    pub(super) url: String,
    /// The relay's address, if there is one.
    pub(super) relay: Option<String>,
    /// The relay's process, to be killed for a test; it is started again.
    relay_pid: Option<u32>,
    /// The process to signal.
    pid: u32,
    /// Everybody, by number.
    pub(super) people: Vec<Listed>,
    /// Every request, by number.
    pub(super) requests: Vec<Opened>,
}

/// Somebody of the sample.
#[derive(Serialize)]
pub(super) struct Listed {
    id: i64,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) username: Option<String>,
    password: &'static str,
    token: String,
}

/// A request of the sample.
#[derive(Serialize)]
pub(super) struct Opened {
    pub(super) id: i64,
    owner_id: i64,
    pub(super) status: &'static str,
    pub(super) invite_url: Option<String>,
    /// The same link through the relay.
    pub(super) relay_invite_url: Option<String>,
}

/// The relay that stands beside the sample.
pub(super) struct AtRelay {
    /// What owners' links begin with there.
    pub(super) url: String,
    /// Its process.
    pub(super) pid: u32,
}

/// Everybody and everything, with tokens that live `ttl_s` seconds from now.
pub(super) async fn of(
    store: &Store,
    tokens: &TokenKeys,
    base: &str,
    relay: Option<AtRelay>,
    ttl_s: i64,
) -> anyhow::Result<Roster> {
    let url = base.to_owned();
    let roles = [Role::Admin, Role::Mechanic, Role::Owner];
    let everybody = store.read(move |view| people::list(view, &roles)).await?;
    let now_s = store.clock().now().seconds();
    let people = everybody
        .into_iter()
        .map(|person| Listed {
            id: person.id.0,
            role: role_word(person.role),
            token: tokens.issue(&grant(&person), now_s, ttl_s, Uuid::new_v4()),
            name: person.full_name,
            username: person.username,
            password: sample::PASSWORD,
        })
        .collect();
    let base = base.to_owned();
    let (relay, relay_pid) = match relay {
        Some(AtRelay { url, pid }) => (Some(url), Some(pid)),
        None => (None, None),
    };
    let at_relay = relay.clone();
    let requests = store.read(move |view| opened(view, &base, at_relay.as_deref()));
    let requests = requests.await?;
    Ok(Roster {
        url,
        relay,
        relay_pid,
        pid: std::process::id(),
        people,
        requests,
    })
}

fn opened(view: &View<'_>, base: &str, relay: Option<&str>) -> Result<Vec<Opened>, StoreError> {
    let mut filter = requests::Filter {
        open: None,
        assigned_to: None,
        search: None,
        before: None,
        limit: REQUESTS_PAGE,
    };
    let mut all = Vec::new();
    loop {
        let page = requests::list(view, &Actor::the_box(), &filter)?;
        let Some(last) = page.last() else {
            break;
        };
        filter.before = Some(last.activity);
        for request in page {
            let links = invites::of_request(view, request.id)?;
            let newest = links.iter().rev().find(|invite| invite.revoked.is_none());
            let link = |base: &str| {
                newest.map(|invite| {
                    let secret = view.keys().invite_secret(invite.id);
                    invite_link(base, *invite.id.as_bytes(), &secret)
                })
            };
            all.push(Opened {
                id: request.id.0,
                owner_id: request.owner.id.0,
                status: request.status.word(),
                invite_url: link(base),
                relay_invite_url: relay.and_then(link),
            });
        }
    }
    all.sort_by_key(|request| request.id);
    Ok(all)
}
