//! The information catalogue as open data: it is about kinds of information, and about nobody.

use axum::Json;
use record::catalogue::Catalogue;

/// The domains, categories and elements.
pub async fn json() -> Json<&'static Catalogue> {
    Json(Catalogue::get())
}
