//! The contexts of `$oversikt`, as data: `data/contexts.toml`. Which categories a situation is shown, in which
//! order and how far back.

use std::sync::LazyLock;

use access::caller::{Caller, Party};
use access::standing::Standing;
use fhir::issue::IssueCode;
use record::catalogue::{Catalogue, CategoryKey};
use record::purpose::Purpose;
use serde::Deserialize;

use crate::error::Failure;
use crate::operation::parameters::{Parameters, missing, wrong};

/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// One situation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Stable key.
    pub key: String,
    /// Title in Bokmål.
    pub title: String,
    /// When it is chosen for who names none.
    #[serde(rename = "for")]
    pub fits: Fits,
    /// What it shows, in its order.
    pub sections: Vec<Section>,
}

/// Whom a context is chosen for; an empty list fits all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fits {
    /// Kinds of the units of the register.
    pub units: Vec<String>,
    /// Codes of purposes.
    pub purposes: Vec<String>,
    /// Professions, kodeverk 9060.
    pub professions: Vec<String>,
}

/// A category in a context.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Key of the category.
    pub category: String,
    /// How far back, in days.
    #[serde(default)]
    pub days: Option<u32>,
    /// How many at most.
    #[serde(default)]
    pub most: Option<usize>,
    /// Why it is here, in Bokmål.
    pub why: String,
}

#[derive(Deserialize)]
struct File {
    context: Vec<Context>,
}

static CONTEXTS: LazyLock<Vec<Context>> = LazyLock::new(|| {
    // The file is part of the program and a test reads it; without it there would be nothing to choose.
    toml::from_str(include_str!("../../data/contexts.toml"))
        .map_or_else(|_| Vec::new(), |file: File| file.context)
});

/// Every context.
pub fn contexts() -> &'static [Context] {
    &CONTEXTS
}

/// What is to be shown.
#[derive(Debug)]
pub struct Chosen {
    /// The context.
    pub context: &'static Context,
    /// The sections, as the caller has changed them.
    pub sections: Vec<(CategoryKey, Section)>,
    /// Whether others are asked.
    pub asks_others: bool,
}

impl Chosen {
    /// What a call chooses: a context by `kontekst`, or the one that fits the caller; `med` and `uten` add and
    /// take away categories, `dager` is how far back every section looks (0: everything), and with `kilder=false`
    /// nobody else is asked.
    ///
    /// # Errors
    /// Where a name is not known, naming those that are.
    pub fn read(caller: &Caller, standing: &Standing, given: &Parameters) -> Result<Self, Failure> {
        given.only(&["kontekst", "med", "uten", "dager", "kilder"])?;
        let context = match given.text("kontekst") {
            Some(key) => contexts().iter().find(|it| it.key == key).ok_or_else(no_context)?,
            None => fitting(caller, standing).ok_or_else(no_context)?,
        };
        let days = given.number("dager")?;
        let mut sections = Vec::new();
        for section in &context.sections {
            sections.push((known(&section.category)?, section.clone()));
        }
        for name in given.texts("med") {
            let category = known(name)?;
            if !sections.iter().any(|(there, _)| *there == category) {
                let why = "Du har bedt om det.".to_owned();
                let section = Section { category: name.to_owned(), days: None, most: None, why };
                sections.push((category, section));
            }
        }
        for name in given.texts("uten") {
            let category = known(name)?;
            sections.retain(|(there, _)| *there != category);
        }
        if let Some(days) = days {
            let days = u32::try_from(days).ok().filter(|days| *days > 0);
            sections.iter_mut().for_each(|(_, section)| {
                (section.days, section.most) = (days, None);
            });
        }
        if sections.is_empty() {
            return Err(missing("nothing is left to show; leave something of `uten` out"));
        }
        Ok(Self { context, sections, asks_others: given.flag("kilder")?.unwrap_or(true) })
    }

    /// Keys of the categories.
    pub fn categories(&self) -> Vec<CategoryKey> {
        self.sections.iter().map(|(category, _)| *category).collect()
    }

    /// Categories about persons that it does not show.
    pub fn left_out(&self) -> Vec<CategoryKey> {
        let shown = self.categories();
        let all = Catalogue::get().categories.iter().filter(|it| it.about_person);
        all.map(|it| it.key.as_str()).filter(|key| !shown.contains(key)).collect()
    }
}

impl Section {
    /// The earliest time it shows, milliseconds since 1970.
    pub fn from(&self, now: i64) -> Option<i64> {
        self.days.map(|days| now - i64::from(days) * DAY_MS)
    }
}

/// A category about persons.
fn known(key: &str) -> Result<CategoryKey, Failure> {
    let category = Catalogue::get().category(key).filter(|it| it.about_person);
    category.map(|it| it.key.as_str()).ok_or_else(|| {
        let message = format!("the catalogue has no category `{}` about persons", shortened(key));
        wrong(IssueCode::Value, &message)
    })
}

fn shortened(text: &str) -> String {
    text.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').take(40).collect()
}

fn no_context() -> Failure {
    let keys: Vec<&str> = contexts().iter().map(|it| it.key.as_str()).collect();
    wrong(IssueCode::Value, &format!("say `kontekst` as one of `{}`", keys.join("`, `")))
}

/// The first context that fits where, why and as what the caller works.
fn fitting(caller: &Caller, standing: &Standing) -> Option<&'static Context> {
    if matches!(caller.party, Party::Resident { .. }) {
        let own = Purpose::PatientRequest.code();
        return contexts().iter().find(|it| it.fits.purposes.iter().any(|code| code == own));
    }
    let attest = caller.attest()?;
    let kind = standing.register().unit(&attest.point_of_care).map(|unit| unit.kind.as_str());
    let fits = |list: &[String], own: Option<&str>| {
        list.is_empty() || own.is_some_and(|own| list.iter().any(|it| it == own))
    };
    contexts().iter().find(|it| {
        fits(&it.fits.units, kind)
            && fits(&it.fits.purposes, Some(attest.purpose.code()))
            && fits(&it.fits.professions, attest.authorization.as_deref())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_context_shows_categories_that_there_are() {
        assert_eq!(contexts().len(), 8);
        for section in contexts().iter().flat_map(|context| &context.sections) {
            assert!(known(&section.category).is_ok(), "{}", section.category);
            assert!(!section.why.is_empty());
        }
    }
}
