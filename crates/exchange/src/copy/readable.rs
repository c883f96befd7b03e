//! The copy for people, as values that a page or a document prints.

use access::caller::Caller;
use record::basis::{Bases, LegalBasis};
use record::catalogue::{ACCESS, Catalogue, Category};
use view::everything::Walk;

use super::line::{Line, line};
use crate::answer::{AccessLine, Incomplete, PatientHeader};
use crate::audit::AuditRecord;
use crate::control::Restricted;
use crate::error::Failure;
use crate::operation::parameters::Parameters;
use crate::rights::list::Listed;
use crate::tenant::Tenant;

/// Most items; what a person has more of is in the copy for programs, and the document says so.
const MOST: usize = 20_000;

/// Most looks.
const MOST_LOOKS: usize = 5_000;

/// Read at a time.
const CHUNK: usize = 500;

/// A copy that a person can read.
#[derive(Clone, Debug)]
pub struct Readable {
    /// Who the person is.
    pub patient: PatientHeader,
    /// The municipality's name.
    pub municipality: String,
    /// When it was made, milliseconds since 1970.
    pub at: i64,
    /// What there is, by category in the order of the catalogue.
    pub sections: Vec<Section>,
    /// Items that there was no room for.
    pub left_out: usize,
    /// What the person withholds.
    pub restricted: Vec<Restricted>,
    /// What the person has asked for.
    pub requests: Vec<Listed>,
    /// Who has looked, the newest first; nothing where the caller may not see it.
    pub looks: Option<Vec<AccessLine>>,
    /// What could not be read.
    pub incomplete: Vec<Incomplete>,
}

/// What there is of a category, the newest first.
#[derive(Clone, Debug)]
pub struct Section {
    /// The category.
    pub category: &'static Category,
    /// By which law it is kept.
    pub basis: Option<&'static LegalBasis>,
    /// The items.
    pub lines: Vec<Line>,
}

impl Tenant {
    /// A copy for people.
    ///
    /// # Errors
    /// As [`Tenant::copy`].
    pub async fn readable_copy(
        &self,
        caller: &Caller,
        id: &str,
        given: &Parameters,
    ) -> Result<Readable, Failure> {
        let opened = self.open_copy(caller, id, given).await?;
        let (person, permit) = (opened.person, &opened.permit);
        let mut incomplete = Vec::new();
        let (mut lines, mut left_out) = (Vec::new(), 0);
        for patients in [true, false] {
            let mut walk = Walk { person, patients, until: self.visible(), since: None, after: 0 };
            loop {
                let steps = self.view.everything(permit, &walk, CHUNK)?;
                for step in &steps {
                    walk.after = step.row;
                    if lines.len() == MOST {
                        left_out += 1;
                        continue;
                    }
                    match line(&step.stored) {
                        Some(line) => lines.push(line),
                        None => {
                            incomplete.push(Incomplete::Record { position: step.stored.version })
                        }
                    }
                }
                if steps.len() < CHUNK {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        self.missing(permit, &mut incomplete)?;
        let shown = lines.len();
        let register = self.register();
        let name = |number: &str| register.organisation_name(number).map(str::to_owned);
        for line in &mut lines {
            line.owner = name(&line.owner).unwrap_or_else(|| std::mem::take(&mut line.owner));
        }
        let looks = match permit.categories().contains(&ACCESS) {
            true => Some(self.all_looks(person, name)?),
            false => None,
        };
        let readable = Readable {
            patient: self.header(permit, person)?,
            municipality: register.name.clone(),
            at: self.now(),
            sections: sections(lines),
            left_out,
            restricted: self.restricted(permit)?,
            requests: self.requested(permit)?,
            looks,
            incomplete,
        };
        self.copied(caller, &opened, shown).await?;
        Ok(readable)
    }

    /// Who else than the resident has looked, the newest first.
    fn all_looks(
        &self,
        person: record::identity::PersonId,
        name: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<AccessLine>, Failure> {
        let (mut looks, mut before) = (Vec::new(), None);
        while looks.len() < MOST_LOOKS {
            let page = self.audit.by_person(person, before, CHUNK)?;
            before = page.last().map(|record| record.entry.position);
            for record in &page {
                let audit = AuditRecord::read(record)?;
                if audit.is_of_others() {
                    looks.push(audit.line(&record.entry, &name));
                }
            }
            if page.len() < CHUNK {
                break;
            }
        }
        looks.truncate(MOST_LOOKS);
        Ok(looks)
    }
}

/// By category, the newest first; what has no date last.
fn sections(lines: Vec<Line>) -> Vec<Section> {
    let mut sections: Vec<Section> = Catalogue::get()
        .categories
        .iter()
        .map(|category| Section {
            category,
            basis: Bases::get().of(&category.key),
            lines: Vec::new(),
        })
        .collect();
    for line in lines {
        if let Some(section) = sections.iter_mut().find(|it| it.category.key == line.category) {
            section.lines.push(line);
        }
    }
    sections.retain(|section| !section.lines.is_empty());
    for section in &mut sections {
        // Stable: what has the same date stays in the order it was recorded.
        section.lines.sort_by(|one, other| other.when.cmp(&one.when));
    }
    sections
}
