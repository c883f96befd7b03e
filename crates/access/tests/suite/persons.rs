//! What residents have decided, as the cases of the corpus say it.

use access::opening::Opening;
use access::representation::{Kind, Representation};
use access::restriction::{Against, Restriction, What};
use access::standing::PersonStanding;
use serde::Deserialize;

use crate::cases::{milliseconds, person};

/// One resident.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonText {
    /// The beginning of the day of birth.
    born: Option<String>,
    #[serde(default)]
    restrictions: Vec<RestrictionText>,
    #[serde(default)]
    representatives: Vec<RepresentationText>,
    #[serde(default)]
    openings: Vec<OpeningText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RestrictionText {
    id: String,
    against: AgainstText,
    #[serde(default)]
    what: WhatText,
    valid_from: Option<String>,
    valid_to: Option<String>,
    #[serde(default)]
    in_emergency: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AgainstText {
    Everyone,
    Practitioner(String),
    Profession(String),
    Organisation(String),
    Service(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WhatText {
    categories: Vec<String>,
    items: Vec<(String, String)>,
    owner: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RepresentationText {
    representative: String,
    kind: String,
    #[serde(default)]
    categories: Vec<String>,
    valid_from: Option<String>,
    valid_to: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpeningText {
    subject: String,
    from: String,
    to: String,
}

fn time(text: &Option<String>) -> Option<i64> {
    text.as_deref().map(milliseconds)
}

impl PersonText {
    /// The standing of the resident.
    pub fn value(&self) -> PersonStanding {
        PersonStanding {
            restrictions: self.restrictions.iter().map(RestrictionText::value).collect(),
            representatives: self.representatives.iter().map(RepresentationText::value).collect(),
            openings: self.openings.iter().map(OpeningText::value).collect(),
            born: time(&self.born),
        }
    }
}

impl RestrictionText {
    fn value(&self) -> Restriction {
        Restriction {
            id: self.id.clone(),
            against: match &self.against {
                AgainstText::Everyone => Against::Everyone,
                AgainstText::Practitioner(who) => Against::Practitioner(who.clone()),
                AgainstText::Profession(code) => Against::Profession(code.clone()),
                AgainstText::Organisation(number) => Against::Organisation(number.clone()),
                AgainstText::Service(code) => Against::Service(code.clone()),
            },
            what: What {
                categories: self.what.categories.clone(),
                items: self.what.items.clone(),
                owner: self.what.owner.clone(),
                from: time(&self.what.from),
                to: time(&self.what.to),
            },
            valid_from: time(&self.valid_from),
            valid_to: time(&self.valid_to),
            in_emergency: self.in_emergency,
        }
    }
}

impl RepresentationText {
    fn value(&self) -> Representation {
        Representation {
            representative: person(&self.representative),
            kind: match self.kind.as_str() {
                "parent" => Kind::Parent,
                "guardian" => Kind::Guardian,
                "attorney" => Kind::Attorney,
                other => panic!("`{other}` is no representation"),
            },
            categories: self.categories.clone(),
            valid_from: time(&self.valid_from),
            valid_to: time(&self.valid_to),
        }
    }
}

impl OpeningText {
    fn value(&self) -> Opening {
        Opening {
            id: "opening-1".to_owned(),
            subject: self.subject.clone(),
            reason_ref: "reason-1".to_owned(),
            from: milliseconds(&self.from),
            to: milliseconds(&self.to),
        }
    }
}
