//! A call of a door that takes tokens: the municipality, who calls, and what the request says beside its
//! content. Handlers begin with one; nobody without a valid token gets further.

use std::sync::Arc;

use access::caller::Caller;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use exchange::operation::parameters::Parameters;
use exchange::read::known_kind;
use exchange::searchset::Pairs;
use exchange::tenant::Tenant;
use fhir::issue::IssueCode;
use fhir::value::Value;

use crate::app::App;
use crate::input;
use crate::problem::Problem;
use crate::routes::fhir::prefer::Prefer;

/// A request with a valid token.
pub struct Call {
    /// The municipality.
    pub tenant: Arc<Tenant>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The headers.
    pub headers: HeaderMap,
    /// The query as it was written.
    pub query: String,
    /// Start of the municipality's addresses, without a slash at the end.
    root: String,
    /// The address below it, without the query.
    place: String,
    /// What stands in the address under each name of its pattern.
    named: Vec<(String, String)>,
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let named = RawPathParams::from_request_parts(parts, app).await;
        let named = named.map_err(|_| {
            let message = "the address cannot be read";
            Problem::edge(StatusCode::BAD_REQUEST, IssueCode::Structure, message)
        })?;
        let named: Vec<(String, String)> =
            named.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let kommune = part(&named, "kommune").ok_or_else(Problem::not_found)?;
        let (tenant, caller) = app.enter(kommune, &parts.headers)?;
        if let Some(position) = Prefer::of(&parts.headers).position {
            tenant.reach(position).await?;
        }
        let path = parts.uri.path();
        Ok(Self {
            tenant,
            caller,
            headers: parts.headers.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            root: format!("{}/{kommune}", app.public_url),
            place: path.trim_start_matches('/').split_once('/').map_or("", |it| it.1).to_owned(),
            named,
        })
    }
}

impl Call {
    /// What stands in the address under a name of its pattern.
    pub fn part(&self, name: &str) -> Option<&str> {
        part(&self.named, name)
    }

    /// The id in the address; `None` where it names a type only.
    pub fn id(&self) -> Option<&str> {
        self.part("id")
    }

    /// The id in the address of a row that has one.
    pub fn own_id(&self) -> Result<&str, Problem> {
        self.id().ok_or_else(Problem::not_found)
    }

    /// The resource type in the address.
    pub fn kind(&self) -> Result<&'static str, Problem> {
        Ok(known_kind(self.part("kind").unwrap_or_default())?)
    }

    /// The address of a door of the municipality.
    pub fn door(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    /// The base of FHIR.
    pub fn base(&self) -> String {
        self.door("fhir")
    }

    /// The address called, without the query.
    pub fn address(&self) -> String {
        self.door(&self.place)
    }

    /// The query, decoded.
    pub fn pairs(&self) -> Pairs {
        input::pairs(self.query.as_bytes())
    }

    /// The body as a value.
    pub async fn json(&self, body: Body) -> Result<Value, Problem> {
        input::json(&self.headers, body).await
    }

    /// The query and the form that was sent: parameters in either count alike.
    pub async fn with_form(&self, body: Body) -> Result<Pairs, Problem> {
        let mut pairs = self.pairs();
        pairs.extend(input::pairs(&input::bytes(&self.headers, body).await?));
        Ok(pairs)
    }

    /// What an operation is given: in its address, and in a form, a `Parameters` resource, or another
    /// resource, which is the parameter of this name.
    pub async fn given(&self, body: Body, resource: &str) -> Result<Parameters, Problem> {
        if input::is_form(&self.headers) {
            return Ok(Parameters::of_pairs(self.with_form(body).await?));
        }
        let mut given = Parameters::of_pairs(self.pairs());
        if let Some(body) = input::any_json(&self.headers, body).await? {
            given.add_body(body, resource)?;
        }
        Ok(given)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        input::header(&self.headers, name)
    }
}

fn part<'a>(named: &'a [(String, String)], name: &str) -> Option<&'a str> {
    named.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}
