//! Pages of other sites and names of other machines (quality.md §1.4, §1.5, S6).

use motoreach::appliance::MessageLimits;
use motoreach::config::Config;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{PASSWORD, Workshop, on_loopback};
use crate::socket::{Socket, V1};

const FOREIGN: [&str; 9] = [
    "null",
    "http://evil.example",
    "https://127.0.0.1.evil.example",
    "http://127.0.0.1:1",
    "http://127.0.0.2",
    "http://localhost.evil.example",
    "file://",
    "chrome-extension://abcdef",
    "",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_box_answers_only_to_its_own_names() {
    let config = Config {
        hosts: vec!["box.sharma.example".to_owned()],
        ..on_loopback()
    };
    let workshop = Workshop::open_with(config, MessageLimits::Off).await;
    let port = workshop.address().port();
    for host in [
        format!("127.0.0.1:{port}"),
        "127.0.0.1".to_owned(),
        format!("localhost:{port}"),
        "LOCALHOST".to_owned(),
        "[::1]".to_owned(),
        "motoreach.local".to_owned(),
        "MotoReach.local.".to_owned(),
        "motoreach-2.local".to_owned(),
        "box.sharma.example".to_owned(),
        "box.sharma.example:8443".to_owned(),
    ] {
        let answer = workshop.ask("GET", "/api/setup/").host(&host).send().await;
        assert_eq!(answer.status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "127.0.0.1.nip.io",
        "127.0.0.2",
        "0.0.0.0",
        "192.168.1.10",
        "motoreach.local.evil.example",
        "motoreach.example",
        "other.sharma.example",
    ] {
        for path in [
            "/",
            "/api/setup/",
            "/healthz",
            "/metrics",
            "/ws/notifications/",
        ] {
            let answer = workshop.ask("GET", path).host(host).send().await;
            assert_eq!(answer.status, 421, "{host} {path}");
            answer.problem(421, "foreign_host");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_exactly_one_host() {
    let workshop = Workshop::open().await;
    let host = workshop.address();
    for hosts in [
        String::new(),
        "Host: \r\n".to_owned(),
        format!("Host: {host}\r\nHost: {host}\r\n"),
        format!("Host: {host}\r\nHost: evil.example\r\n"),
        "Host: a b\r\n".to_owned(),
        format!("Host: user@{host}\r\n"),
    ] {
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!("GET /api/setup/ HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{hosts:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_change_nothing_and_open_no_socket() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let messages = format!("/api/service-requests/{}/messages/", asha.request);
    let login = json!({"username": "priya", "password": PASSWORD});
    for origin in FOREIGN {
        let post = workshop
            .ask("POST", &messages)
            .token(&asha.token)
            .field("Origin", origin)
            .json(&json!({"content": "from elsewhere"}));
        let answer = post.send().await;
        answer.problem(403, "foreign_origin");
        assert_eq!(answer.field("access-control-allow-origin"), None);
        let sign_in = workshop
            .ask("POST", "/api/auth/login/")
            .field("Origin", origin)
            .json(&login);
        sign_in.send().await.problem(403, "foreign_origin");
        let refresh = workshop
            .ask("POST", "/api/auth/token/refresh/")
            .field("Origin", origin)
            .field("Cookie", &workshop.admin.cookie);
        refresh.send().await.problem(403, "foreign_origin");
        for path in [
            format!("/ws/service-chat/{}/?token={}", asha.request, asha.token),
            format!("/ws/notifications/?token={}", asha.token),
        ] {
            let offer = [("origin", origin), ("sec-websocket-protocol", V1)];
            let refused = Socket::open(workshop.address(), &path, &offer).await;
            let Err(error) = refused else {
                panic!("{origin} opened {path}")
            };
            let Error::Http(answer) = *error else {
                panic!("{origin}: {error}")
            };
            assert_eq!(answer.status(), 403, "{origin} {path}");
        }
        // Reading is harmless without CORS headers: the page may not look at it.
        let read = workshop
            .ask("GET", "/api/setup/")
            .field("Origin", origin)
            .send()
            .await;
        assert_eq!(read.expect(200).field("access-control-allow-origin"), None);
    }
    let cross_site = workshop
        .ask("POST", &messages)
        .token(&asha.token)
        .field("Sec-Fetch-Site", "cross-site")
        .json(&json!({"content": "x"}));
    cross_site.send().await.problem(403, "foreign_origin");
    let history = workshop.messages(asha.request, &asha.token).await;
    assert!(history.is_empty(), "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_page_may_do_everything() {
    let workshop = Workshop::open().await;
    let asha = &workshop.asha;
    let origin = format!("http://{}", workshop.address());
    let messages = format!("/api/service-requests/{}/messages/", asha.request);
    let post = workshop
        .ask("POST", &messages)
        .token(&asha.token)
        .field("Origin", &origin)
        .field("Sec-Fetch-Site", "same-origin")
        .json(&json!({"content": "x"}));
    post.send().await.expect(201);
    let path = format!("/ws/notifications/?token={}", asha.token);
    let offer = [("origin", origin.as_str())];
    let mut socket = Socket::open(workshop.address(), &path, &offer)
        .await
        .unwrap();
    socket.hear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_front_end_may_call_from_its_own_origin() {
    let front_end = "https://app.sharma.example";
    let config = Config {
        origins: vec![front_end.to_owned()],
        ..on_loopback()
    };
    let workshop = Workshop::open_with(config, MessageLimits::Off).await;
    let asha = &workshop.asha;
    let messages = format!("/api/service-requests/{}/messages/", asha.request);
    let preflight = workshop
        .ask("OPTIONS", &messages)
        .field("Origin", front_end)
        .field("Access-Control-Request-Method", "POST")
        .field(
            "Access-Control-Request-Headers",
            "authorization,content-type",
        )
        .send()
        .await
        .expect(200);
    assert_eq!(
        preflight.field("access-control-allow-origin"),
        Some(front_end)
    );
    let allowed = preflight.field("access-control-allow-headers").unwrap();
    for header in ["authorization", "content-type"] {
        assert!(allowed.contains(header), "{allowed}");
    }
    let post = workshop
        .ask("POST", &messages)
        .token(&asha.token)
        .field("Origin", front_end)
        .json(&json!({"content": "x"}));
    let answer = post.send().await.expect(201);
    assert_eq!(answer.field("access-control-allow-origin"), Some(front_end));
    let path = format!("/ws/notifications/?token={}", asha.token);
    let offer = [("origin", front_end)];
    let mut socket = Socket::open(workshop.address(), &path, &offer)
        .await
        .unwrap();
    socket.hear().await;
    for other in [
        "http://app.sharma.example",
        "https://app.sharma.example:444",
        "https://evil.app.sharma.example",
        "https://app.sharma.example.evil.example",
        "null",
    ] {
        let post = workshop
            .ask("POST", &messages)
            .token(&asha.token)
            .field("Origin", other)
            .json(&json!({"content": "x"}));
        let answer = post.send().await;
        answer.problem(403, "foreign_origin");
        assert_eq!(answer.field("access-control-allow-origin"), None);
        let offer = [("origin", other)];
        assert!(
            Socket::open(workshop.address(), &path, &offer)
                .await
                .is_err()
        );
    }
}
