//! The read flow: decide, look, write down that somebody looked, and only then answer.

use std::collections::BTreeMap;

use access::caller::{Caller, Party};
use access::decide::About;
use access::permit::ReadPermit;
use access::refusal::Rule;
use access::scopes::Interaction;
use fhir::definitions::{self, resource_kind};
use fhir::instant::format_instant;
use fhir::issue::IssueCode;
use fhir::json;
use fhir::query::{Condition, Filter, Query, SystemMatch, Target};
use fhir::resource::Resource;
use fhir::value::Value;
use ledger::append::Body;
use ledger::keys::PersonKey;
use record::catalogue::{Catalogue, CategoryKey};
use record::entry::{Kind, Position};
use record::envelope::Envelope;
use record::identity::PersonId;
use record::system;
use view::search::Page;
use view::store::{Found, Stored};

use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::tenant::Tenant;
use crate::whom::NATIONAL;

/// A version of a resource.
pub struct Version {
    /// Position in the ledger.
    pub version: Position,
    /// When it was recorded, milliseconds since 1970.
    pub updated: i64,
    /// The content; `None` where it was removed or erased.
    pub body: Option<Vec<u8>>,
    /// Whether it is the erasure of the record.
    pub erased: bool,
}

impl Tenant {
    /// The current version of a resource.
    pub async fn read(&self, caller: &Caller, kind: &str, id: &str) -> Result<Stored, Failure> {
        let permit = self.permit_for(caller, "read", kind, id).await?;
        let found = self.view.read(&permit, kind, id)?;
        let stored = match found {
            Found::Current(stored) => stored,
            Found::Removed => {
                let located = self.view.locate(kind, id)?;
                if located.as_ref().is_some_and(|located| located.erased) {
                    return Err(Failure::Erased);
                }
                return Err(Failure::Removed(located.map_or(0, |located| located.version)));
            }
            Found::Nothing => return Err(Failure::NotFound),
        };
        let category = [stored.category.as_str()];
        let deed = Deed {
            action: "read",
            person: stored.person,
            categories: &category,
            resources: 1,
            kind,
            id: Some(id),
            query: None,
        };
        self.disclosed_as(caller, &permit, &deed).await?;
        Ok(stored)
    }

    /// One version of a resource.
    pub async fn vread(
        &self,
        caller: &Caller,
        kind: &str,
        id: &str,
        version: Position,
    ) -> Result<Version, Failure> {
        let permit = self.permit_for(caller, "vread", kind, id).await?;
        let versions = self.view.versions(&permit, kind, id)?;
        let erased = self.view.locate(kind, id)?.is_some_and(|located| located.erased);
        if erased && !versions.is_empty() {
            return Err(Failure::Erased);
        }
        if !versions.contains(&version) {
            return Err(Failure::NotFound);
        }
        let found = self.version(kind, version)?;
        if !self.is_within(&permit, &found)? {
            return Err(Failure::NotFound);
        }
        self.disclosed_of(caller, &permit, "vread", kind, id, 1).await?;
        Ok(found)
    }

    /// A search. `cursor` is where a page before ended.
    pub async fn search(
        &self,
        caller: &Caller,
        query: Query,
        cursor: Option<&str>,
    ) -> Result<Page, Failure> {
        self.search_as(caller, query, cursor, None).await
    }

    /// A search that was asked in these words, which name nobody.
    pub(crate) async fn search_as(
        &self,
        caller: &Caller,
        mut query: Query,
        cursor: Option<&str>,
        asked: Option<&str>,
    ) -> Result<Page, Failure> {
        let named = self.named_person(caller, &mut query)?;
        let (own, also) = (searched_keys(&query), also_keys(&query));
        let about = match named {
            Named::One(person) => About::Person(person),
            // An app that was launched for a patient need not name it.
            Named::Unsaid if own.iter().copied().any(is_about_person) => {
                self.launched(caller)?.map_or(About::Unnamed, About::Person)
            }
            Named::Unsaid | Named::Nobody => About::Unnamed,
        };
        self.within_scopes(caller, ("search", about), &query.kinds, Interaction::Search).await?;
        let permit = self.decide_with(caller, "search", about, &own, &also).await?;
        let page = if named == Named::Nobody {
            Page { total: Some(0), ..Page::default() }
        } else {
            self.view.search(&permit, &query, cursor, self.now())?
        };
        let person = match (named, permit.reach()) {
            (Named::One(person), _) => Some(person),
            (_, access::permit::Reach::Person(person)) => Some(*person),
            _ => None,
        };
        let shown = page.matches.len() + page.included.len();
        let kind = query.kind().unwrap_or_default();
        let categories = permit.categories();
        let deed = Deed {
            action: "search",
            person,
            categories,
            resources: shown,
            kind,
            id: None,
            query: asked,
        };
        if person.is_some() || shown == 0 {
            self.disclosed_as(caller, &permit, &deed).await?;
        } else {
            self.disclosed_each(caller, &permit, &page, deed).await?;
        }
        Ok(page)
    }

    /// A search that names nobody shows somebody all the same: one entry for each person in the
    /// answer, so that every look stands in that person's log.
    async fn disclosed_each(
        &self,
        caller: &Caller,
        permit: &ReadPermit,
        page: &Page,
        deed: Deed<'_>,
    ) -> Result<(), Failure> {
        let mut shown: BTreeMap<Option<PersonId>, usize> = BTreeMap::new();
        let included = page.included.iter().map(|(_, stored)| stored);
        for stored in page.matches.iter().chain(included) {
            *shown.entry(stored.person).or_default() += 1;
        }
        let records = shown.into_iter().map(|(person, resources)| {
            let deed = Deed { person, resources, ..deed };
            (person, AuditRecord::permitted(caller, &deed, permit.basis()))
        });
        self.record_audit(caller, records.collect()).await
    }

    /// Decides about one resource. Where there is none, the decision is about its type, so that
    /// somebody without any access learns nothing from the difference.
    pub(crate) async fn permit_for(
        &self,
        caller: &Caller,
        action: &str,
        kind: &str,
        id: &str,
    ) -> Result<ReadPermit, Failure> {
        let located = self.view.locate(kind, id)?;
        let person = located.as_ref().and_then(|located| located.person);
        let about = person.map_or(About::Unnamed, About::Person);
        self.within_scopes(caller, (action, about), &[kind], Interaction::Read).await?;
        let Some(located) = located else {
            let decided = self.decide(caller, action, About::Unnamed, &keys_of(kind)).await;
            return Err(match decided {
                Err(Failure::Refused(refusal)) if refusal.rule != Rule::PatientNotNamed => {
                    Failure::Refused(refusal)
                }
                Err(Failure::Unavailable(what)) => Failure::Unavailable(what),
                _ => Failure::NotFound,
            });
        };
        let key = Catalogue::get().category(&located.category).map(|it| it.key.as_str());
        let keys: Vec<CategoryKey> = key.into_iter().collect();
        self.decide_for(caller, action, about, &keys, Interaction::Read).await
    }

    /// The access decision; a refusal is in the audit ledger before it is told.
    pub(crate) async fn decide(
        &self,
        caller: &Caller,
        action: &str,
        about: About,
        categories: &[CategoryKey],
    ) -> Result<ReadPermit, Failure> {
        self.decide_for(caller, action, about, categories, Interaction::Search).await
    }

    /// The same for a way to read as scopes tell them apart; the permit is what they leave of it.
    async fn decide_for(
        &self,
        caller: &Caller,
        action: &str,
        about: About,
        categories: &[CategoryKey],
        interaction: Interaction,
    ) -> Result<ReadPermit, Failure> {
        self.check_view()?;
        match self.judge(caller, about, categories, interaction)? {
            Ok(permit) => Ok(permit),
            Err(refusal) => Err(self.refused(caller, action, about, categories, refusal).await?),
        }
    }

    /// Decides about the categories an answer needs, and then about those that go with it, which
    /// the permit holds so far as the caller may read them.
    pub(crate) async fn decide_with(
        &self,
        caller: &Caller,
        action: &str,
        about: About,
        needed: &[CategoryKey],
        also: &[CategoryKey],
    ) -> Result<ReadPermit, Failure> {
        if also.is_empty() {
            return self.decide(caller, action, about, needed).await;
        }
        let all = [needed, also].concat();
        self.check_view()?;
        // Mostly one decision says both: something of what is needed is open.
        if let Ok(permit) = self.judge(caller, about, &all, Interaction::Search)?
            && permit.categories().iter().any(|key| needed.contains(key))
        {
            return Ok(permit);
        }
        self.decide(caller, action, about, needed).await?;
        self.decide(caller, action, about, &all).await
    }

    /// The content of a version as the ledger has it, without its `meta`.
    pub(crate) fn content(&self, kind: &str, version: Position) -> Result<Value, Failure> {
        let record = self.ledger.record(version)?.ok_or(Failure::NotFound)?;
        let Body::Plain(body) = &record.body else { return Err(Failure::Gone) };
        let broken = || Failure::Unavailable(format!("the {kind} at {version} cannot be read"));
        let (_, json) = Envelope::open(body).map_err(|_| broken())?;
        json::parse(json).map_err(|_| broken())
    }

    /// A version as the ledger has it, printed as the view would.
    pub(crate) fn version(&self, kind: &str, version: Position) -> Result<Version, Failure> {
        let record = self.ledger.record(version)?.ok_or(Failure::NotFound)?;
        let updated = record.entry.recorded_at;
        let Body::Plain(body) = &record.body else { return Err(Failure::Gone) };
        let erased = record.entry.kind == Kind::Resealing;
        if erased || record.entry.kind == Kind::Removal {
            return Ok(Version { version, updated, body: None, erased });
        }
        let broken = || Failure::Unavailable(format!("the {kind} at {version} cannot be read"));
        let (_, json) = Envelope::open(body).map_err(|_| broken())?;
        let value = json::parse(json).map_err(|_| broken())?;
        let mut resource = Resource::from_value(value).map_err(|_| broken())?;
        resource.set_meta(&version.to_string(), &format_instant(updated));
        let body = Some(json::print(resource.value()).into_bytes());
        Ok(Version { version, updated, body, erased })
    }

    /// The person a search names. The filter that names it is taken out: the permit's reach is
    /// that person, and the view needs no second look.
    pub(crate) fn named_person(
        &self,
        caller: &Caller,
        query: &mut Query,
    ) -> Result<Named, Failure> {
        let mut named = match &query.compartment {
            Some(of) if of.kind == "Patient" => self.by_patient(&of.id)?,
            _ => Named::Unsaid,
        };
        let kind = query.kind().unwrap_or_default();
        // Of a type that may be about nobody, what the filter says must hold.
        let keeps = kind == "Patient" || !searched_keys(query).into_iter().all(is_about_person);
        let mut i = 0;
        while let Some(filter) = query.filters.get(i) {
            let found = self.person_in(caller, kind, filter)?;
            let keep = match (found, named) {
                (None, _) => true,
                (Some(found), Named::Unsaid) => {
                    named = found;
                    keeps
                }
                (Some(found), before) => {
                    if found != before {
                        named = Named::Nobody;
                    }
                    keeps
                }
            };
            if keep {
                i += 1;
            } else {
                query.filters.remove(i);
            }
        }
        Ok(named)
    }

    /// The person that one filter names, if it names exactly one.
    fn person_in(
        &self,
        caller: &Caller,
        kind: &str,
        filter: &Filter,
    ) -> Result<Option<Named>, Failure> {
        if filter.negated {
            return Ok(None);
        }
        if let [Condition::OfKind { kind, filter }, rest @ ..] = filter.any.as_slice() {
            // In a search of several types, it names the person if it does so of each type.
            let named = self.person_in(caller, kind, filter)?;
            for condition in rest {
                let Condition::OfKind { kind, filter } = condition else { return Ok(None) };
                if self.person_in(caller, kind, filter)? != named {
                    return Ok(None);
                }
            }
            return Ok(named);
        }
        let [condition] = filter.any.as_slice() else { return Ok(None) };
        match (&filter.on, condition) {
            (Target::Id, Condition::Id(id)) if kind == "Patient" => self.by_patient(id).map(Some),
            (Target::Parameter(parameter), Condition::Token(token))
                if kind == "Patient" && parameter.code == "identifier" =>
            {
                self.by_number(caller, &token.system, token.code.as_deref())
            }
            (Target::Parameter(parameter), condition)
                if !parameter.is_added()
                    && matches!(parameter.code.as_str(), "patient" | "subject") =>
            {
                match condition {
                    Condition::Reference { kinds, id }
                        if kinds.is_empty() || kinds.contains(&"Patient") =>
                    {
                        self.by_patient(id).map(Some)
                    }
                    Condition::Logical { identifier, .. } => {
                        self.by_number(caller, &identifier.system, identifier.code.as_deref())
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn by_patient(&self, id: &str) -> Result<Named, Failure> {
        let located = self.view.locate("Patient", id)?;
        let person = located.and_then(|located| located.person).or_else(|| PersonId::parse(id));
        Ok(person.map_or(Named::Nobody, Named::One))
    }

    /// A national number may come without its system: nothing else is asked for that way. A system
    /// needs to name nobody, so its own identifiers are left for the search to match.
    fn by_number(
        &self,
        caller: &Caller,
        system: &SystemMatch,
        value: Option<&str>,
    ) -> Result<Option<Named>, Failure> {
        let Some(value) = value else { return Ok(None) };
        let key = match system {
            SystemMatch::Is(system) if system::is_national_number(system) => NATIONAL,
            SystemMatch::Is(_) if matches!(caller.party, Party::System) => return Ok(None),
            SystemMatch::Is(system) => system,
            SystemMatch::Any | SystemMatch::Absent => NATIONAL,
        };
        let person = self.keys.expected(&PersonKey { system: key, value })?;
        Ok(Some(Named::One(person)))
    }

    /// The person with a national number, whether or not anything is known.
    pub fn person(&self, number: &str) -> Result<PersonId, Failure> {
        record::identity::accept_number(number, self.strictness())
            .map_err(|error| Failure::invalid(IssueCode::Value, "identifier", error.to_string()))?;
        Ok(self.keys.expected(&PersonKey { system: NATIONAL, value: number })?)
    }

    /// The person behind a Patient's id.
    pub fn person_of_patient(&self, id: &str) -> Result<PersonId, Failure> {
        match self.by_patient(id)? {
            Named::One(person) => Ok(person),
            Named::Nobody | Named::Unsaid => Err(Failure::NotFound),
        }
    }
}

/// Whom a search is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// It does not say.
    Unsaid,
    /// One person.
    One(PersonId),
    /// Two at once, or somebody unknown: nothing can match.
    Nobody,
}

/// Keys of the categories that hold resources of this type.
pub(crate) fn keys_of(kind: &str) -> Vec<CategoryKey> {
    Catalogue::get().of_type(kind).map(|category| category.key.as_str()).collect()
}

/// Keys of all categories.
pub(crate) fn all_keys() -> Vec<CategoryKey> {
    Catalogue::get().categories.iter().map(|category| category.key.as_str()).collect()
}

/// Keys of the categories that hold resources of the types searched.
fn searched_keys(query: &Query) -> Vec<CategoryKey> {
    if query.kinds.is_empty() {
        return all_keys();
    }
    query.kinds.iter().flat_map(|kind| keys_of(kind)).collect()
}

fn is_about_person(key: &str) -> bool {
    Catalogue::get().category(key).is_none_or(|category| category.about_person)
}

/// Keys of the categories that a search's includes may bring, and of those that its chains go
/// through: what the caller may not read tells nothing there either.
fn also_keys(query: &Query) -> Vec<CategoryKey> {
    let mut kinds: Vec<&'static str> = Vec::new();
    for include in query.includes.iter().chain(&query.revincludes) {
        match &include.parameter {
            Some(parameter) if !parameter.targets.is_empty() => kinds.extend(&parameter.targets),
            Some(_) | None => kinds.extend(definitions::resource_kinds()),
        }
        kinds.extend(include.target.iter().chain(&include.source));
    }
    for filter in &query.filters {
        chained_kinds(filter, &mut kinds);
    }
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().flat_map(keys_of).collect()
}

/// The types that a filter asks about beside the one that is searched.
fn chained_kinds(filter: &Filter, kinds: &mut Vec<&'static str>) {
    for condition in &filter.any {
        match condition {
            Condition::Chain { kind, filter } | Condition::Has { kind, filter, .. } => {
                kinds.push(kind);
                chained_kinds(filter, kinds);
            }
            Condition::Logical { chained, .. } => kinds.extend(chained),
            Condition::InList(_) => kinds.push("List"),
            Condition::OfKind { filter, .. } => chained_kinds(filter, kinds),
            Condition::All(filters) => {
                filters.iter().for_each(|filter| chained_kinds(filter, kinds));
            }
            _ => {}
        }
    }
}

/// Parses the body of a stored resource.
pub(crate) fn parsed(stored: &Stored) -> Result<Value, Failure> {
    json::parse(&stored.body).map_err(|_| {
        Failure::Unavailable(format!("the resource at position {} cannot be read", stored.version))
    })
}

/// The resource type with this name, or a failure that says so.
pub fn known_kind(name: &str) -> Result<&'static str, Failure> {
    resource_kind(name).ok_or(Failure::NotFound)
}
