//! Sends the sandbox's deliveries through the same flow as a vendor's, without HTTP between.

use access::caller::{Caller, Party};
use exchange::bundle;
use exchange::cloud_event::{CloudEvent, okt_event};
use exchange::error::Failure;
use exchange::submission::Channel;
use exchange::tenant::Tenant;
use fhir::issue::{Issue, IssueCode};
use fhir::json;
use fhir::value::Value;
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use sandbox::delivery::{self, Delivery};
use sandbox::world::Municipality;

/// Deliveries under way at a time.
const AT_ONCE: usize = 16;

/// Sends all deliveries, with a progress bar. Returns how many.
pub async fn fill(
    tenant: &Tenant,
    municipality: &'static Municipality,
    deliveries: impl Iterator<Item = Delivery>,
    patients: u32,
) -> Result<u64, Failure> {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos} deliveries, {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new_spinner().with_style(style).with_prefix(municipality.name);
    bar.set_length(u64::from(patients) * PER_RESIDENT);
    let mut sent = stream::iter(deliveries)
        .map(|delivery| async move { deliver(tenant, municipality, &delivery).await })
        .buffered(AT_ONCE);
    let mut count = 0;
    while let Some(result) = sent.next().await {
        result?;
        count += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(count)
}

/// About how many deliveries a resident has; only for the bar's length.
const PER_RESIDENT: u64 = 20;

/// Sends one delivery as the system it comes from.
pub async fn deliver(
    tenant: &Tenant,
    municipality: &'static Municipality,
    delivery: &Delivery,
) -> Result<(), Failure> {
    let caller = Caller {
        client_id: delivery.client_id.clone(),
        organisation: Some(municipality.organisation().to_owned()),
        unit: None,
        supplier: None,
        token_id: "demo".to_owned(),
        scopes: None,
        party: Party::System,
    };
    let value = parse(&delivery.body)?;
    let results = match delivery.channel {
        delivery::Channel::Fhir => {
            tenant.submit(&caller, bundle::operations(value, Channel::Fhir)?).await?
        }
        delivery::Channel::Pmd => {
            tenant.submit(&caller, bundle::operations(value, Channel::Pmd)?).await?
        }
        delivery::Channel::Okt => {
            let receipts =
                tenant.submit_okt(&caller, &okt_event(&value)?, None, Channel::Okt).await?;
            receipts.into_iter().map(Ok).collect()
        }
        delivery::Channel::CloudEvent => {
            tenant.submit_event(&caller, CloudEvent::structured(value)?).await?
        }
    };
    results.into_iter().find_map(Result::err).map_or(Ok(()), Err)
}

fn parse(text: &str) -> Result<Value, Failure> {
    json::parse(text.as_bytes()).map_err(|error| {
        Failure::Malformed(vec![Issue::error(IssueCode::Structure, "", error.to_string())])
    })
}
