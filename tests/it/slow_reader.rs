//! A reader that stops reading is cut and resumes; nobody waits for it (invariant 7).

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{Workshop, number, text};
use crate::resume::resumed;
use crate::socket::{Socket, V1};

/// A connection whose end here takes in as little as the system allows.
async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    socket.connect(address).await.unwrap()
}

async fn narrow_socket(workshop: &Workshop, path: &str, protocol: Option<&str>) -> Socket {
    let stream = narrow(workshop.address()).await;
    let offer: Vec<_> = protocol
        .map(|protocol| ("sec-websocket-protocol", protocol))
        .into_iter()
        .collect();
    Socket::open_on(stream, workshop.address(), path, &offer)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_cut_with_4408_and_resumes_losing_nothing() {
    const MESSAGES: usize = 400;
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let path = format!("/ws/service-chat/{}/?token={}", asha.request, asha.token);
    let mut slow = narrow_socket(&workshop, &path, Some(V1)).await;
    let hello = slow.hear_a("chat.hello").await;
    slow.hear_a("chat.history").await;

    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    let words = "a message of nearly eight thousand characters ".repeat(170);
    for _ in 0..MESSAGES {
        desk.post(&words).await;
        desk.until("chat.ack").await;
    }
    let mut seen = Vec::new();
    let code = loop {
        match slow.next().await {
            Ok(frame) if frame["type"] == "chat.message" => seen.push(number(&frame["id"])),
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert_eq!(code, 4408);
    assert!(seen.len() < MESSAGES, "it was cut before the end");
    let after = seen.last().map_or(hello["rev"].to_string(), i64::to_string);
    let log = text(&hello["log"]);
    let (mut phone, _) = resumed(&workshop, asha.request, &asha.token, &after, &log).await;
    while seen.len() < MESSAGES {
        seen.push(number(&phone.hear_a("chat.message").await["id"]));
    }
    let stored = workshop.messages(asha.request, &asha.token).await;
    let stored: Vec<_> = stored
        .iter()
        .map(|message| number(&message["id"]))
        .collect();
    assert_eq!(seen, stored, "each once, in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_not_kept_waiting_by_readers_that_never_read() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let path = format!("/ws/service-chat/{}/?token={}", asha.request, asha.token);
    let mut deaf = Vec::new();
    for protocol in [Some(V1), Some(V1), None, Some(V1), None] {
        deaf.push(
            narrow_socket(&workshop, &path, protocol)
                .await
                .into_stream(),
        );
    }
    let (mut desk, ..) = workshop.greeted(asha.request, &workshop.admin.token).await;
    let words = "x".repeat(8_000);
    let mut asha_left = false;
    for at in 0..300 {
        let id = desk.post(&format!("{at}{}", &words[4..])).await;
        loop {
            let heard = desk.hear().await;
            asha_left |= is_asha_leaving(&heard);
            if heard["type"] == "chat.ack" && heard["client_id"] == json!(id) {
                break;
            }
        }
    }
    // Their places are free again.
    if !asha_left {
        desk.until_that(is_asha_leaving).await;
    }
}

fn is_asha_leaving(frame: &Value) -> bool {
    frame["type"] == "chat.presence" && frame["name"] == "Asha Nair" && frame["online"] == false
}
