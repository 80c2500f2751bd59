//! Requests in, problems out, through a router.

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::super::problem::{told, unknown_route};
use super::*;

#[derive(Deserialize)]
struct Vehicle {
    #[expect(dead_code)]
    plate: String,
}

#[derive(Deserialize)]
struct Opening {
    #[expect(dead_code)]
    vehicle: Vehicle,
    year: Option<i64>,
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

#[tokio::test]
async fn a_body_that_fits_is_read_and_unknown_fields_are_ignored() {
    let (status, year) = sent(r#"{"vehicle":{"plate":"X"},"year":2020,"more":1}"#).await;
    assert_eq!((status, year), (StatusCode::OK, json!(2020)));
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_named_and_not_quoted() {
    for (body, field, sentence) in [
        (
            r#"{"vehicle":{"plate":"X"},"year":"hunter2"}"#,
            "year",
            "This must be a whole number.",
        ),
        (
            r#"{"vehicle":{"plate":7}}"#,
            "vehicle.plate",
            "This must be a string.",
        ),
        (r#"{"vehicle":{}}"#, "vehicle.plate", "This is required."),
        (r#"{"year":1}"#, "vehicle", "This is required."),
        (
            r#"{"vehicle":"hunter2"}"#,
            "vehicle",
            "This must be an object.",
        ),
    ] {
        let (status, problem) = sent(body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(problem["errors"], json!({ field: [sentence] }), "{body}");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    for body in [
        "",
        "{",
        "nope",
        "{\"vehicle\":{\"plate\":\"X\"}} x",
        "{\"vehicle\":\"\u{1}\"}",
    ] {
        let (status, problem) = sent(body).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::BAD_REQUEST, &json!("malformed"))
        );
    }
}

#[tokio::test]
async fn a_body_of_another_kind_is_415_and_a_huge_one_413() {
    let request = Request::post("/").header("content-type", "text/plain");
    let (status, _) = answer(request.body(Body::from("{}")).unwrap()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, problem) = sent(&" ".repeat(JSON_BODY_BYTES_MAX + 1)).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large"))
    );
}

#[tokio::test]
async fn an_optional_body_may_be_missing_but_not_broken() {
    let optional = |body: &'static str| async move {
        let request = Request::post("/optional").header("content-type", "application/json");
        answer(request.body(Body::from(body)).unwrap()).await.1
    };
    assert_eq!(optional("").await, json!(false));
    assert_eq!(optional(r#"{"limit":1}"#).await, json!(true));
    assert_eq!(optional("{").await["status"], json!(400));
    let bare = Request::post("/optional").body(Body::empty()).unwrap();
    assert_eq!(answer(bare).await.1, json!(false));
}

#[tokio::test]
async fn a_query_value_that_does_not_fit_is_named() {
    assert_eq!(got("/page?limit=7").await.1, json!(7));
    let (status, problem) = got("/page?limit=seven").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        problem["errors"],
        json!({"limit": ["This value will not do."]})
    );
}

#[tokio::test]
async fn an_id_that_is_no_number_names_nothing() {
    assert_eq!(got("/request/7").await.1, json!(7));
    for path in [
        "/request/seven",
        "/request/99999999999999999999",
        "/request/%ff",
        "/nowhere",
    ] {
        let (status, problem) = got(path).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::NOT_FOUND, &json!("not_found"))
        );
    }
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing_and_a_wrong_method_tells_the_right_ones() {
    let (status, problem) = got("/panic").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!("internal"))
    );
    assert!(!problem.to_string().contains("hunter2"));
    let request = Request::delete("/page").body(Body::empty()).unwrap();
    let response = router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
}

async fn sent(body: &str) -> (StatusCode, Value) {
    let request = Request::post("/").header("content-type", "application/json; charset=utf-8");
    answer(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn got(path: &str) -> (StatusCode, Value) {
    answer(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn answer(request: Request) -> (StatusCode, Value) {
    let response = router().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn router() -> Router {
    let router = Router::new()
        .route(
            "/",
            post(async |ApiJson(opening): ApiJson<Opening>| Json(opening.year)),
        )
        .route(
            "/optional",
            post(async |page: Option<ApiJson<Page>>| Json(page.is_some())),
        )
        .route(
            "/page",
            get(async |ApiQuery(page): ApiQuery<Page>| Json(page.limit)),
        )
        .route(
            "/request/{id}",
            get(async |ApiPath(id): ApiPath<i64>| Json(id)),
        )
        .route("/panic", get(async || -> Json<()> { panic!("hunter2") }));
    told(router.fallback(unknown_route))
}

#[tokio::test]
async fn a_list_is_no_body_even_where_nothing_has_to_be_in_it() {
    let request = Request::post("/optional").header("content-type", "application/json");
    let (status, problem) = answer(request.body(Body::from(" []")).unwrap()).await;
    assert_eq!(
        (status, &problem["detail"]),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!("The body must be a JSON object.")
        )
    );
}
