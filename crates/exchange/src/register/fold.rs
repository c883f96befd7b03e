//! Decisions folded, in the ledger's order, into what holds now.
//!
//! Invariants: folding is total on what was recorded, since every decision was judged by the same fold
//! before it was recorded; a decision that is not understood stops it, and then nobody gets anything,
//! since it may be the one that closes. What was decided about a person who has been erased is gone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use access::opening::Opening;
use access::register::Register;
use access::representation::{Kind, Representation};
use record::decision::{Change, Decision, Inquiry, Outcome, Part, Who};
use record::entry::Position;
use record::identity::PersonId;
use serde::Deserialize;
use serde_json::Value;

use super::part::{self, Fault, Place};
use crate::disposal::fold::Disposal;

/// A decision that this version of the platform does not understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the decision at position {0} cannot be understood; start the version of the platform that recorded it"
)]
pub struct Unreadable(pub Position);

/// When and by whom a member was last decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Position of the decision.
    pub position: Position,
    /// When it was recorded, milliseconds since 1970.
    pub at: i64,
    /// Who.
    pub who: Who,
    /// Why.
    pub why: String,
}

/// A member of the register.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// What it is.
    pub value: Value,
    /// The decision that made it so.
    pub act: Arc<Act>,
}

/// A question to a second person.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// What is asked for.
    pub change: Change,
    /// Whom it is about; nobody where it is about the register.
    pub person: Option<PersonId>,
    /// Who asks, when and why.
    pub act: Arc<Act>,
    /// When it lapses, milliseconds since 1970.
    pub expires: i64,
    /// What became of it, and by whom.
    pub answered: Option<(bool, Arc<Act>)>,
}

/// An emergency access, as it is looked into.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// To whom.
    pub person: PersonId,
    /// From when to when, and by which login.
    pub opening: Opening,
    /// Who opened, and the stated reason.
    pub act: Arc<Act>,
    /// What was found, and by whom.
    pub reviewed: Option<(Outcome, Arc<Act>)>,
}

/// What came of a finding of the log analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// Whose information was looked at.
    pub person: Option<PersonId>,
    /// What.
    pub outcome: Inquiry,
    /// Who concluded, when and why.
    pub act: Arc<Act>,
}

/// What has been decided about access to one person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Who may act for the person, by id.
    pub representatives: BTreeMap<String, Representation>,
    /// Emergency accesses that had not ended when the last one began.
    pub openings: Vec<Opening>,
}

/// What holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folded {
    /// Position of the last decision that changed the register; 0 before the first.
    pub version: Position,
    /// The register's members.
    pub members: BTreeMap<Place, Member>,
    /// Questions to a second person, by position.
    pub proposals: BTreeMap<Position, Proposal>,
    /// Emergency accesses, by id.
    pub openings: BTreeMap<String, Opened>,
    /// What came of findings of the log analysis, by id.
    pub settled: BTreeMap<String, Settled>,
    /// Whether accesses in use are needed, by id.
    pub certified: BTreeMap<String, (bool, Arc<Act>)>,
    /// What has been decided about persons.
    pub persons: HashMap<PersonId, About>,
    /// What has been decided about keeping and erasing.
    pub disposal: Disposal,
}

/// Where a decision stands.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Its position.
    pub position: Position,
    /// When it was recorded, milliseconds since 1970.
    pub recorded: i64,
    /// Whom it is about.
    pub person: Option<PersonId>,
}

/// What a decision touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// The register.
    Register,
    /// What has been decided about one person.
    Person(PersonId),
    /// Nothing that access rests on.
    Nothing,
}

/// [`Change::Represent`]'s value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Representing {
    representative: String,
    kind: String,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    valid_from: Option<i64>,
    #[serde(default)]
    valid_to: Option<i64>,
}

/// [`Change::Open`]'s value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opens {
    subject: String,
    from: i64,
    to: i64,
}

impl Folded {
    /// The register that holds.
    ///
    /// # Errors
    /// Members that make no register.
    pub fn register(&self) -> Result<Register, Fault> {
        part::register(self.members.iter().map(|(place, member)| (place, &member.value)))
    }

    /// Takes a decision in as it stands in the ledger.
    ///
    /// # Errors
    /// A decision that cannot be understood. What was folded before is as it was.
    pub fn take(&mut self, at: At, body: &[u8]) -> Result<Touched, Unreadable> {
        let decision = Decision::open(body).map_err(|_| Unreadable(at.position))?;
        self.apply(at, decision).ok_or(Unreadable(at.position))
    }

    /// Takes a decision in; nothing where it makes no sense here.
    pub fn apply(&mut self, at: At, decision: Decision) -> Option<Touched> {
        let Decision { who, why, change, .. } = decision;
        let act = Arc::new(Act { position: at.position, at: at.recorded, who, why });
        match change {
            Change::Put { .. } | Change::End { .. } | Change::Several { .. } => {
                self.change(&change, &act)
            }
            Change::Propose { change, expires } => {
                let is_of_person =
                    matches!(*change, Change::Erase { .. } | Change::EraseRecord { .. });
                let person = at.person.filter(|_| is_of_person);
                let fits = person.is_some() || is_of_register(&change);
                let proposal = Proposal { change: *change, person, act, expires, answered: None };
                fits.then(|| self.proposals.insert(at.position, proposal))?;
                Some(Touched::Nothing)
            }
            Change::Hold {} | Change::Release { .. } | Change::HandOver { .. } => {
                self.disposal.apply(at.person?, &change, &act)?;
                Some(Touched::Nothing)
            }
            Change::Erased { .. } => {
                let touched = self.erase(at.person?);
                self.disposal.apply(at.person?, &change, &act)?;
                Some(touched)
            }
            Change::RecordErased { proposal, .. } => {
                // The question is not there where the person has been erased since.
                drop(self.answer(proposal, true, &act));
                self.disposal.apply(at.person?, &change, &act)?;
                Some(Touched::Nothing)
            }
            Change::Approve { proposal } => {
                let change = self.answer(proposal, true, &act)?;
                self.change(&change, &act)
            }
            Change::Reject { proposal } => {
                self.answer(proposal, false, &act)?;
                Some(Touched::Nothing)
            }
            Change::Settle { finding, outcome } => {
                self.settled.insert(finding, Settled { person: at.person, outcome, act });
                Some(Touched::Nothing)
            }
            Change::Certify { access, needed } => {
                self.certified.insert(access, (needed, act));
                Some(Touched::Nothing)
            }
            Change::Continues { .. } => Some(Touched::Nothing),
            about => self.about(at, about, act),
        }
    }

    /// Emergency accesses that nobody has looked into, the newest first.
    pub fn unreviewed(&self) -> Vec<Opened> {
        let open = self.openings.values().filter(|it| it.reviewed.is_none());
        let mut open: Vec<Opened> = open.cloned().collect();
        open.sort_by_key(|it| std::cmp::Reverse(it.act.position));
        open
    }

    /// Everything about a person leaves.
    pub fn erase(&mut self, person: PersonId) -> Touched {
        self.settled.retain(|_, settled| settled.person != Some(person));
        self.openings.retain(|_, opened| opened.person != person);
        self.proposals.retain(|_, proposal| proposal.person != Some(person));
        self.disposal.forget(person);
        match self.persons.remove(&person) {
            Some(_) => Touched::Person(person),
            None => Touched::Nothing,
        }
    }

    /// An answer to a question that waits for one; gives what was asked for.
    fn answer(&mut self, proposal: Position, agrees: bool, act: &Arc<Act>) -> Option<Change> {
        let proposal = self.proposals.get_mut(&proposal)?;
        if proposal.answered.is_some() {
            return None;
        }
        proposal.answered = Some((agrees, act.clone()));
        Some(proposal.change.clone())
    }

    fn change(&mut self, change: &Change, act: &Arc<Act>) -> Option<Touched> {
        match change {
            Change::Put { part, key, value } => {
                if *part == Part::Service {
                    // From the first service on only those listed are adopted, also when the last ends.
                    let listed = Value::Bool(true);
                    self.put(part::services_listed(), listed, act);
                }
                self.put((*part, key.clone()), value.clone(), act);
            }
            Change::End { part, key } => drop(self.members.remove(&(*part, key.clone()))),
            Change::Several { changes, .. } => {
                for change in changes {
                    self.change(change, act)?;
                }
            }
            _ => return None,
        }
        self.version = act.position;
        Some(Touched::Register)
    }

    /// What is the same as before stays whose it was.
    fn put(&mut self, place: Place, value: Value, act: &Arc<Act>) {
        if self.members.get(&place).is_none_or(|member| member.value != value) {
            self.members.insert(place, Member { value, act: act.clone() });
        }
    }

    fn about(&mut self, at: At, change: Change, act: Arc<Act>) -> Option<Touched> {
        let person = at.person?;
        match change {
            Change::Represent { id, value } => {
                let representation = representation(value)?;
                self.persons.entry(person).or_default().representatives.insert(id, representation);
            }
            Change::RepresentEnd { id } => {
                self.persons.get_mut(&person)?.representatives.remove(&id);
            }
            Change::Open { id, value } => {
                let Opens { subject, from, to } = serde_json::from_value(value).ok()?;
                let reason_ref = act.position.to_string();
                let opening = Opening { id: id.clone(), subject, reason_ref, from, to };
                let about = self.persons.entry(person).or_default();
                about.openings.retain(|earlier| earlier.to > at.recorded);
                about.openings.push(opening.clone());
                self.openings.insert(id, Opened { person, opening, act, reviewed: None });
            }
            Change::Review { id, outcome } => {
                let opened = self.openings.get_mut(&id).filter(|it| it.person == person)?;
                opened.reviewed = Some((outcome, act));
                return Some(Touched::Nothing);
            }
            _ => return None,
        }
        Some(Touched::Person(person))
    }
}

/// Whether a change is of the register, all of it.
pub fn is_of_register(change: &Change) -> bool {
    match change {
        Change::Put { .. } | Change::End { .. } => true,
        Change::Several { changes, .. } => changes.iter().all(is_of_register),
        _ => false,
    }
}

fn representation(value: Value) -> Option<Representation> {
    let it: Representing = serde_json::from_value(value).ok()?;
    let kinds = [Kind::Parent, Kind::Guardian, Kind::Attorney];
    Some(Representation {
        representative: PersonId::parse(&it.representative)?,
        kind: kinds.into_iter().find(|kind| kind.key() == it.kind)?,
        categories: it.categories,
        valid_from: it.valid_from,
        valid_to: it.valid_to,
    })
}
