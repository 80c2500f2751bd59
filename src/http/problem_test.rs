//! Problems as they are sent, and as OpenAPI says they are.

use serde_json::json;
use utoipa::PartialSchema;

use super::*;

#[test]
fn a_problem_reads_as_rfc_9457_asks() {
    let problem = Problem::invalid_field("year", "This must be a whole number.");
    assert_eq!(
        json!(problem),
        json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422,
            "detail": "Some of this will not do.", "code": "invalid",
            "errors": {"year": ["This must be a whole number."]},
        })
    );
}

#[test]
fn the_schema_says_what_is_sent() {
    let schema = json!(Problem::schema());
    assert_eq!(
        schema["required"],
        json!(["type", "title", "status", "detail", "code"])
    );
    let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 6, "{names:?}");
    assert_eq!(schema["properties"]["detail"]["type"], "string");
}

#[test]
fn a_wait_is_told_in_whole_seconds_rounded_up() {
    for (wait_ms, seconds) in [(0, "0"), (1, "1"), (1000, "1"), (1001, "2")] {
        let response = Problem::rate_limited(Duration::from_millis(wait_ms)).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], seconds);
    }
}
