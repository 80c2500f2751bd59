//! The page of the silence alarm, over plain HTTP.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;

use super::{PATIENCE, Running, secret_key};
use crate::relay::alarm::AlarmStore;
use crate::relay::conformance::pen::Pen;
use crate::seal::auth_sha;
use crate::wire::link::Alarm;

const SECRET: [u8; 32] = [9; 32];

async fn asking(running: &Running) -> Pen {
    let pen = running.workshop(1, &[]).await;
    let alarm = Alarm {
        secret_sha: auth_sha(&SECRET),
        after_ms: 3_600_000,
    };
    let store = &running.relay.store;
    store.set_alarm(pen.fence(), Some(alarm)).await.unwrap();
    pen
}

async fn post(running: &Running, pen: &Pen, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let workshop = BASE64.encode(pen.workshop.as_bytes());
    let body = body.to_string();
    let request = format!(
        "POST /api/alarm/{workshop}/ HTTP/1.1\r\nHost: relay.example\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

fn showing(secret: &[u8; 32], want: &str) -> Value {
    let public = secret_key(7).public_key().to_encoded_point(false);
    json!({
        "secret": BASE64.encode(secret),
        "want": want,
        "endpoint": "https://push.example/1",
        "p256dh": BASE64.encode(public.as_bytes()),
        "auth": BASE64.encode([1; 16]),
    })
}

#[tokio::test]
async fn a_phone_sees_how_the_box_stands_and_is_told_or_not() {
    let running = Running::start();
    let pen = asking(&running).await;
    let (status, stands) = post(&running, &pen, &showing(&SECRET, "look")).await;
    assert_eq!(status, 200, "{stands}");
    assert_eq!(stands["online"], false);
    assert!(stands["silent_since"].is_string());
    assert_eq!(
        (&stands["after_s"], &stands["phones"]),
        (&json!(3600), &json!(0))
    );
    assert_eq!(stands["subscribed"], false);

    let line = running.relay.presence.link_up(pen.workshop);
    let (_, stands) = post(&running, &pen, &showing(&SECRET, "subscribe")).await;
    assert_eq!(
        (&stands["online"], &stands["silent_since"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(
        (&stands["subscribed"], &stands["phones"]),
        (&json!(true), &json!(1))
    );
    drop(line);

    let (_, stands) = post(&running, &pen, &showing(&SECRET, "unsubscribe")).await;
    assert_eq!(
        (&stands["subscribed"], &stands["phones"]),
        (&json!(false), &json!(0))
    );
}

#[tokio::test]
async fn a_link_that_opens_nothing_says_so_whatever_the_reason() {
    let running = Running::start();
    let pen = asking(&running).await;
    let stranger = Pen::new(8);
    let wrong = post(&running, &pen, &showing(&[1; 32], "subscribe")).await;
    let unknown = post(&running, &stranger, &showing(&SECRET, "subscribe")).await;
    assert_eq!(wrong, unknown);
    assert_eq!(
        (wrong.0, &wrong.1["code"]),
        (404, &json!("alarm_link_gone"))
    );
    let phones = running.relay.store.phones(pen.workshop).await.unwrap();
    assert_eq!(phones, []);
}

#[tokio::test]
async fn a_browser_that_cannot_be_pushed_to_is_not_taken() {
    let running = Running::start();
    let pen = asking(&running).await;
    for (field, value) in [("endpoint", "http://push.example/1"), ("auth", "AAAA")] {
        let mut asked = showing(&SECRET, "subscribe");
        asked[field] = json!(value);
        let (status, problem) = post(&running, &pen, &asked).await;
        assert_eq!(status, 422, "{problem}");
    }
}
