//! Files as `build.rs` leaves them in, answers out.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;

use super::*;

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[tokio::test]
async fn a_file_is_gzipped_for_who_takes_it_and_plain_for_who_does_not() {
    let gzipped = get(
        "/assets/app-1a2b.js",
        &[("accept-encoding", "br, GZIP;q=0.5")],
    );
    assert_eq!(gzipped.headers()["content-encoding"], "gzip");
    assert_eq!(
        gzipped.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert_eq!(
        gzipped.headers()["cache-control"],
        "public, max-age=31536000, immutable"
    );
    assert_eq!(gzipped.headers()["vary"], "accept-encoding");
    let tag = gzipped.headers()["etag"].clone();
    assert_eq!(unpack(&body(gzipped).await).unwrap(), "let a;");

    for refused in [
        &[][..],
        &[("accept-encoding", "gzip;q=0")],
        &[("accept-encoding", "br")],
    ] {
        let plain = get("/assets/app-1a2b.js", refused);
        assert!(!plain.headers().contains_key("content-encoding"));
        assert_ne!(plain.headers()["etag"], tag);
        assert_eq!(body(plain).await, "let a;");
    }
}

#[tokio::test]
async fn what_the_browser_holds_is_not_sent_again() {
    let accept = ("accept-encoding", "gzip");
    let tag = get("/assets/app-1a2b.js", &[accept]).headers()["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    for held in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".into(),
    ] {
        let answer = get("/assets/app-1a2b.js", &[accept, ("if-none-match", &held)]);
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{held}");
        assert!(body(answer).await.is_empty());
    }
    // The plain form has another tag.
    assert_eq!(
        get("/assets/app-1a2b.js", &[("if-none-match", &tag)]).status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn head_says_what_get_would_send() {
    let headers = HeaderMap::new();
    let head = assets().answer(&Method::HEAD, &Uri::from_static("/logo.png"), &headers);
    assert_eq!(head.headers()["content-length"], "3");
    assert_eq!(head.headers()["content-type"], "image/png");
    assert_eq!(head.headers()["cache-control"], "no-cache");
    assert!(!head.headers().contains_key("vary"));
    assert!(body(head).await.is_empty());
}

#[tokio::test]
async fn paths_of_the_app_get_its_page_which_is_never_kept() {
    for path in [
        "/",
        "/index.html",
        "/requests/7",
        "/o/abc",
        "/assetsandmore",
    ] {
        let page = get(path, &[("accept", HTML)]);
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert_eq!(page.headers()["cache-control"], "no-store");
        assert_eq!(body(page).await, "<title>x</title>");
    }
}

#[test]
fn whoever_previews_a_link_gets_the_page() {
    let page = get("/o/abc", &[("accept", "*/*")]);
    assert_eq!(page.status(), StatusCode::OK);
}

#[test]
fn calls_missing_files_and_machines_never_get_the_page() {
    let api = [
        "/api",
        "/api/nowhere/",
        "/ws/",
        "/assets/gone.js",
        "/assets",
    ];
    for path in api {
        assert_eq!(
            get(path, &[("accept", HTML)]).status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let json = [("accept", "application/json")];
    assert_eq!(get("/requests/7", &json).status(), StatusCode::NOT_FOUND);
    assert_eq!(
        get("/gone.png", &[("accept", "*/*")]).status(),
        StatusCode::NOT_FOUND
    );
    let headers = HeaderMap::new();
    let post = |path| {
        assets()
            .answer(&Method::POST, &Uri::from_static(path), &headers)
            .status()
    };
    assert_eq!(post("/logo.png"), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post("/requests/7"), StatusCode::NOT_FOUND);
}

#[test]
fn the_binary_holds_the_app() {
    let assets = Assets::embedded();
    let page = assets.answer(&Method::GET, &Uri::from_static("/"), &HeaderMap::new());
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
}

fn get(path: &'static str, sent: &[(&'static str, &str)]) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        headers.insert(*name, value.parse().unwrap());
    }
    assets().answer(&Method::GET, &Uri::from_static(path), &headers)
}

async fn body(response: Response) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

fn assets() -> Assets {
    let file = |name: &str, bytes: Bytes| (name.to_owned(), bytes, [7; 32]);
    Assets::new([
        file("index.html.gz", gzip(b"<title>x</title>")),
        file("assets/app-1a2b.js.gz", gzip(b"let a;")),
        file("logo.png", Bytes::from_static(b"png")),
    ])
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).unwrap();
    packer.finish().unwrap().into()
}
