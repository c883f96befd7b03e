//! The information services for one person: decide, gather, compose, write down, answer.

use std::collections::HashMap;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use fhir::value::Value;
use record::catalogue::{ACCESS, CategoryKey};
use record::entry::Position;
use record::identity::PersonId;
use record::news2::assemble::{WINDOW_MS, assemble};
use record::news2::course::Course;
use record::system;
use view::store::Stored;

use crate::answer::{AccessLine, Incomplete, News2, Overview, PatientHeader, Stretch};
use crate::audit::AuditRecord;
use crate::error::Failure;
use crate::read::parsed;
use crate::services::{Item, compose, phone};
use crate::tenant::Tenant;
use crate::vitals::Vitals;

/// Entries of the audit ledger read at a time.
const LOG_PAGE: usize = 500;

/// What of an access log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Every entry: deliveries and the resident's own looks too.
    All,
    /// Looks, and refused attempts, of anybody but the resident.
    OfOthers,
}

/// What the overview needs, and what goes with it.
const SERVICES: [&[CategoryKey]; 2] =
    [&["services"], &["decisions", "organisation", "demographics"]];
/// What NEWS2 needs, and what goes with it.
pub(crate) const MEASUREMENTS: [&[CategoryKey]; 2] = [&["measurements"], &["demographics"]];

impl Tenant {
    /// *Oversikt over kommunale tjenester* for one person.
    pub async fn overview(&self, caller: &Caller, person: PersonId) -> Result<Overview, Failure> {
        let [needed, also] = SERVICES;
        let about = About::Person(person);
        self.whole_by_scopes(caller, ("overview", about), &["EpisodeOfCare", "ServiceRequest"])
            .await?;
        let permit = self.decide_with(caller, "overview", about, needed, also).await?;
        let mut incomplete = Vec::new();
        let episodes = self.items(&permit, "EpisodeOfCare", &mut incomplete)?;
        let decisions = self.items(&permit, "ServiceRequest", &mut incomplete)?;
        let organisations = self.organisations(&permit, &mut incomplete)?;
        self.missing(&permit, &mut incomplete)?;
        let patient = self.header(&permit, person)?;
        let shown = episodes.len() + decisions.len();
        let register = self.register();
        let name = |number: &str| register.organisation_name(number).map(str::to_owned);
        let (active, ended) = compose(episodes, &decisions, &organisations, &self.today(), name);
        let categories = permit.categories();
        self.disclosed(caller, &permit, "overview", Some(person), categories, shown).await?;
        Ok(Overview { patient, active, ended, incomplete })
    }

    /// NEWS2 for one person: latest, series, trend and normal level.
    pub async fn news2(&self, caller: &Caller, person: PersonId) -> Result<News2, Failure> {
        let [needed, also] = MEASUREMENTS;
        let about = About::Person(person);
        self.whole_by_scopes(caller, ("news2", about), &["Observation"]).await?;
        let permit = self.decide_with(caller, "news2", about, needed, also).await?;
        let (news2, shown) = self.measured(&permit, person)?;
        let categories = permit.categories();
        self.disclosed(caller, &permit, "news2", Some(person), categories, shown).await?;
        Ok(news2)
    }

    /// Who has looked at a person's information, the newest first, at most `count`. For the person
    /// alone.
    pub async fn access_log(
        &self,
        caller: &Caller,
        person: PersonId,
        looks: Looks,
        count: usize,
    ) -> Result<Vec<AccessLine>, Failure> {
        let all = Stretch::default();
        self.access_log_in(caller, person, looks, all, count).await.map(|(lines, _)| lines)
    }

    /// As [`Tenant::access_log`], of a part; also tells where the next page begins, if there is more.
    pub async fn access_log_in(
        &self,
        caller: &Caller,
        person: PersonId,
        looks: Looks,
        stretch: Stretch,
        count: usize,
    ) -> Result<(Vec<AccessLine>, Option<Position>), Failure> {
        // No role reads this category: only the resident does.
        let permit = self.decide(caller, "access-log", About::Person(person), &[ACCESS]).await?;
        let register = self.register();
        let name = |number: &str| register.organisation_name(number).map(str::to_owned);
        let first = stretch.from.map_or(Ok(1), |from| self.audit.first_recorded(from))?;
        let end = stretch.to.map(|to| self.audit.first_recorded(to)).transpose()?;
        let mut before = [stretch.before, end].into_iter().flatten().min();
        let (mut lines, mut next) = (Vec::new(), None);
        'pages: loop {
            let page = self.audit.by_person(person, before, LOG_PAGE)?;
            for record in &page {
                let position = record.entry.position;
                if position < first {
                    break 'pages;
                }
                let audit = AuditRecord::read(record)?;
                if looks != Looks::All && !audit.is_of_others() {
                    continue;
                }
                if lines.len() == count {
                    // There is one more: the page after begins with it.
                    next = Some(position + 1);
                    break 'pages;
                }
                lines.push(audit.line(&record.entry, name));
            }
            before = page.last().map(|record| record.entry.position);
            if page.len() < LOG_PAGE {
                break;
            }
        }
        self.disclosed(caller, &permit, "access-log", Some(person), &[ACCESS], lines.len()).await?;
        Ok((lines, next))
    }

    /// Who the patient is, for a caller who may read the person's demographics.
    pub async fn patient(
        &self,
        caller: &Caller,
        person: PersonId,
    ) -> Result<PatientHeader, Failure> {
        let permit =
            self.decide(caller, "patient", About::Person(person), &["demographics"]).await?;
        let header = self.header(&permit, person)?;
        let categories = permit.categories();
        self.disclosed(caller, &permit, "patient", Some(person), categories, 1).await?;
        Ok(header)
    }

    pub(crate) fn measured(
        &self,
        permit: &ReadPermit,
        person: PersonId,
    ) -> Result<(News2, usize), Failure> {
        let mut incomplete = Vec::new();
        let mut vitals = Vitals::default();
        let observations = self.items(permit, "Observation", &mut incomplete)?;
        for observation in &observations {
            vitals.add(&observation.id, &observation.value);
        }
        if vitals.unreadable > 0 {
            incomplete.push(Incomplete::Measurements { count: vitals.unreadable });
        }
        self.missing(permit, &mut incomplete)?;
        let sets = assemble(&vitals.readings, &vitals.received, WINDOW_MS);
        let course = Course::build(sets, self.now());
        let patient = self.header(permit, person)?;
        Ok((News2 { patient, course, incomplete }, observations.len()))
    }

    /// A person's resources of one type, parsed. One that cannot be read is told of.
    fn items(
        &self,
        permit: &ReadPermit,
        kind: &str,
        incomplete: &mut Vec<Incomplete>,
    ) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        for stored in self.view.records(permit, kind)? {
            match parsed(&stored) {
                Ok(value) => items.push(Item {
                    id: stored.id,
                    owner: stored.owner,
                    source: stored.source,
                    updated: stored.updated,
                    value,
                }),
                Err(_) => incomplete.push(Incomplete::Record { position: stored.version }),
            }
        }
        Ok(items)
    }

    /// Adds what the view itself could not read.
    pub(crate) fn missing(
        &self,
        permit: &ReadPermit,
        incomplete: &mut Vec<Incomplete>,
    ) -> Result<(), Failure> {
        let skipped = self.view.skipped(permit)?;
        incomplete.extend(skipped.into_iter().map(|position| Incomplete::Record { position }));
        incomplete.extend(self.view.tells_withheld(permit)?.then_some(Incomplete::Withheld));
        Ok(())
    }

    /// The municipality's organisations by id.
    fn organisations(
        &self,
        permit: &ReadPermit,
        incomplete: &mut Vec<Incomplete>,
    ) -> Result<HashMap<String, Value>, Failure> {
        let items = self.items(permit, "Organization", incomplete)?;
        Ok(items.into_iter().map(|item| (item.id, item.value)).collect())
    }

    /// What the Patients of a person say; the first that says something counts.
    pub(crate) fn header(
        &self,
        permit: &ReadPermit,
        person: PersonId,
    ) -> Result<PatientHeader, Failure> {
        let patients: Vec<Value> = self
            .view
            .records(permit, "Patient")?
            .iter()
            .map(|stored: &Stored| parsed(stored))
            .collect::<Result<_, _>>()?;
        let first = |read: &dyn Fn(&Value) -> Option<String>| patients.iter().find_map(read);
        Ok(PatientHeader {
            person,
            name: first(&name),
            number: first(&number),
            birth_date: first(&|patient| patient.text("birthDate").map(str::to_owned)),
            gender: first(&|patient| patient.text("gender").map(str::to_owned)),
            address: first(&address),
            phone: first(&phone),
        })
    }
}

fn name(patient: &Value) -> Option<String> {
    let names = patient.items("name");
    let official = names.iter().find(|name| name.text("use") == Some("official"));
    let name = official.or(names.first())?;
    let given = name.items("given").iter().filter_map(Value::as_str);
    let parts: Vec<&str> = given.chain(name.text("family")).collect();
    if parts.is_empty() { name.text("text").map(str::to_owned) } else { Some(parts.join(" ")) }
}

fn number(patient: &Value) -> Option<String> {
    patient
        .items("identifier")
        .iter()
        .find(|identifier| identifier.text("system").is_some_and(system::is_national_number))
        .and_then(|identifier| identifier.text("value"))
        .map(str::to_owned)
}

fn address(patient: &Value) -> Option<String> {
    let address = patient.items("address").first()?;
    if let Some(text) = address.text("text") {
        return Some(text.to_owned());
    }
    let line = address.items("line").iter().filter_map(Value::as_str);
    let place: Vec<&str> =
        [address.text("postalCode"), address.text("city")].into_iter().flatten().collect();
    let mut parts: Vec<String> = line.map(str::to_owned).collect();
    if !place.is_empty() {
        parts.push(place.join(" "));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
