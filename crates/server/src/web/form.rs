//! The forms of those who administer: their fields, and what became of them.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use exchange::error::{Category, Failure};
use pages::admin::Obstacle;
use pages::text;

use crate::input;
use crate::problem::status;
use crate::web::Stop;
use crate::web::session::SignedIn;

/// The fields of a form.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The fields that were sent.
    pub async fn of(headers: &HeaderMap, body: Body) -> Self {
        Self(input::pairs(&input::bytes(headers, body).await.unwrap_or_default()))
    }

    /// A field, without space around it; nothing where it was not sent.
    pub fn field(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim()).unwrap_or_default()
    }
}

/// What a form led to, for the page that it stands on, where what was refused is mended. A failure of the
/// platform has a page of its own.
pub fn told<N>(
    who: SignedIn,
    done: Result<N, Failure>,
    refused: impl FnOnce(&Failure) -> N,
) -> Result<(SignedIn, StatusCode, N), Stop> {
    match done {
        Ok(notice) => Ok((who, StatusCode::OK, notice)),
        Err(failure) => match failure.category() {
            Category::Unavailable | Category::Busy => Err(who.stop(failure)),
            category => {
                let notice = refused(&failure);
                Ok((who, status(category), notice))
            }
        },
    }
}

/// Why not, for a person.
pub fn words(failure: &Failure) -> String {
    if let Some(refusal) = failure.refusal() {
        return text::get(&format!("rule-{}", refusal.rule.code()));
    }
    match failure.category() {
        Category::Gone | Category::NotFound => Obstacle::Gone.words(),
        Category::Invalid => {
            let issues = failure.issues();
            if issues.iter().any(|issue| issue.location == "why") {
                return Obstacle::NoReason.words();
            }
            let own = issues.into_iter().map(|it| format!("{}: {}", it.location, it.message));
            own.collect::<Vec<_>>().join("; ")
        }
        _ => Obstacle::Meanwhile.words(),
    }
}
