//! `$oversikt`: one picture of a patient, from what is kept here and what others hold, as far as the situation asks
//! for it and the caller may see it.
//!
//! A [`context::Context`] says what is shown first; the access decision says what may be. Facts from two origins are
//! put together ([`fact::merge`]); what is silent, closed, too old or too much is told in each section. Nothing of it is
//! kept: an answer is made from the current versions, so what a source corrects is corrected in the next answer,
//! and derived facts are computed anew from their inputs.

pub mod context;
pub mod fact;
mod local;
mod outside;
mod print;

use std::cmp::Reverse;

use access::caller::Caller;
use access::decide::About;
use access::permit::ReadPermit;
use fhir::value::Value;
use record::catalogue::CategoryKey;
use record::identity::PersonId;
use record::news2::assemble::{WINDOW_MS, assemble};
use record::news2::course::Course;

use crate::answer::{Incomplete, PatientHeader};
use crate::audit::Deed;
use crate::error::Failure;
use crate::operation::parameters::Parameters;
use crate::tenant::Tenant;
use crate::vitals::Vitals;
use context::{Chosen, Context, Section};
use fact::{Fact, merge};
use local::{Facts, kinds};
use outside::{Outside, Silent};

/// The answer.
#[derive(Debug)]
pub struct Oversikt {
    /// Whom it is about.
    pub patient: PatientHeader,
    /// What sources say of who it is.
    pub patients: Vec<Fact>,
    /// The situation it is for.
    pub context: &'static Context,
    /// What is shown, in its order.
    pub sections: Vec<Shown>,
    /// Categories about persons that the situation leaves out.
    pub left_out: Vec<CategoryKey>,
    /// What is kept here and could not be read.
    pub incomplete: Vec<Incomplete>,
    /// What others did not tell.
    pub silences: Vec<Silent>,
    /// NEWS2 of the vital signs shown, whoever measured them.
    pub news2: Option<Derived>,
    /// When it was made, milliseconds since 1970.
    pub at: i64,
}

/// A section of the answer.
#[derive(Debug)]
pub struct Shown {
    /// The category.
    pub category: CategoryKey,
    /// How the situation asks for it.
    pub section: Section,
    /// Whether what is kept here of it is open to the caller.
    pub is_open: bool,
    /// The newest first.
    pub facts: Vec<Fact>,
    /// How many are older than the section looks back.
    pub older: usize,
    /// How many are more than the section shows.
    pub beyond: usize,
}

/// A NEWS2 that was computed from what is shown.
#[derive(Debug)]
pub struct Derived {
    /// Sets, and the patient's own normal level.
    pub course: Course,
    /// Addresses of the facts, by the numbers that the sets know them by.
    pub inputs: Vec<String>,
}

impl Tenant {
    /// The picture of one person that `given` asks for. `base` is the address of the door.
    ///
    /// # Errors
    /// Where a parameter is not understood, and where nothing of what is asked for is open to the caller.
    pub async fn oversikt(
        &self,
        caller: &Caller,
        person: PersonId,
        given: &Parameters,
        base: &str,
    ) -> Result<Value, Failure> {
        let chosen = Chosen::read(caller, &self.standing(), given)?;
        let categories = chosen.categories();
        let about = About::Person(person);
        self.whole_by_scopes(caller, ("oversikt", about), &kinds(&categories)).await?;
        let also = ["demographics"];
        let permit = self.decide_with(caller, "oversikt", about, &categories, &also).await?;
        let patient = self.header(&permit, person)?;
        let mut incomplete = Vec::new();
        let mut own = self.own_facts(&permit, base, &mut incomplete)?;
        let patients = patients(&mut own);
        self.missing(&permit, &mut incomplete)?;
        let outside = match chosen.asks_others {
            true => self.ask_others(caller, person, patient.number.as_deref(), &categories).await?,
            false => Outside::default(),
        };
        let now = self.now();
        let open = permit.categories();
        let sections = shown(&chosen, &permit, own, outside.facts, now);
        let answer = Oversikt {
            patient,
            patients,
            context: chosen.context,
            left_out: chosen.left_out(),
            news2: derived(&sections, now),
            sections,
            incomplete,
            silences: outside.silences,
            at: now,
        };
        let shown = answer.sections.iter().map(|section| section.facts.len());
        let resources = answer.patients.len() + shown.sum::<usize>();
        // What others told is told on, also of a category that is closed here.
        let told = answer.sections.iter().filter(|it| !it.facts.is_empty()).map(|it| it.category);
        let mut categories = open.to_vec();
        categories.extend(told.filter(|key| !open.contains(key)));
        let query = Some(answer.context.key.as_str());
        let deed = Deed {
            action: "oversikt",
            person: Some(person),
            categories: &categories,
            resources,
            query,
            ..Deed::default()
        };
        self.disclosed_as(caller, &permit, &deed).await?;
        let register = self.register();
        let owner = (register.organisation.as_str(), register.name.as_str());
        Ok(print::document(&answer, owner, base, &self.new_id()?))
    }
}

/// Takes out the Patients: a document has whom it is about.
fn patients(own: &mut Facts) -> Vec<Fact> {
    let all = own.remove("demographics").unwrap_or_default();
    let is_patient = |fact: &Fact| fact.value.text("resourceType") == Some("Patient");
    let (patients, others) = all.into_iter().partition(is_patient);
    own.insert("demographics", others);
    patients
}

/// Each section with its facts: put together, the newest first, within what the section looks at.
fn shown(
    chosen: &Chosen,
    permit: &ReadPermit,
    mut own: Facts,
    mut outside: Facts,
    now: i64,
) -> Vec<Shown> {
    let section = |(category, section): &(CategoryKey, Section)| {
        let mut facts = own.remove(category).unwrap_or_default();
        facts.append(&mut outside.remove(category).unwrap_or_default());
        let mut facts = merge(facts);
        facts.sort_by_key(|fact| Reverse(fact.at));
        let (all, from) = (facts.len(), section.from(now));
        // What does not say when it was is never too old.
        facts.retain(|fact| from.is_none_or(|from| fact.at.is_none_or(|at| at >= from)));
        let older = all - facts.len();
        let beyond = facts.len().saturating_sub(section.most.unwrap_or(usize::MAX));
        facts.truncate(facts.len() - beyond);
        let is_open = !permit.is_closed(category);
        let (category, section) = (*category, section.clone());
        Shown { category, section, is_open, facts, older, beyond }
    };
    chosen.sections.iter().map(section).collect()
}

/// NEWS2 by the vital signs that are shown; nothing where there is no set with a total.
fn derived(sections: &[Shown], now: i64) -> Option<Derived> {
    let measured = sections.iter().filter(|it| it.category == "measurements");
    let mut vitals = Vitals::default();
    let mut inputs = Vec::new();
    for fact in measured.flat_map(|section| &section.facts) {
        vitals.add(&inputs.len().to_string(), &fact.value);
        inputs.push(fact.url.clone());
    }
    let sets = assemble(&vitals.readings, &vitals.received, WINDOW_MS);
    let course = Course::build(sets, now);
    course.latest_with_total()?;
    Some(Derived { course, inputs })
}

impl Derived {
    /// The addresses of what the latest total was made from, each once.
    pub fn inputs_of_latest(&self) -> Vec<&str> {
        let Some(set) = self.course.latest_with_total() else { return Vec::new() };
        let readings = set.readings.iter().map(|it| it.source.as_str());
        let sources = readings.chain(set.received.iter().map(|it| it.source.as_str()));
        let number = |source: &str| source.strip_prefix("Observation/")?.parse::<usize>().ok();
        let mut urls: Vec<&str> = sources
            .filter_map(|source| self.inputs.get(number(source)?).map(String::as_str))
            .collect();
        urls.sort_unstable();
        urls.dedup();
        urls
    }
}
