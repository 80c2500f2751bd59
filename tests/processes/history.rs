//! What is stored in a request, read page by page as a client would.

use serde_json::Value;

use crate::harness::{Sample, get};

/// All messages of request number `k`, oldest first.
pub async fn all(sample: &Sample, k: usize) -> Vec<Value> {
    let mut pages: Vec<Vec<Value>> = Vec::new();
    loop {
        let first = pages.last().and_then(|page| page.first());
        let before = first.map_or_else(String::new, |it| format!("&before={}", it["id"]));
        let request = sample.request(k);
        let path = format!("/api/service-requests/{request}/messages/?limit=500{before}");
        let answer = get(sample.url(), &path, sample.admin()).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.body.as_array().unwrap().clone();
        if page.is_empty() {
            return pages.into_iter().rev().flatten().collect();
        }
        pages.push(page);
    }
}

/// Ids rise, so no message is there twice and none is out of order.
pub fn is_in_order(stored: &[Value]) {
    let ids: Vec<_> = stored
        .iter()
        .map(|message| message["id"].as_i64().unwrap())
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}
