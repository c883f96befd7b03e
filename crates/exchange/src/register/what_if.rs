//! Who would gain and who would lose by a change, judged on what was really asked during the last week.
//!
//! Callers are made again from the audit ledger, which holds no identity number. What it does not hold
//! (the subject of a login, the patients an attest named) cannot be judged again, and is not pretended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use access::administer::Deed;
use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest};
use access::whatif::{Question, compare};
use record::catalogue::{ACCESS, Catalogue, CategoryKey};
use record::decision::Change;
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::audit::AuditRecord;
use crate::error::Failure;
use crate::tenant::Tenant;

/// How far back is looked: seven days, in milliseconds.
const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;

/// Most entries of the audit ledger that are looked at.
const MOST_ENTRIES: usize = 50_000;

/// Most different questions that are judged.
const MOST_QUESTIONS: usize = 5_000;

/// Entries read at a time.
const AT_ONCE: usize = 1_000;

/// What a change would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Those for whom something would differ.
    pub differences: Vec<Affected>,
    /// How many different questions of the last week were judged.
    pub questions: usize,
    /// Whether all of the last week was judged, and not only the newest of it.
    pub whole: bool,
    /// Why a second person would be asked, if one would.
    pub second: Option<&'static str>,
}

/// Somebody for whom something would differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// Who.
    pub who: Asker,
    /// About how many persons they asked what would be answered otherwise.
    pub persons: usize,
    /// Categories that would be opened.
    pub gains: BTreeSet<CategoryKey>,
    /// Categories that would be closed.
    pub loses: BTreeSet<CategoryKey>,
}

/// Somebody who asked, as the audit ledger knows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asker {
    /// Name of the person, or the system's client. Empty for residents, who are all told of as one.
    pub name: String,
    /// Client of the token.
    pub client: String,
    /// HPR number.
    pub hpr: Option<String>,
    /// Profession.
    pub authorization: Option<String>,
    /// Organisation number of the legal entity.
    pub organisation: Option<String>,
    /// Organisation number of the unit.
    pub unit: Option<String>,
    /// Purpose, by code.
    pub purpose: String,
    /// Details of the purpose.
    pub details: Option<String>,
}

impl Tenant {
    /// What a change would do, without making it.
    ///
    /// # Errors
    /// A caller who administers nothing; a change that is wrong; an audit ledger that cannot be read.
    pub async fn what_if(&self, caller: &Caller, change: &Change) -> Result<Outlook, Failure> {
        self.administer(caller, "admin-what-if", &[Deed::ReadRegister], None).await?;
        let judged = self.judge_change(change)?;
        let (asked, whole) = self.askers()?;
        let categories: Vec<CategoryKey> = Catalogue::get()
            .categories
            .iter()
            .map(|category| category.key.as_str())
            .filter(|key| *key != ACCESS)
            .collect();
        let callers: Vec<_> =
            asked.iter().map(|(key, at)| (caller_of(&key.0, *at), key, *at)).collect();
        let questions: Vec<Question<'_>> = callers
            .iter()
            .map(|(caller, (_, person), at)| Question {
                caller,
                resident: person.filter(|_| matches!(caller.party, Party::Resident { .. })),
                request: ReadRequest::new(about(*person), &categories),
                at: *at,
            })
            .collect();
        let mut affected: BTreeMap<&Asker, Affected> = BTreeMap::new();
        let after = Arc::new(judged.after);
        for difference in compare(&judged.before, &after, &questions) {
            let Some((_, (asker, _), _)) = callers.get(difference.question) else { continue };
            let told = affected.entry(asker).or_insert_with(|| Affected {
                who: asker.clone(),
                persons: 0,
                gains: BTreeSet::new(),
                loses: BTreeSet::new(),
            });
            told.persons += 1;
            told.gains.extend(difference.gains);
            told.loses.extend(difference.loses);
        }
        let differences = affected.into_values().collect();
        Ok(Outlook { differences, questions: questions.len(), whole, second: judged.second })
    }

    /// The different questions of the last week with when each was last asked, and whether that is all.
    #[expect(clippy::type_complexity, reason = "used once, just above")]
    fn askers(&self) -> Result<(BTreeMap<(Asker, Option<PersonId>), i64>, bool), Failure> {
        let since = self.now().saturating_sub(WEEK);
        let mut asked = BTreeMap::new();
        let mut end = self.audit.head()?.position;
        let mut left = MOST_ENTRIES;
        while end > 0 {
            let count = u64::try_from(AT_ONCE.min(left)).unwrap_or(0).min(end);
            if count == 0 {
                return Ok((asked, false));
            }
            let first = end - count + 1;
            let page = self.audit.read(first, usize::try_from(count).unwrap_or(AT_ONCE))?;
            for record in page.iter().rev() {
                let at = record.entry.recorded_at;
                if at < since {
                    return Ok((asked, true));
                }
                let Some(asker) = asker(AuditRecord::read(record)?) else { continue };
                if asked.len() >= MOST_QUESTIONS {
                    return Ok((asked, false));
                }
                asked.entry((asker, record.entry.person)).or_insert(at);
            }
            left = left.saturating_sub(page.len());
            end = first - 1;
        }
        Ok((asked, true))
    }
}

/// Who asked; nothing for what was no question about information.
fn asker(audit: AuditRecord) -> Option<Asker> {
    Purpose::from_code(&audit.purpose).filter(|_| !audit.action.starts_with("admin-"))?;
    let resident = audit.purpose == Purpose::PatientRequest.code();
    Some(Asker {
        name: if resident { String::new() } else { audit.name },
        client: audit.client,
        hpr: audit.hpr,
        authorization: audit.authorization,
        organisation: audit.organisation,
        unit: audit.unit,
        purpose: audit.purpose,
        details: audit.purpose_details,
    })
}

fn about(person: Option<PersonId>) -> About {
    person.map_or(About::Unnamed, About::Person)
}

/// The caller as far as the audit ledger knows, with a fresh attest.
fn caller_of(asker: &Asker, at: i64) -> Caller {
    let purpose = Purpose::from_code(&asker.purpose).unwrap_or(Purpose::Treatment);
    let party = match purpose {
        Purpose::Delivery => Party::System,
        Purpose::PatientRequest => Party::Resident { number: String::new(), name: String::new() },
        _ => Party::Practitioner(Practitioner {
            name: asker.name.clone(),
            subject: String::new(),
            hpr: asker.hpr.clone(),
            hpr_professions: None,
            security_level: 4,
            attest: Some(Attest {
                made_at: at,
                authorization: asker.authorization.clone(),
                legal_entity: asker.organisation.clone().unwrap_or_default(),
                department: None,
                healthcare_service: None,
                point_of_care: asker.unit.clone().unwrap_or_default(),
                purpose,
                purpose_details: asker.details.clone(),
                decision_ref: String::new(),
                user_selected: false,
                names_another: false,
                patients: Vec::new(),
            }),
        }),
    };
    Caller {
        client_id: asker.client.clone(),
        organisation: asker.organisation.clone(),
        unit: None,
        token_id: String::new(),
        supplier: None,
        scopes: None,
        party,
    }
}
