//! `/metrics`: numbers for Prometheus, in its text format. No number names anybody.

mod box_health;

use std::fmt::Write;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::auth::Bearer;
use super::edge::Edge;
use super::listen::Peer;
use super::problem::Problem;
use crate::domain::{LinkReport, LinkState, LinkTrouble, Timestamp};
use crate::store::{self, CommandError, Condition};

/// Numbers for Prometheus; for this machine, or with an admin's token.
pub(super) async fn metrics(
    State(edge): State<Edge>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    bearer: Result<Bearer, Problem>,
) -> Result<Response, Problem> {
    if !peer.is_this_machine(&headers) {
        let Bearer(who) = bearer?;
        edge.read_as(who, |_, actor| Ok(actor.must_be_admin()?))
            .await?;
    }
    let head = edge
        .store
        .read(|view| -> Result<_, CommandError> { Ok(store::head(view)?) })
        .await?;
    let (chats, watchers) = edge.hub.sockets();
    let condition = match edge.store.condition() {
        Condition::Sound => 0,
        Condition::Full => 1,
        Condition::Failing => 2,
    };
    let mut text = Text::default();
    text.gauge(
        "motoreach_journal_entries",
        "Entries in the journal.",
        head.seq.0,
    );
    text.begin("motoreach_sockets", "gauge", "Open WebSockets.");
    text.value("motoreach_sockets{kind=\"chat\"}", chats);
    text.value("motoreach_sockets{kind=\"notifications\"}", watchers);
    text.gauge(
        "motoreach_store_condition",
        "0: everything is written, 1: the disk is full, 2: the disk reports errors.",
        condition,
    );
    let figures = edge.health.figures().await?;
    box_health::told(&mut text, &figures, &edge.health.commits());
    link(
        &mut text,
        &edge.hub.link().report(),
        edge.store.clock().now(),
    );
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text.0).into_response())
}

/// The link to the relay. Counters count since this program started, unless they say otherwise.
fn link(text: &mut Text, report: &LinkReport, now: Timestamp) {
    let state = match report.state {
        LinkState::Unpaired => 0,
        LinkState::Connecting | LinkState::Waiting { .. } => 1,
        LinkState::Online => 2,
        LinkState::Stopped(_) => 3,
    };
    text.gauge(
        "motoreach_link_state",
        "0: no relay is set up, 1: not reached, 2: online, 3: the relay said no.",
        state,
    );
    text.gauge(
        "motoreach_link_up",
        "1 while the relay answers.",
        u8::from(report.is_online()),
    );
    text.gauge(
        "motoreach_link_backlog_entries",
        "Entries that the relay does not have yet.",
        report.waiting_entries,
    );
    text.gauge(
        "motoreach_link_backlog_messages",
        "Messages among them.",
        report.waiting_messages,
    );
    // A clock that was put right in between makes no time negative.
    let oldest_ms = report
        .oldest_waiting
        .map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
    text.gauge(
        "motoreach_link_backlog_oldest_seconds",
        "Age of the oldest of them.",
        oldest_ms / 1_000,
    );
    let name = "motoreach_link_reconnects_total";
    text.begin(name, "counter", "Lines that went or never came, by reason.");
    for trouble in LinkTrouble::ALL {
        let labelled = format!("{name}{{reason=\"{}\"}}", trouble.word());
        text.value(&labelled, report.reconnects.of(trouble));
    }
    for (name, help, value) in [
        (
            "motoreach_link_sessions_total",
            "Sessions that the relay welcomed.",
            report.sessions,
        ),
        (
            "motoreach_link_quarantines_total",
            "How often the relay saw two copies of this box.",
            report.quarantines,
        ),
        (
            "motoreach_link_bad_posts_total",
            "Posts that were not what they claimed to be.",
            report.bad_posts,
        ),
        (
            "motoreach_link_forks_total",
            "Copies that were brought together, over the life of the database.",
            report.forks,
        ),
        (
            "motoreach_link_recovered_entries_total",
            "Entries that came back with them, over the life of the database.",
            report.recovered,
        ),
        (
            "motoreach_link_post_gaps_total",
            "Posts that owners' devices counted and that never came here.",
            report.post_gaps,
        ),
    ] {
        text.begin(name, "counter", help);
        text.value(name, value);
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, labelled: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{labelled} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.begin(name, "gauge", help);
        self.value(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_told_in_numbers() {
        let mut report = LinkReport {
            state: LinkState::Waiting {
                retry_at: Timestamp(0),
                why: LinkTrouble::Tls,
            },
            waiting_entries: 7,
            oldest_waiting: Some(Timestamp(1_000)),
            ..LinkReport::unpaired(Timestamp(0))
        };
        report.reconnects.add(LinkTrouble::Tls);
        let mut text = Text::default();
        link(&mut text, &report, Timestamp(62_500));
        for line in [
            "motoreach_link_state 1",
            "motoreach_link_up 0",
            "motoreach_link_backlog_entries 7",
            "motoreach_link_backlog_oldest_seconds 61",
            "motoreach_link_reconnects_total{reason=\"tls\"} 1",
            "motoreach_link_reconnects_total{reason=\"silent\"} 0",
        ] {
            assert!(text.0.lines().any(|it| it == line), "{line}\n{}", text.0);
        }
        // Each name is explained once, before its first value.
        for line in text.0.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let help = format!("# HELP {name} ");
            assert_eq!(text.0.matches(&help).count(), 1, "{name}");
        }
    }
}
