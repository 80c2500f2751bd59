//! The rules as tables, then the middleware as a router sees it.

use axum::Router;
use axum::body::Body;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use http::StatusCode;

use super::super::headers::secure;
use super::*;

const LAN: &str = "192.168.1.9:50000";
const HERE: &str = "127.0.0.1:50000";

#[test]
fn the_box_answers_only_to_its_own_names() {
    for (remote, local, host, status) in [
        (HERE, "127.0.0.1:80", "localhost", 0),
        (HERE, "127.0.0.1:80", "LOCALHOST:8080", 0),
        (HERE, "127.0.0.1:80", "[::1]", 0),
        (HERE, "127.0.0.1:80", "127.0.0.2", 421),
        (HERE, "127.0.0.1:80", "motoreach.local.", 0),
        (LAN, "192.168.1.5:80", "192.168.1.5", 0),
        (LAN, "192.168.1.5:80", "192.168.1.5:80", 0),
        (LAN, "[::ffff:192.168.1.5]:80", "192.168.1.5", 0),
        (LAN, "192.168.1.5:80", "192.168.1.6", 421),
        (LAN, "192.168.1.5:80", "localhost", 421),
        (LAN, "192.168.1.5:80", "127.0.0.1", 421),
        (LAN, "192.168.1.5:80", "[::1]", 421),
        (LAN, "192.168.1.5:80", "pi.workshop.example", 0),
        (LAN, "192.168.1.5:80", "pi.local", 0),
        (LAN, "192.168.1.5:80", "pi.workshop.example.local", 0),
        (LAN, "192.168.1.5:80", "pi.evil.example", 421),
        (LAN, "192.168.1.5:80", "motoreach-12.local", 0),
        (LAN, "192.168.1.5:80", "motoreach-x.local", 421),
        (LAN, "192.168.1.5:80", "motoreach-.local", 421),
        (LAN, "192.168.1.5:80", "box.example", 0),
        (LAN, "192.168.1.5:80", "evil.example", 421),
        (LAN, "192.168.1.5:80", "motoreach.local.evil.example", 421),
        (LAN, "192.168.1.5:80", "a@motoreach.local", 400),
        (LAN, "192.168.1.5:80", "", 400),
    ] {
        let peer = Peer {
            remote: remote.parse().unwrap(),
            local: local.parse().unwrap(),
        };
        let headers = headers(&[("host", host)]);
        let answer = guard().host(&Uri::from_static("/"), &headers, peer);
        assert_eq!(
            answer.map_or_else(|problem| problem.status().as_u16(), |_| 0),
            status,
            "{host}"
        );
    }
}

#[test]
fn a_request_names_one_host_and_the_same_one_everywhere() {
    let peer = Peer {
        remote: HERE.parse().unwrap(),
        local: "127.0.0.1:80".parse().unwrap(),
    };
    let status = |uri: &'static str, hosts: &[&str]| {
        let hosts: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        let answer = guard().host(&Uri::from_static(uri), &headers(&hosts), peer);
        answer.map_or_else(|problem| problem.status().as_u16(), |_| 0)
    };
    assert_eq!(status("/", &[]), 400);
    assert_eq!(status("/", &["localhost", "localhost"]), 400);
    assert_eq!(status("http://LOCALHOST/", &["localhost"]), 0);
    assert_eq!(status("http://evil.example/", &["localhost"]), 400);
}

#[test]
fn only_our_own_page_or_a_configured_one_may_change_something() {
    let host = RequestHost(Authority::parse("motoreach.local").unwrap());
    for (sent, fine) in [
        (&[][..], true),
        (&[("origin", "http://motoreach.local")], true),
        (&[("origin", "https://motoreach.local")], true),
        (&[("origin", "https://app.example")], true),
        (&[("origin", "https://app.example:443")], true),
        (&[("origin", "http://app.example")], false),
        (&[("origin", "http://motoreach.local:8080")], false),
        (&[("origin", "http://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("origin", "")], false),
        (
            &[
                ("origin", "http://motoreach.local"),
                ("origin", "http://evil.example"),
            ],
            false,
        ),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "none")], true),
        (
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://app.example"),
            ],
            true,
        ),
    ] {
        assert_eq!(
            guard().origin(&headers(sent), &host).is_ok(),
            fine,
            "{sent:?}"
        );
    }
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused() {
    let names = |name: &str| GuardConfig {
        names: vec![name.into()],
        ..GuardConfig::default()
    };
    let origins = |origin: &str| GuardConfig {
        origins: vec![origin.into()],
        ..GuardConfig::default()
    };
    for wrong in [
        names("http://box"),
        names("box:80"),
        names("*"),
        origins("*"),
        origins("app.example"),
    ] {
        assert!(Guard::new(&wrong, None).is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn cors_headers_are_for_configured_front_ends_only() {
    let app = answer(Method::GET, &[("origin", "https://app.example")]).await;
    assert_eq!(
        app.headers()["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(app.headers()["access-control-allow-credentials"], "true");

    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "PATCH"),
    ];
    let preflight = answer(Method::OPTIONS, &asked).await;
    assert_eq!(preflight.status(), StatusCode::OK);
    assert!(
        preflight.headers()["access-control-allow-methods"]
            .to_str()
            .unwrap()
            .contains("PATCH")
    );

    for method in [Method::GET, Method::OPTIONS] {
        let foreign = answer(method, &[("origin", "https://evil.example")]).await;
        let cors = foreign
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("access-control"));
        assert!(!cors, "{foreign:?}");
    }
}

#[tokio::test]
async fn a_foreign_page_can_neither_post_nor_open_a_socket() {
    let origin = ("origin", "https://evil.example");
    assert_eq!(
        answer(Method::POST, &[origin]).await.status(),
        StatusCode::FORBIDDEN
    );
    let upgrade = answer(Method::GET, &[origin, ("upgrade", "websocket")]).await;
    assert_eq!(upgrade.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        answer(Method::GET, &[origin]).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_refusals_too() {
    let fine = answer(Method::GET, &[]).await;
    let policy = fine.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("connect-src 'self' ws://motoreach.local wss://motoreach.local;"));
    assert!(policy.contains("frame-ancestors 'none'"));

    let refused = answer(Method::GET, &[("host", "second.example")]).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let policy = refused.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.contains("connect-src 'self';"), "{policy}");

    for headers in [fine.headers(), refused.headers()] {
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert!(headers.contains_key("permissions-policy"));
        assert!(!headers.contains_key("server"));
    }
}

async fn answer(method: Method, sent: &[(&str, &str)]) -> Response {
    let router = Router::new()
        .route("/", get(async || "fine").post(async || "changed"))
        .layer(from_fn_with_state(Arc::new(guard()), check))
        .layer(from_fn(secure));
    let mut request = Request::builder()
        .method(method)
        .header("host", "motoreach.local");
    for (name, value) in sent {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let peer = Peer {
        remote: LAN.parse().unwrap(),
        local: "192.168.1.5:80".parse().unwrap(),
    };
    request.extensions_mut().insert(peer);
    router.oneshot(request).await.unwrap()
}

fn guard() -> Guard {
    let config = GuardConfig {
        names: vec!["Box.example".into()],
        origins: vec!["https://App.example".into()],
        ..GuardConfig::default()
    };
    Guard::new(&config, Some("pi.workshop.example\n".trim())).unwrap()
}

fn headers(sent: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
    let mut headers = HeaderMap::new();
    for (name, value) in sent.iter().map(pair) {
        let (name, value): (HeaderName, HeaderValue) = (name, value);
        headers.append(name, value);
    }
    headers
}
