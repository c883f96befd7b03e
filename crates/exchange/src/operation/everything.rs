//! `Patient/id/$everything`: what the permit opens of one person, the Patient first, page by page.
//!
//! The walk is in the order resources were first recorded, up to the position of the first page, so
//! that no page holds what another holds and every walk ends, whatever is written in between. What
//! the resources refer to that is about nobody, such as who did it and where, goes with them.

use std::collections::BTreeSet;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use access::scopes::Interaction;
use fhir::issue::IssueCode;
use fhir::json;
use fhir::reference::Literal;
use fhir::resource::Resource;
use fhir::search::IndexValue;
use fhir::value::Value;
use record::catalogue::{Catalogue, CategoryKey};
use record::entry::Position;
use record::identity::PersonId;
use view::everything::{Step, Walk};
use view::store::{Found, Stored};

use super::parameters::{Parameters, wrong};
use crate::error::Failure;
use crate::read::{keys_of, known_kind};
use crate::searchset::{Entries, incomplete};
use crate::tenant::Tenant;

/// Resources on a page where the caller does not say.
const COUNT: usize = 200;

/// Most on a page.
const MOST: usize = 1_000;

/// Resources looked at for one page at most, where dates leave some out.
const MOST_STEPS: usize = 20_000;

/// What is asked for.
struct Asked {
    kinds: Vec<&'static str>,
    since: Option<i64>,
    /// Milliseconds since 1970; half open.
    care: Option<(i64, i64)>,
    count: usize,
}

/// A page, and where the next begins.
struct Page {
    patients: Vec<Step>,
    others: Vec<Step>,
    next: Option<i64>,
}

impl Tenant {
    /// A page of everything, as a Bundle. `base` is the address of the door.
    pub async fn everything(
        &self,
        caller: &Caller,
        id: &str,
        given: &Parameters,
        base: &str,
    ) -> Result<Vec<u8>, Failure> {
        given.only(&["start", "end", "_since", "_type", "_count", "_cursor"])?;
        let asked = Asked::read(given)?;
        let person = self.person_of_patient(id)?;
        let about = About::Person(person);
        self.within_scopes(caller, ("everything", about), &asked.kinds, Interaction::Search)
            .await?;
        let permit = self.decide(caller, "everything", about, &asked.keys()).await?;
        let shown = given.pairs_without(&["_cursor"]);
        let of = format!("everything {person} {shown:?}");
        let (until, after) = match given.text("_cursor") {
            Some(sealed) => place(&self.view.open_place(&of, sealed)?)?,
            None => (self.visible(), None),
        };
        let page = self.page(&permit, person, &asked, until, after)?;
        let supporting = self.supporting(&permit, &asked, page.others.iter())?;
        let count = page.patients.len() + page.others.len() + supporting.len();
        let told = match page.next {
            None => incomplete(&self.view.skipped(&permit)?, self.view.tells_withheld(&permit)?),
            Some(_) => Vec::new(),
        };
        let next = match page.next {
            Some(row) => Some(self.view.seal_place(&of, &format!("{until} {row}"))?),
            None => None,
        };
        let own = format!("{base}/Patient/{id}/$everything");
        let mut entries = Entries::new(&links(&own, &shown, next.as_deref()), None);
        for step in page.patients.iter().chain(&page.others) {
            entries.add(base, step.stored.kind, &step.stored, None, "match");
        }
        for (kind, stored) in &supporting {
            entries.add(base, kind, stored, None, "include");
        }
        if !told.is_empty() {
            entries.outcome(&told);
        }
        let categories = permit.categories();
        self.disclosed(caller, &permit, "everything", Some(person), categories, count).await?;
        Ok(entries.finish())
    }

    fn page(
        &self,
        permit: &ReadPermit,
        person: PersonId,
        asked: &Asked,
        until: Position,
        after: Option<i64>,
    ) -> Result<Page, Failure> {
        let walk = |patients: bool, after: i64| Walk {
            person,
            patients,
            until,
            since: asked.since,
            after,
        };
        let mut patients = match after {
            None => self.view.everything(permit, &walk(true, 0), MOST)?,
            Some(_) => Vec::new(),
        };
        patients.retain(|_| asked.takes("Patient"));
        // The person's own resource goes before what other sources know of the person.
        patients.sort_by_key(|step| step.stored.id != person.to_string());
        let wanted = asked.count.saturating_sub(patients.len()).max(1);
        let mut others: Vec<Step> = Vec::new();
        let mut row = after.unwrap_or(0);
        let mut looked = 0;
        while looked < MOST_STEPS {
            // One more than wanted says whether there is a next page.
            let chunk = self.view.everything(permit, &walk(false, row), wanted + 1)?;
            let whole = chunk.len() <= wanted;
            looked += chunk.len();
            for step in chunk {
                if others.len() == wanted {
                    return Ok(Page { patients, others, next: Some(row) });
                }
                row = step.row;
                if asked.takes(step.stored.kind) && asked.is_in_time(&step)? {
                    others.push(step);
                }
            }
            if whole {
                return Ok(Page { patients, others, next: None });
            }
        }
        Ok(Page { patients, others, next: Some(row) })
    }

    /// What resources refer to that is about nobody, so far as the permit opens it.
    fn supporting<'a>(
        &self,
        permit: &ReadPermit,
        asked: &Asked,
        steps: impl Iterator<Item = &'a Step>,
    ) -> Result<Vec<(&'static str, Stored)>, Failure> {
        let mut named = BTreeSet::new();
        for step in steps {
            if let Ok(value) = json::parse(&step.stored.body) {
                references(&value, &mut named);
            }
        }
        let mut found = Vec::new();
        for (kind, id) in named {
            if !asked.takes(kind) || Catalogue::get().is_personal(kind) {
                continue;
            }
            if let Found::Current(stored) = self.view.read(permit, kind, &id)? {
                found.push((kind, stored));
            }
        }
        Ok(found)
    }
}

impl Asked {
    fn read(given: &Parameters) -> Result<Self, Failure> {
        let mut kinds = Vec::new();
        for name in given.texts("_type") {
            kinds.push(known_kind(name).map_err(|_| {
                let text = "`_type`: there is no such resource type in R4";
                wrong(IssueCode::Value, text)
            })?);
        }
        let (start, end) = (given.range("start")?, given.range("end")?);
        let care = (start.is_some() || end.is_some()).then(|| {
            (start.map_or(i64::MIN, |(low, _)| low), end.map_or(i64::MAX, |(_, high)| high))
        });
        let since = given.range("_since")?.map(|(low, _)| low);
        let count = given.number("_count")?.unwrap_or(COUNT).clamp(1, MOST);
        Ok(Self { kinds, since, care, count })
    }

    /// Keys of the categories that may be in it.
    fn keys(&self) -> Vec<CategoryKey> {
        if self.kinds.is_empty() {
            return Catalogue::get().categories.iter().map(|it| it.key.as_str()).collect();
        }
        let keys: BTreeSet<CategoryKey> =
            self.kinds.iter().flat_map(|kind| keys_of(kind)).collect();
        keys.into_iter().collect()
    }

    fn takes(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether something a resource says of time lies within the dates asked for. What says nothing
    /// of time is not left out.
    fn is_in_time(&self, step: &Step) -> Result<bool, Failure> {
        let Some((start, end)) = self.care else { return Ok(true) };
        let value = crate::read::parsed(&step.stored)?;
        let Ok(resource) = Resource::from_value(value) else { return Ok(true) };
        let mut dated = false;
        for entry in fhir::search::index(&resource) {
            if let IndexValue::Date { low, high } = entry.value {
                dated = true;
                if low < end && high > start {
                    return Ok(true);
                }
            }
        }
        Ok(!dated)
    }
}

/// Literal references in a resource.
pub(crate) fn references(value: &Value, into: &mut BTreeSet<(&'static str, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, into)),
        Value::Object(members) => {
            if let Some(Literal::Resource { kind, id, .. }) =
                value.text("reference").map(Literal::parse)
            {
                into.insert((kind, id.to_owned()));
            }
            members.iter().for_each(|(_, member)| references(member, into));
        }
        _ => {}
    }
}

/// The position of the first page, and the row to go on after.
fn place(text: &str) -> Result<(Position, Option<i64>), Failure> {
    let parsed = text
        .split_once(' ')
        .and_then(|(until, row)| Some((until.parse().ok()?, Some(row.parse().ok()?))));
    parsed.ok_or_else(|| Failure::Unavailable("a sealed place cannot be read".to_owned()))
}

/// `self` and `next`.
fn links(own: &str, shown: &[(String, String)], next: Option<&str>) -> Value {
    let address = |cursor: Option<&str>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(shown);
        if let Some(cursor) = cursor {
            query.append_pair("_cursor", cursor);
        }
        match query.finish() {
            query if query.is_empty() => own.to_owned(),
            query => format!("{own}?{query}"),
        }
    };
    let mut links = vec![json!({ "relation": "self", "url": address(None) })];
    links.extend(next.map(|next| json!({ "relation": "next", "url": address(Some(next)) })));
    Value::Array(links)
}
