//! Messages over HTTP: history, and the fallback when the socket is down (`wire.md` §4). The same
//! commands as behind the socket, so red dots move whichever way a message came.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::auth::Bearer;
use super::edge::Edge;
use super::extract::{ApiJson, ApiPath, ApiQuery};
use super::openapi::Refusals;
use super::people::required;
use super::problem::Problem;
use crate::commands::{MarkRead, PostMessage};
use crate::domain::{Body, EventId, Field, MessageId, Rejection, RequestId};
use crate::store::{Need, messages, requests, unread};
use crate::wire::api::{MarkReadBody, MarkedBody, NewMessageBody};
use crate::wire::message::ChatMessage;
use crate::wire::server::UnreadBody;
use crate::wire::{HISTORY_MESSAGES_DEFAULT, HISTORY_MESSAGES_MAX};

/// Which stretch of a conversation.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// At most so many; 50 when left out, at most 500.
    #[serde(default)]
    #[param(minimum = 1)]
    limit: Option<i64>,
    /// Only messages before this one.
    #[serde(default)]
    before: Option<i64>,
}

/// The newest messages of a request in rising order; `Link: rel="prev"` when older ones exist.
#[utoipa::path(get, path = "/api/service-requests/{id}/messages/", tag = "messages",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The request's number."), HistoryQuery),
    responses((status = 200, body = [ChatMessage],
        headers(("Link" = String, description = "The page before, when there is one."))), Refusals))]
pub(super) async fn history(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
    ApiQuery(query): ApiQuery<HistoryQuery>,
) -> Result<Response, Problem> {
    let limit = match query.limit {
        None => HISTORY_MESSAGES_DEFAULT,
        Some(limit) if limit >= 1 => usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .min(HISTORY_MESSAGES_MAX),
        Some(_) => {
            let (field, why) = (Field("limit"), "must be at least 1");
            return Err(Rejection::Value { field, why }.into());
        }
    };
    let before = query.before.map(MessageId);
    let page = edge
        .read_as(who, move |view, actor| {
            let request = RequestId(id);
            requests::gate(view, request, actor)?.ok_or(Rejection::NoSuch("request"))?;
            Ok(messages::page(view, request, before, limit)?)
        })
        .await?;
    let bodies: Vec<_> = page.messages.iter().map(ChatMessage::from).collect();
    let mut response = Json(bodies).into_response();
    if let (true, Some(oldest)) = (page.has_more, page.messages.first()) {
        let link = format!(
            "</api/service-requests/{id}/messages/?limit={limit}&before={}>; rel=\"prev\"",
            oldest.id
        );
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

/// Posts a message; with a `client_id` a retry is harmless and gets the same answer.
#[utoipa::path(post, path = "/api/service-requests/{id}/messages/", tag = "messages",
    security(("bearer" = [])), params(("id" = i64, Path, description = "The request's number.")),
    request_body = NewMessageBody, responses((status = 201, body = ChatMessage), Refusals))]
pub(super) async fn post(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
    ApiJson(body): ApiJson<NewMessageBody>,
) -> Result<(StatusCode, Json<ChatMessage>), Problem> {
    if body.client_id.is_some_and(|id| id.is_nil()) {
        let (field, why) = (Field("client_id"), "must not be nil");
        return Err(Rejection::Value { field, why }.into());
    }
    let command = PostMessage {
        id: EventId::new(body.client_id.unwrap_or_else(Uuid::now_v7)),
        request: RequestId(id),
        body: required("content", &body.content, Body::parse)?,
        reply_to: body.reply_to.map(MessageId),
        expires_in_s: body.expires_in,
    };
    edge.count_message(who.person)
        .map_err(Problem::rate_limited)?;
    let posted = edge
        .write_as(who, Need::Ordinary, move |tx, actor| command.run(tx, actor))
        .await?;
    if posted.fresh {
        tracing::info!(request = id, seq = %posted.message.id, "message posted");
    }
    Ok((
        StatusCode::CREATED,
        Json(ChatMessage::from(&posted.message)),
    ))
}

/// Marks the other side's messages as read, all or up to one.
#[utoipa::path(post, path = "/api/service-requests/{id}/messages/mark-read/", tag = "messages",
    security(("bearer" = [])), params(("id" = i64, Path, description = "The request's number.")),
    request_body = Option<MarkReadBody>, responses((status = 200, body = MarkedBody), Refusals))]
pub(super) async fn mark_read(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
    ApiPath(id): ApiPath<i64>,
    body: Option<ApiJson<MarkReadBody>>,
) -> Result<Json<MarkedBody>, Problem> {
    let body = body.map(|ApiJson(body)| body).unwrap_or_default();
    let command = MarkRead {
        request: RequestId(id),
        up_to: body.up_to.map(MessageId),
    };
    let marked = edge
        .write_as(who, Need::Essential, move |tx, actor| {
            command.run(tx, actor)
        })
        .await?;
    let count = marked.count;
    Ok(Json(MarkedBody {
        message: format!("Marked {count} messages as read"),
        updated_count: count,
    }))
}

/// What I have not read, over all my requests.
#[utoipa::path(get, path = "/api/messages/unread-summary/", tag = "messages",
    security(("bearer" = [])), responses((status = 200, body = UnreadBody), Refusals))]
pub(super) async fn unread_summary(
    State(edge): State<Edge>,
    Bearer(who): Bearer,
) -> Result<Json<UnreadBody>, Problem> {
    edge.read_as(who, |view, actor| {
        Ok(Json(unread::summary(view, actor)?.into()))
    })
    .await
}
