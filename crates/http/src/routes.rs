//! Which way leads where, and what is answered where none does.

use std::sync::LazyLock;

use actix_web::http::header::ALLOW;
use actix_web::{App, HttpRequest, HttpResponse, web};
use utoipa::OpenApi;
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{RefOr, Schema};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::answer;
use crate::problem::{Problem, ProblemDocument, ViolationDocument};
use crate::{Door, catalogue, ehealth, health, ndp};

/// A path, and the methods that it takes.
pub(crate) struct Way {
    /// The path, with `{name}` for what varies.
    pub(crate) pattern: &'static str,
    /// The methods, separated by commas.
    pub(crate) allow: &'static str,
}

/// Every path but those of the register's API. A test holds it against the API descriptions.
const WAYS: &[Way] = &[
    Way { pattern: "/api/v1/dispenses", allow: "GET, POST" },
    Way { pattern: "/api/v1/dispenses/{id}", allow: "GET" },
    Way { pattern: "/api/v1/dispenses/{id}/content", allow: "GET" },
    Way { pattern: "/api/v1/dispenses/{id}/history", allow: "GET" },
    Way { pattern: "/api/v1/dispenses/{id}/process", allow: "POST" },
    Way { pattern: "/api/v1/dispenses/{id}/cancel", allow: "POST" },
    Way { pattern: "/api/v1/dispenses/{id}/verify", allow: "POST" },
    Way { pattern: "/api/v1/audit/checkpoints", allow: "GET" },
    Way { pattern: "/api/v1/audit/proof", allow: "GET" },
    Way { pattern: "/api/v1/audit/consistency", allow: "GET" },
    Way { pattern: "/api/v1/patients/{id}/history", allow: "GET" },
    Way { pattern: "/api/v1/prescriptions/{id}", allow: "GET" },
    Way { pattern: "/api/v1/prescriptions/{id}/dispenses", allow: "GET" },
    Way { pattern: "/api/v1/prescriptions/{id}/qualify", allow: "POST" },
    Way { pattern: "/api/v1/events", allow: "GET" },
    Way { pattern: "/api/v1/events/stream", allow: "GET" },
    Way { pattern: "/api/v1/messages", allow: "GET" },
    Way { pattern: "/api/v1/messages/stream", allow: "GET" },
    Way { pattern: "/api/v1/reports/dispensing", allow: "GET" },
    Way { pattern: "/api/v1/registry/import", allow: "POST" },
    Way { pattern: "/api/v1/registry/changes", allow: "GET" },
    Way { pattern: "/api/v1/access-log", allow: "GET" },
    Way { pattern: "/api/v1/access-log/unusual", allow: "GET" },
    Way { pattern: "/api/v1/errors", allow: "GET" },
    Way { pattern: "/api/v1/openapi.json", allow: "GET" },
    Way { pattern: "/api/v1/docs", allow: "GET" },
    Way { pattern: "/api/v1/docs/", allow: "GET" },
    Way { pattern: "/api/v1/docs/{file}", allow: "GET" },
    Way { pattern: "/health/live", allow: "GET" },
    Way { pattern: "/health/ready", allow: "GET" },
    Way { pattern: "/metrics", allow: "GET" },
];

impl Way {
    fn all() -> impl Iterator<Item = &'static Self> {
        WAYS.iter().chain(ehealth::WAYS)
    }

    fn to(path: &str) -> Option<&'static Self> {
        Self::all().find(|way| way.leads_to(path))
    }

    fn leads_to(&self, path: &str) -> bool {
        let (mut pattern, mut path) = (self.pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
                (Some(known), Some(given)) if known == given => {}
                (Some(known), Some(given)) if known.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    }
}

/// The pattern of the route that a path belongs to: a label of bounded variety.
pub(crate) fn pattern_of(path: &str) -> &'static str {
    Way::to(path).map_or("unknown", |way| way.pattern)
}

/// Mounts everything on an app: `App::new().configure(routes(door))`.
pub fn routes(door: Door) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(web::Data::new(door));
        mount(&mut ServiceConfig::new(config));
        // Last, because it takes everything below `/api` that is not mounted yet.
        ehealth::mount(&mut ServiceConfig::new(config));
        config.default_service(web::to(elsewhere));
    }
}

/// The API as `OpenAPI` 3.1 describes it, out of the endpoints themselves.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    static API: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| {
        let app = App::new().into_utoipa_app().openapi(Api::openapi()).configure(mount);
        let mut api = app.split_for_parts().1;
        refuse_unknown_members(&mut api);
        api
    });
    API.clone()
}

/// What is asked for has no members but those that are described.
pub(crate) fn refuse_unknown_members(api: &mut utoipa::openapi::OpenApi) {
    let schemas = api.components.iter_mut().flat_map(|components| &mut components.schemas);
    for (_, schema) in schemas.filter(|(name, _)| name.starts_with("New")) {
        if let RefOr::T(Schema::Object(object)) = schema {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

fn mount(config: &mut ServiceConfig<'_>) {
    config
        .service(ndp::create::create_dispense)
        .service(ndp::cancel::cancel_dispense)
        .service(ndp::process::process_dispense)
        .service(ndp::verify::verify_dispense)
        .service(ndp::audit::checkpoints::get_checkpoints)
        .service(ndp::audit::proof::get_proof)
        .service(ndp::audit::consistency::get_consistency)
        .service(ndp::search::list_dispenses)
        .service(ndp::patient_history::get_patient_history)
        .service(ndp::get::get_dispense)
        .service(ndp::content::get_content)
        .service(ndp::history::get_history)
        .service(ndp::balance::get_prescription)
        .service(ndp::prescription_dispenses::list_dispenses_of_prescription)
        .service(ndp::qualify::qualify_prescription)
        .service(ndp::events::get_events)
        .service(ndp::events::stream::stream_events)
        .service(ndp::messages::get_messages)
        .service(ndp::messages::stream::stream_messages)
        .service(ndp::report::get_dispensing_report)
        .service(ndp::import::import_registry)
        .service(ndp::registry_changes::get_registry_changes)
        .service(ndp::access_log::get_access_log)
        .service(ndp::access_log::unusual::get_unusual_access)
        .service(ndp::errors::get_errors)
        .service(ndp::description::get_openapi)
        .service(health::live)
        .service(health::ready)
        .service(health::figures)
        .map(|config| config.service(ndp::description::docs()));
}

/// What belongs to no endpoint of its own.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dispense Service",
        description = "Pharmacies hold, hand over and give back medication under an electronic \
                       prescription; nothing is dispensed twice.\n\n\
                       Whatever is not a success is answered as `application/problem+json` with a \
                       stable `code`; `GET /api/v1/errors` lists them all."
    ),
    tags(
        (name = "dispenses", description = "To hold medication, give it back, and look"),
        (name = "audit", description = "The log itself, and what proves it"),
        (name = "reports", description = "What was dispensed, in figures"),
        (name = "registry", description = "What the decisions are made from"),
        (name = "description", description = "This API, described"),
        (name = "operations", description = "For those who run the service")
    ),
    components(schemas(
        ProblemDocument<'static>,
        ViolationDocument<'static>,
        ndp::decision::RefusedDryRun<'static>
    )),
    modifiers(&Bearer)
)]
struct Api;

/// Tokens: one scheme for all endpoints that want one.
pub(crate) struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("JWT".to_owned());
        scheme.description = Some(
            "RS256, ES256 or EdDSA, with `sub`, `client_id`, `client_type` and `scope`".to_owned(),
        );
        api.components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// No route: either the path is unknown, or it takes other methods.
async fn elsewhere(request: HttpRequest) -> HttpResponse {
    let way = Way::to(request.path());
    let problem = match way {
        None => Problem::of(&catalogue::NOT_FOUND),
        Some(way) => Problem::saying(
            &catalogue::METHOD_NOT_ALLOWED,
            format!("{} takes {}", way.pattern, way.allow),
        ),
    };
    let mut response = if ehealth::is_below(request.path()) {
        ehealth::answer(&request, async move { Err(problem.into()) }).await
    } else {
        answer(&request, async move { Err(problem) }).await
    };
    if let Some(way) = way {
        let allow = actix_web::http::header::HeaderValue::from_static(way.allow);
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_in_the_api_description_and_the_other_way_round() {
        let described = |api: utoipa::openapi::OpenApi| -> Vec<(String, String)> {
            let api = serde_json::to_value(api).unwrap();
            let paths = api["paths"].as_object().unwrap().iter();
            let methods = paths.map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().map(|name| name.to_uppercase());
                (path.clone(), methods.collect::<Vec<_>>().join(", "))
            });
            methods.collect()
        };
        let mut described = [described(openapi()), described(ehealth::ehealth_openapi())].concat();
        let mut ways: Vec<(String, String)> = Way::all()
            .filter(|way| !way.pattern.starts_with("/api/v1/docs"))
            .map(|way| (way.pattern.to_owned(), way.allow.to_owned()))
            .collect();
        described.sort();
        ways.sort();
        assert_eq!(ways, described);
    }

    #[test]
    fn a_path_belongs_to_one_pattern() {
        assert_eq!(pattern_of("/api/v1/dispenses"), "/api/v1/dispenses");
        assert_eq!(pattern_of("/api/v1/dispenses/x/cancel"), "/api/v1/dispenses/{id}/cancel");
        assert_eq!(pattern_of("/api/v1/dispenses/"), "unknown");
        assert_eq!(pattern_of("/"), "unknown");
    }
}
