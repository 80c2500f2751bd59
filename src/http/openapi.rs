//! The description of the API, generated from the handlers.

use std::collections::BTreeMap;

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::problem::Problem;

/// What every handler adds its own to.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "MotoReach",
        description = "A vehicle workshop's own chat box. Times are RFC 3339 with milliseconds. \
                       Every path may be written without its last slash too."
    ),
    components(schemas(Problem)),
    modifiers(&Tokens)
)]
pub(super) struct Api;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
    }
}

/// How any call may be refused (`wire.md` §5): a `Problem` each time.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        const REFUSALS: [(&str, &str); 15] = [
            ("400", "Not a request that can be read."),
            ("401", "No token, or one that does not count."),
            ("403", "Not allowed, or asked from another site's page."),
            ("404", "No such thing, or not yours: the two answer alike."),
            ("405", "This address does not do that."),
            ("408", "The body did not arrive in time."),
            ("409", "It contradicts what is already so."),
            ("410", "It was there once."),
            ("413", "Too large."),
            ("415", "A body that is not JSON."),
            ("421", "A name that this box does not go by."),
            ("422", "A value will not do; `errors` says which."),
            ("429", "Too often; `Retry-After` says when."),
            (
                "503",
                "Starting, stopping, busy, or the disk reports errors.",
            ),
            ("507", "The disk is full; reading still works."),
        ];
        let problem = |description: &str| {
            let schema = Ref::from_schema_name("Problem");
            let content = ContentBuilder::new().schema(Some(schema)).build();
            ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content)
                .build()
        };
        REFUSALS
            .into_iter()
            .map(|(status, text)| (status.to_owned(), RefOr::T(problem(text))))
            .collect()
    }
}
