//! Who would gain and who would lose by another standing: asked before a change is put in force, of
//! what was really asked before.

use std::sync::Arc;

use record::catalogue::CategoryKey;
use record::identity::PersonId;

use crate::caller::Caller;
use crate::decide::{About, ReadRequest, decide_read};
use crate::permit::Withheld;
use crate::standing::Standing;

/// A request that was made.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Who asked.
    pub caller: &'a Caller,
    /// The person behind a resident's token.
    pub resident: Option<PersonId>,
    /// What was asked.
    pub request: ReadRequest<'a>,
    /// When, milliseconds since 1970: agreements, attests and openings count as they did then.
    pub at: i64,
}

/// What differs for one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which question, counted from 0.
    pub question: usize,
    /// Categories that would be opened.
    pub gains: Vec<CategoryKey>,
    /// Categories that would be closed.
    pub loses: Vec<CategoryKey>,
    /// Whether something else is withheld of the one person asked about.
    pub withheld_differs: bool,
}

/// The questions that the two would answer differently.
pub fn compare(
    before: &Arc<Standing>,
    after: &Arc<Standing>,
    questions: &[Question<'_>],
) -> Vec<Difference> {
    let differs = |(question, it): (usize, &Question<'_>)| {
        let (old, new) = (Opened::of(before, it), Opened::of(after, it));
        let beyond = |a: &Opened, b: &Opened| {
            a.categories.iter().copied().filter(|key| !b.categories.contains(key)).collect()
        };
        let difference = Difference {
            question,
            gains: beyond(&new, &old),
            loses: beyond(&old, &new),
            withheld_differs: old.withheld != new.withheld,
        };
        let same = old == new;
        (!same).then_some(difference)
    };
    questions.iter().enumerate().filter_map(differs).collect()
}

/// What a decision opens.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub categories: Vec<CategoryKey>,
    /// Of the one person asked about; nothing where nothing is opened.
    pub withheld: Withheld,
}

impl Opened {
    pub fn of(standing: &Arc<Standing>, it: &Question<'_>) -> Self {
        match decide_read(it.caller, it.resident, standing, &it.request, it.at) {
            Err(_) => Self { categories: Vec::new(), withheld: Withheld::Nothing },
            Ok(permit) => Self {
                withheld: match it.request.about {
                    About::Person(person) => permit.withheld(person),
                    About::OwnUnit | About::Unnamed => Withheld::Nothing,
                },
                categories: permit.categories,
            },
        }
    }
}
