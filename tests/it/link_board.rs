//! What staff are shown of the link to the relay, whatever drives it: how it stands, how far the
//! journal has come, which owners are there.

use motoreach::domain::{LinkReport, LinkState, LinkTrouble, RequestId, Seq, Timestamp};
use motoreach::hub::{LinkBoard, StaffDoes};
use serde_json::{Value, json};

use crate::harness::{Workshop, number};
use crate::socket::{Socket, V1};

impl Workshop {
    pub(crate) fn link(&self) -> LinkBoard {
        self.running().link().clone()
    }

    async fn inbox(&self, token: &str) -> Socket {
        let path = format!("/ws/notifications/?token={token}");
        self.socket(&path, Some(V1)).await
    }
}

fn waiting(messages: i64) -> LinkReport {
    LinkReport {
        state: LinkState::Waiting {
            retry_at: Timestamp(1_795_339_900_000),
            why: LinkTrouble::NoNetwork,
        },
        since: Timestamp(1_795_339_800_123),
        waiting_messages: messages,
        waiting_entries: messages + 4,
        oldest_waiting: Some(Timestamp(1_795_339_800_123)),
        ..LinkReport::unpaired(Timestamp(0))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_learn_how_the_link_stands_at_once_and_when_it_changes() {
    let workshop = Workshop::open().await;
    let mut inbox = workshop.inbox(&workshop.ravi.token).await;
    let mut phone = workshop.inbox(&workshop.asha.token).await;
    assert_eq!(inbox.until("link.state").await["state"], "unpaired");
    workshop.link().set(waiting(3));
    let told = inbox.until("link.state").await;
    let expected = json!({"type": "link.state", "state": "waiting", "why": "no_network",
        "since": "2026-11-22T09:30:00.123Z", "waiting_messages": 3,
        "waiting_since": "2026-11-22T09:30:00.123Z"});
    assert_eq!(told, expected);
    let mut other = waiting(3);
    other.reconnects.add(LinkTrouble::NoNetwork);
    // Nothing that is shown changed, so nothing is said.
    workshop.link().set(other);
    workshop.link().set(LinkReport {
        state: LinkState::Online,
        ..waiting(0)
    });
    let told = inbox.until("link.state").await;
    assert_eq!(
        (&told["state"], &told["why"]),
        (&json!("online"), &Value::Null)
    );
    // Owners hear of their messages and of nothing else.
    workshop
        .write(workshop.asha.request, &workshop.admin.token, "Ready.")
        .await;
    assert_eq!(phone.hear().await["type"], "notification.message");
    assert_eq!(phone.hear().await["type"], "requests.changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_staff_are_told_how_far_the_journal_has_come() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    let (mut phone, ..) = workshop.greeted(asha.request, &asha.token).await;
    let written = workshop
        .write(asha.request, &workshop.admin.token, "Ready.")
        .await;
    workshop.link().delivered(Seq(number(&written["id"])));
    assert_eq!(desk.until("chat.message").await["id"], written["id"]);
    assert_eq!(
        desk.hear().await,
        json!({"type": "chat.delivered", "up_to": written["id"]})
    );
    workshop.write(asha.request, &asha.token, "Thanks.").await;
    for content in ["Ready.", "Thanks."] {
        assert_eq!(phone.hear().await["content"], content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_at_the_relay_is_in_the_room_until_the_line_goes() {
    let workshop = Workshop::open().await;
    let (link, request) = (workshop.link(), workshop.asha.request);
    link.set(LinkReport {
        state: LinkState::Online,
        ..waiting(0)
    });
    link.remote_owner(RequestId(request), "Asha Nair", true);
    let (mut desk, hello, _) = workshop.greeted(request, &workshop.admin.token).await;
    let asha = json!({"name": "Asha Nair", "side": "USER"});
    assert!(
        hello["peers"].as_array().unwrap().contains(&asha),
        "{hello}"
    );
    link.remote_typing(RequestId(request));
    let typing = json!({"type": "chat.typing", "name": "Asha Nair", "side": "USER"});
    assert_eq!(desk.hear().await, typing);
    link.set(waiting(0));
    let gone =
        json!({"type": "chat.presence", "side": "USER", "online": false, "name": "Asha Nair"});
    assert_eq!(desk.hear().await, gone);
    // Whoever is not there does not type.
    link.remote_typing(RequestId(request));
    // On the workshop's own network she is here either way.
    let (phone, ..) = workshop.greeted(request, &workshop.asha.token).await;
    assert_eq!(desk.hear().await["online"], true);
    link.remote_owner(RequestId(request), "Asha Nair", true);
    phone.close().await;
    link.remote_owner(RequestId(request), "Asha Nair", false);
    assert_eq!(desk.hear().await, gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_learns_what_staff_do_in_a_thread() {
    let workshop = Workshop::open().await;
    let (link, request) = (workshop.link(), workshop.asha.request);
    let mut moments = link.staff_moments();
    let (mut desk, ..) = workshop.greeted(request, &workshop.admin.token).await;
    let (second, ..) = workshop.greeted(request, &workshop.ravi.token).await;
    let (phone, ..) = workshop.greeted(request, &workshop.asha.token).await;
    assert_eq!(link.staffed(), [RequestId(request)]);
    desk.say(&json!({"type": "chat.typing"})).await;
    let mut heard = Vec::new();
    for _ in 0..2 {
        heard.push(moments.recv().await.unwrap().what);
    }
    for socket in [second, phone, desk] {
        socket.close().await;
    }
    heard.push(moments.recv().await.unwrap().what);
    assert_eq!(
        heard,
        [StaffDoes::Opened, StaffDoes::Typing, StaffDoes::Left]
    );
    assert_eq!(link.staffed(), []);
}
