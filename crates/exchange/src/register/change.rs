//! How a decision gets into the ledger: judged against what holds, one at a time, and recorded only where
//! folding it gives a register that decisions can rest on.
//!
//! What destroys something asks for a second person: the decision then recorded is a proposal, and the
//! change is made when somebody else agrees.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::refusal::{Refusal, Rule};
use access::register::Register;
use access::register::admin::Duty;
use access::standing::Standing;
use fhir::issue::{Issue, IssueCode};
use ledger::append::Draft;
use record::decision::{ADMINISTRATION, Change, Decision, Part, Who};
use record::entry::{Kind, Position};
use record::identity::PersonId;
use serde_json::Value;

use super::check::{self, MAX_MEMBER, MAX_MEMBERS};
use super::fold::{At, Folded, Member, Touched};
use super::part::{Fault, Place, check_member, members};
use crate::error::Failure;
use crate::tenant::{Tenant, Turn};

/// Source on the entries of decisions.
pub const SOURCE: &str = "fkj";

/// How long a question to a second person waits: seven days, in milliseconds.
pub const PROPOSAL_LIFE: i64 = 7 * 24 * 60 * 60 * 1000;

/// How far back a delivery makes an agreement one that is in use: seven days, in milliseconds.
const DELIVERING: i64 = 7 * 24 * 60 * 60 * 1000;

/// Most characters of a reason.
pub const MAX_REASON: usize = 1_000;

/// What became of a change that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is so already, as of this version of the register.
    Already(Position),
    /// It is in force, as this version of the register.
    Decided(Position),
    /// A second person is asked; the position of the proposal.
    Proposed(Position),
}

/// A change of the register that is judged and may be recorded.
pub struct Judged {
    /// What holds now.
    pub before: Arc<Standing>,
    /// What would hold.
    pub after: Standing,
    /// Whether a second person is needed, and why.
    pub second: Option<&'static str>,
    /// Whether it changes anything.
    pub differs: bool,
}

impl Tenant {
    /// Records a decision that is not about the register's content alone, such as a representation or
    /// an emergency access, about this person. It is in force when this returns.
    ///
    /// # Errors
    /// A decision that makes no sense as things are, and whatever keeps the ledger from it.
    pub async fn record_decision(
        &self,
        decision: Decision,
        about: Option<PersonId>,
    ) -> Result<Position, Failure> {
        let turn = self.turn().await;
        self.record_in_turn(&turn, decision, about).await
    }

    /// [`Tenant::record_decision`] for who holds the turn.
    pub(crate) async fn record_in_turn(
        &self,
        turn: &Turn<'_>,
        decision: Decision,
        about: Option<PersonId>,
    ) -> Result<Position, Failure> {
        check_reason(&decision.why)?;
        let mut after = (*self.decided()).clone();
        let at = At { position: Position::MAX, recorded: self.now(), person: about };
        match after.apply(at, decision.clone()) {
            Some(Touched::Register) => drop(self.standing_of(&after)?),
            Some(Touched::Person(_) | Touched::Nothing) => {}
            None => {
                let message = "the decision makes no sense as things are; read what holds first";
                return Err(Failure::invalid(IssueCode::BusinessRule, "", message));
            }
        }
        let draft = draft(&decision, &self.register().organisation, about);
        let draft = Draft { seen: Some(turn.seen), ..draft };
        let appended = self.ledger.append(vec![draft]).await?;
        let position = appended.first().map_or(0, |it| it.entry().position);
        if self.wait_visible(position).await { Ok(position) } else { Err(Failure::Busy) }
    }

    /// What would hold after a change, without making it.
    ///
    /// # Errors
    /// What is wrong with it, each with its place.
    pub fn judge_change(&self, change: &Change) -> Result<Judged, Failure> {
        let folded = self.decided();
        check_members(change)?;
        let mut after = (*folded).clone();
        let who = Who { name: String::new(), subject: None, client: String::new() };
        let at = At { position: Position::MAX, recorded: self.now(), person: None };
        if after.apply(at, Decision::new(who, "", change.clone())).is_none() {
            let message = "this changes nothing of the register";
            return Err(Failure::invalid(IssueCode::BusinessRule, "", message));
        }
        let standing = self.standing_of(&after)?;
        let before = self.standing();
        let known = check::faults(before.register());
        let faults: Vec<Fault> =
            check::faults(standing.register()).difference(&known).cloned().collect();
        if standing.register().number != before.register().number {
            let place = "setting/number";
            return Err(refused(&[Fault::new(place, "the municipality's number stands for ever")]));
        }
        if after.members.len() > MAX_MEMBERS {
            let message = format!("a register has at most {MAX_MEMBERS} members");
            return Err(refused(&[Fault::new("register", message)]));
        }
        if !faults.is_empty() {
            return Err(refused(&faults));
        }
        let second = self.second_person(before.register(), standing.register())?;
        let differs = values(&folded.members) != values(&after.members);
        Ok(Judged { before, after: standing, second, differs })
    }

    /// Makes the register what a file says, for an operator with the municipality's files in hand. `who` is
    /// an administrator as the register knows them, by login or name; where it knows nobody who may change
    /// it, any name.
    ///
    /// # Errors
    /// Somebody whom the register does not know; a register that is wrong, with its places; and whatever
    /// keeps the ledger from being written.
    pub async fn apply_register(
        &self,
        who: &str,
        register: &Register,
        why: String,
    ) -> Result<Done, Failure> {
        let who = self.operator(who)?;
        let wanted = members(register).map_err(|fault| refused(&[fault]))?;
        let changes = difference(&values(&self.decided().members), &wanted);
        self.make(who, Change::Several { changes, restores: None }, why, None).await
    }

    /// Who acts by an operator's command: an administrator whom the register knows, by login or name; where it
    /// knows nobody who may change it, any name.
    pub(crate) fn operator(&self, who: &str) -> Result<Who, Failure> {
        let now = self.register();
        let mut runs =
            now.admins.iter().filter(|it| it.duties.contains(&Duty::Register)).peekable();
        let nobody = runs.peek().is_none();
        let known = runs.find(|it| it.who == who || it.name == who);
        let client = SOURCE.to_owned();
        match known {
            Some(admin) => {
                Ok(Who { name: admin.name.clone(), subject: Some(admin.who.clone()), client })
            }
            None if nobody => Ok(Who { name: who.to_owned(), subject: None, client }),
            None => Err(Refusal { rule: Rule::NoDuty }.into()),
        }
    }

    /// Makes a change, or asks a second person for it. The caller's right to it is decided already.
    pub(crate) async fn make(
        &self,
        who: Who,
        change: Change,
        why: String,
        if_match: Option<Position>,
    ) -> Result<Done, Failure> {
        check_reason(&why)?;
        let turn = self.turn().await;
        let version = self.decided().version;
        if if_match.is_some_and(|wanted| wanted != version) {
            return Err(Failure::Precondition);
        }
        let judged = self.judge_change(&change)?;
        if !judged.differs {
            return Ok(Done::Already(version));
        }
        if judged.second.is_none() {
            let decision = Decision::new(who, why, change);
            return self.record_in_turn(&turn, decision, None).await.map(Done::Decided);
        }
        let expires = self.now().saturating_add(PROPOSAL_LIFE);
        let change = Change::Propose { change: Box::new(change), expires };
        let decision = Decision::new(who, why, change);
        self.record_in_turn(&turn, decision, None).await.map(Done::Proposed)
    }

    /// The standing of what is folded, with the persons of now.
    fn standing_of(&self, folded: &Folded) -> Result<Standing, Failure> {
        let register = folded.register().map_err(|fault| refused(&[fault]))?;
        self.standing()
            .with_rules(register, folded.version)
            .map_err(|error| refused(&[Fault::new("register", error.to_string())]))
    }

    /// Whether what is taken away asks for a second person, and why.
    fn second_person(
        &self,
        before: &Register,
        after: &Register,
    ) -> Result<Option<&'static str>, Failure> {
        let now = self.now();
        let gone = |key: &str| {
            let kept = after.policies.iter().find(|it| it.key == key);
            kept.is_none_or(|it| it.text.trim().is_empty())
        };
        if before.policies.iter().any(|it| gone(&it.key)) {
            return Ok(Some("policy-removed"));
        }
        for agreement in &before.agreements {
            let is_valid = |register: &Register| {
                let now = register.agreement(&agreement.client_id, now);
                now.is_some_and(|it| it.source == agreement.source)
            };
            if is_valid(before)
                && !is_valid(after)
                && self.view.delivers(&agreement.source, now.saturating_sub(DELIVERING))?
            {
                return Ok(Some("agreement-in-use"));
            }
        }
        Ok(None)
    }
}

/// A decision on its way into the ledger.
pub(crate) fn draft(decision: &Decision, owner: &str, about: Option<PersonId>) -> Draft {
    Draft {
        seen: None,
        kind: Kind::Decision,
        source: SOURCE.to_owned(),
        source_event_id: None,
        owner: owner.to_owned(),
        person: about,
        category: ADMINISTRATION.to_owned(),
        fingerprint: [0; 32],
        body: decision.seal(),
    }
}

/// A reason that says something and is no essay.
pub(crate) fn check_reason(why: &str) -> Result<(), Failure> {
    if why.trim().is_empty() {
        let message = "say why; the reason stays with the decision";
        return Err(Failure::invalid(IssueCode::Required, "why", message));
    }
    if why.chars().count() > MAX_REASON {
        let message = format!("the reason is longer than {MAX_REASON} characters");
        return Err(Failure::invalid(IssueCode::TooLong, "why", message));
    }
    Ok(())
}

fn check_members(change: &Change) -> Result<(), Failure> {
    match change {
        Change::Put { part, key, value } => {
            if value.to_string().len() > MAX_MEMBER {
                let message = "the member is larger than 64 kB";
                return Err(Failure::invalid(IssueCode::TooLong, "", message));
            }
            check_member(*part, key, value).map_err(|fault| refused(&[fault]))
        }
        Change::Several { changes, .. } => changes.iter().try_for_each(check_members),
        _ => Ok(()),
    }
}

/// Faults as a refusal of the content.
pub(crate) fn refused(faults: &[Fault]) -> Failure {
    let issue = |fault: &Fault| Issue::error(IssueCode::Value, &fault.place, &fault.message);
    Failure::Invalid(faults.iter().map(issue).collect())
}

/// The change that turns one register's members into another's.
pub fn difference(from: &BTreeMap<Place, Value>, to: &BTreeMap<Place, Value>) -> Vec<Change> {
    let ended = from.keys().filter(|place| !to.contains_key(*place));
    let ended = ended.map(|(part, key)| Change::End { part: *part, key: key.clone() });
    let put = to.iter().filter(|(place, value)| from.get(*place) != Some(*value));
    let put = put.map(|((part, key), value)| Change::Put {
        part: *part,
        key: key.clone(),
        value: value.clone(),
    });
    ended.chain(put).collect()
}

/// What members are, without who decided them.
pub fn values(members: &BTreeMap<Place, Member>) -> BTreeMap<Place, Value> {
    members.iter().map(|(place, member)| (place.clone(), member.value.clone())).collect()
}

/// Names of the parts in which registers differ, for a log.
pub fn parts_that_differ(changes: &[Change]) -> Vec<&'static str> {
    let mut parts: Vec<Part> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Put { part, .. } | Change::End { part, .. } => Some(*part),
            _ => None,
        })
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts.into_iter().map(Part::name).collect()
}
