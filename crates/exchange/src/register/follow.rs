//! Keeps what decisions rest on in step with the ledger: from the view's table when the municipality is
//! opened, and from each commit before its position becomes visible.

use std::path::Path;
use std::sync::Arc;

use access::register::Register;
use access::standing::Standing;
use ledger::append::Committed;
use parking_lot::RwLock;
use record::decision::{Change, Decision, Who};
use record::entry::{Kind, Position};
use record::identity::PersonId;
use record::resealing::Resealing;
use view::store::View;

use super::change::{SOURCE, difference, draft, parts_that_differ, values};
use super::fold::{At, Folded, Touched, Unreadable};
use super::part::members;
use crate::error::Failure;
use crate::standing::Holder;

/// Name of the file that a municipality is founded from.
pub const REGISTER_FILE: &str = "register.toml";

/// Decisions read at a time.
const AT_ONCE: usize = 1_000;

/// What is folded, held where everybody finds the newest.
pub(crate) type Decided = Arc<RwLock<Arc<Folded>>>;

/// Follows the ledger.
pub(crate) struct Follower {
    standing: Arc<Holder>,
    decided: Decided,
    /// The last entry that is folded.
    position: Position,
}

impl Follower {
    /// What holds as the view has it, which has come to `position`; nothing where the municipality has
    /// decided nothing yet.
    pub fn open(view: &View, position: Position) -> Result<Option<Self>, Failure> {
        let unavailable = |error: String| Failure::Unavailable(error);
        let mut folded = Folded::default();
        let mut after = 0;
        loop {
            let decided = view.decisions(after, AT_ONCE)?;
            let Some(last) = decided.last() else { break };
            after = last.position;
            for it in &decided {
                let at = At { position: it.position, recorded: it.recorded, person: it.person };
                folded.take(at, &it.body).map_err(|error| unavailable(error.to_string()))?;
            }
        }
        if folded.version == 0 {
            return Ok(None);
        }
        let standing = of(&folded).map_err(unavailable)?;
        Ok(Some(Self {
            standing: Arc::new(Holder::new(standing)),
            decided: Arc::new(RwLock::new(Arc::new(folded))),
            position,
        }))
    }

    /// What decisions rest on.
    pub fn standing(&self) -> Arc<Holder> {
        self.standing.clone()
    }

    /// What is folded.
    pub fn decided(&self) -> Decided {
        self.decided.clone()
    }

    /// Takes in what was committed and is visible next. After an error nothing must become visible: what
    /// was not understood may be what closes something.
    pub fn take(&mut self, committed: &[&Committed]) -> Result<(), String> {
        let mut folded: Option<Folded> = None;
        let mut touched = Vec::new();
        for Committed { entry, body } in committed {
            if entry.position <= self.position {
                continue;
            }
            self.position = entry.position;
            let next = || (**self.decided.read()).clone();
            let (recorded, person) = (entry.recorded_at, entry.person);
            match (entry.kind, person) {
                (Kind::Decision, _) => {
                    let at = At { position: entry.position, recorded, person };
                    let taken = folded.get_or_insert_with(next).take(at, body);
                    touched.push(taken.map_err(|error| error.to_string())?);
                }
                (Kind::Erasure, Some(_)) => {
                    let at = At { position: entry.position, recorded, person };
                    let taken = folded.get_or_insert_with(next).take(at, body);
                    touched.push(taken.map_err(|error| error.to_string())?);
                }
                (Kind::Resealing, Some(_)) => {
                    let at = At { position: entry.position, recorded, person };
                    let unreadable = || Unreadable(entry.position).to_string();
                    let (_, decision) = Resealing::open(body).map_err(|_| unreadable())?;
                    let taken = folded.get_or_insert_with(next).take(at, decision);
                    touched.push(taken.map_err(|error| error.to_string())?);
                }
                _ => {}
            }
        }
        let Some(folded) = folded else { return Ok(()) };
        self.standing.exchange(|before| standing(before, &folded, &touched))?;
        *self.decided.write() = Arc::new(folded);
        Ok(())
    }
}

/// The standing after what was touched.
fn standing(before: &Standing, folded: &Folded, touched: &[Touched]) -> Result<Standing, String> {
    let mut after = before.clone();
    if touched.contains(&Touched::Register) {
        let register =
            folded.register().map_err(|fault| format!("{}: {}", fault.place, fault.message))?;
        after = after.with_rules(register, folded.version).map_err(|error| error.to_string())?;
    }
    for touched in touched {
        if let Touched::Person(person) = touched {
            after = with_person(after, folded, *person);
        }
    }
    Ok(after)
}

/// The standing of what is folded, with nothing of persons but what was decided about them.
fn of(folded: &Folded) -> Result<Standing, String> {
    let register =
        folded.register().map_err(|fault| format!("{}: {}", fault.place, fault.message))?;
    let standing = Standing::new(register.clone()).map_err(|error| error.to_string())?;
    let standing =
        standing.with_rules(register, folded.version).map_err(|error| error.to_string())?;
    Ok(folded.persons.keys().fold(standing, |all, person| with_person(all, folded, *person)))
}

/// What was decided about a person, beside what the person has decided.
fn with_person(standing: Standing, folded: &Folded, person: PersonId) -> Standing {
    let mut own = standing.person(person).map(|own| (**own).clone()).unwrap_or_default();
    let about = folded.persons.get(&person).cloned().unwrap_or_default();
    own.representatives = about.representatives.into_values().collect();
    own.openings = about.openings;
    standing.with_person(person, own)
}

/// The decision that founds a municipality from its file.
pub(crate) fn founding(register: &Register) -> Result<ledger::append::Draft, Failure> {
    let members = members(register)
        .map_err(|fault| Failure::Unavailable(format!("{}: {}", fault.place, fault.message)))?;
    let put = |((part, key), value)| Change::Put { part, key, value };
    let changes = members.into_iter().map(put).collect();
    let who = Who { name: REGISTER_FILE.to_owned(), subject: None, client: SOURCE.to_owned() };
    let change = Change::Several { changes, restores: None };
    let decision = Decision::new(who, format!("founded from {REGISTER_FILE}"), change);
    Ok(draft(&decision, &register.organisation, None))
}

/// Tells the operator where the file says otherwise than what holds.
pub(crate) fn tell_difference(directory: &Path, file: &Register, folded: &Folded) {
    let Ok(members) = members(file) else { return };
    let changes = difference(&values(&folded.members), &members);
    if changes.is_empty() {
        return;
    }
    let (count, parts) = (changes.len(), parts_that_differ(&changes).join(", "));
    tracing::info!(
        file = %directory.join(REGISTER_FILE).display(),
        count,
        parts,
        "the file differs from the register in the ledger, which holds; to change that, `fkj register apply` or the admin API"
    );
}
