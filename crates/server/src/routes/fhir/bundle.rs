//! `POST [base]`: batch, transaction or collection.

use axum::body::Body;
use exchange::answered;
use exchange::bundle::Request;
use exchange::carry_out::Return;
use exchange::submission::Channel;
use fhir::json;

use super::prefer::Prefer;
use super::{Answer, EVENT_ID, later, wrong};
use crate::routes::call::Call;

/// `POST [base]`.
pub async fn bundle(call: Call, body: Body) -> Answer {
    submit(&call, body, Channel::Fhir).await
}

/// Takes a Bundle through a door.
pub async fn submit(call: &Call, body: Body, channel: Channel) -> Answer {
    let value = call.json(body).await?;
    if value.text("resourceType") != Some("Bundle") {
        return Err(wrong("resourceType", "send a Bundle, or a resource to its own type"));
    }
    let kind = match value.text("type") {
        Some("transaction") => "transaction-response",
        _ => "batch-response",
    };
    let event = call.header(EVENT_ID).map(|id| (id, json::print(&value)));
    let prefer = Prefer::of(&call.headers);
    let mut request = Request::read(value, channel, prefer.strict)?;
    if let Some((id, content)) = event {
        request.name_after(id, content.as_bytes());
    }
    let full_urls = request.full_urls();
    // Those who send much at once seldom want all of it back.
    let returned = prefer.returned.unwrap_or(Return::Minimal);
    let (tenant, caller, base) = (call.tenant.clone(), call.caller.clone(), call.base());
    let work = async move {
        let answers = tenant.carry_out(&caller, request, returned, &base).await?;
        Ok(answered::response(kind, &full_urls, &answers, channel))
    };
    later::bundle(call, prefer, work).await
}
