//! Thin events: CloudEvents 1.0 that say that something happened, and where to ask what.

use exchange::news::{Happened, News};
use fhir::instant::format_instant;
use serde_json::{Value, json};

/// A resource is new, or has a new version.
const CHANGED: &str = "no.fkj.resource.changed";
/// A resource was removed by its owner.
const REMOVED: &str = "no.fkj.resource.removed";
/// A resource was erased for good.
const GONE: &str = "no.fkj.resource.erased";
/// All about a person was erased.
const ERASED: &str = "no.fkj.person.erased";

/// An event on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Thin {
    /// `id`: the municipality's number and the position in its ledger, the same each time it is sent.
    pub id: String,
    /// Key of the category, or `erased`: the last part of a subject.
    pub category: String,
    /// The whole event.
    pub event: Value,
}

impl Thin {
    /// The event of a municipality, whose addresses begin with `base`.
    pub fn new(base: &str, number: &str, news: &News) -> Self {
        let (kind, subject) = match &news.happened {
            Happened::Changed(resource) => (CHANGED, resource.clone()),
            Happened::Removed(resource) => (REMOVED, resource.clone()),
            Happened::Gone(resource) => (GONE, resource.clone()),
            Happened::Erased(person) => (ERASED, format!("Patient/{person}")),
        };
        let id = format!("{number}-{}", news.position);
        let mut data = json!({ "position": news.position });
        if let (false, Some(data)) = (news.category.is_empty(), data.as_object_mut()) {
            data.insert("category".to_owned(), json!(news.category));
        }
        let event = json!({
            "specversion": "1.0",
            "id": id,
            "source": format!("{base}/{number}"),
            "type": kind,
            "subject": subject,
            "time": format_instant(news.at),
            "datacontenttype": "application/json",
            "data": data,
        });
        let category = if news.category.is_empty() { "erased" } else { &news.category };
        Self { id, category: category.to_owned(), event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::identity::PersonId;

    #[test]
    fn an_event_says_what_changed_and_not_for_whom() {
        let news = News {
            position: 7,
            at: 1_767_600_000_000,
            category: "vital-signs".to_owned(),
            happened: Happened::Changed("Observation/o-1".to_owned()),
        };
        let thin = Thin::new("https://fkj.example", "9901", &news);
        assert_eq!((thin.id.as_str(), thin.category.as_str()), ("9901-7", "vital-signs"));
        assert_eq!(
            thin.event,
            json!({
                "specversion": "1.0",
                "id": "9901-7",
                "source": "https://fkj.example/9901",
                "type": "no.fkj.resource.changed",
                "subject": "Observation/o-1",
                "time": "2026-01-05T08:00:00.000Z",
                "datacontenttype": "application/json",
                "data": { "category": "vital-signs", "position": 7 },
            })
        );
        let happened = Happened::Erased(PersonId([1; 16]));
        let erased = News { category: String::new(), happened, ..news };
        let erased = Thin::new("https://fkj.example", "9901", &erased);
        assert_eq!(erased.event["data"], json!({ "position": 7 }));
        assert_eq!(erased.category, "erased");
    }
}
