//! What a permit leaves out of what it opens: what the patient has restricted, and rows whose labels
//! keep the reader away, as conditions of every query.
//!
//! Invariants: these conditions only take rows away; where nothing is withheld they add nothing to a
//! query but a look at the labels, in the row at hand.

use access::permit::{Part, ReadPermit, Withheld};
use record::identity::PersonId;
use record::label::{self, Label};
use rusqlite::types::Value as Sql;

use crate::kinds;
use crate::schema::NO_MOMENT;
use crate::sql::{Piece, numbers};
use crate::term::Terms;

/// What is withheld, in the numbers of the view.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Rows with one of these labels, as bits.
    labels: u8,
    /// Parts of what there is about persons, none of them empty.
    shares: Vec<(PersonId, Vec<Share>)>,
}

/// A part of what there is about a person: all that it says holds together.
#[derive(Clone, Debug)]
struct Share {
    part: Part,
    /// The open scopes that it is about, if it is not about all.
    scopes: Option<Vec<i64>>,
    /// Hashes of the resources it is about; none where it is about all.
    items: Vec<i64>,
}

impl Held {
    /// What a permit withholds by labels.
    pub fn of_labels(permit: &ReadPermit) -> Self {
        let hidden = permit.labels().hidden().iter();
        let labels = Label::bits(hidden.filter_map(|code| Label::of(label::SYSTEM, code)));
        Self { labels, shares: Vec::new() }
    }

    /// Adds what a permit withholds of these persons. Those of whom it withholds everything are taken
    /// out of the list.
    pub fn withhold(&mut self, permit: &ReadPermit, persons: &mut Vec<PersonId>, terms: &Terms) {
        persons.retain(|person| match permit.withheld(*person) {
            Withheld::Nothing => true,
            Withheld::Everything => false,
            Withheld::Parts(parts) => {
                let shares = parts.into_iter().map(|part| Share::new(part, terms)).collect();
                self.shares.push((*person, shares));
                true
            }
        });
    }

    /// Notes that a scope is open: what is withheld by category or owner is withheld by scope.
    pub fn opens(&mut self, scope: i64, category: &str, owner: &str) {
        for share in self.shares.iter_mut().flat_map(|(_, shares)| shares) {
            let Some(scopes) = &mut share.scopes else { continue };
            let categories = &share.part.categories;
            if (categories.is_empty() || categories.contains(&category))
                && share.part.owner.as_deref().is_none_or(|it| it == owner)
            {
                scopes.push(scope);
            }
        }
    }

    /// The condition that a row has no label that keeps the reader away; nothing where no label
    /// does. `alias` is a table with `labels`.
    pub fn unlabelled(&self, alias: &str) -> Option<Piece> {
        (self.labels != 0).then(|| Piece::new(format!("+{alias}.labels & {} = 0", self.labels), []))
    }

    /// The condition that a row of `resource` is not withheld; nothing where none is.
    pub fn rows(&self, alias: &str) -> Option<Piece> {
        self.none_of(alias, |share| share.row(alias))
    }

    /// The same of a row that has a person and a scope and nothing else: what is withheld by what a
    /// resource says cannot be told of one that cannot be read.
    pub fn entries(&self, alias: &str) -> Option<Piece> {
        self.none_of(alias, |share| {
            (share.items.is_empty() && !share.is_dated()).then(|| share.scoped(alias)).flatten()
        })
    }

    fn none_of(&self, alias: &str, held: impl Fn(&Share) -> Option<Piece>) -> Option<Piece> {
        let of_person = |(person, shares): &(PersonId, Vec<Share>)| {
            let any: Vec<Piece> = shares.iter().filter_map(&held).collect();
            (!any.is_empty()).then(|| {
                let mut piece =
                    Piece::new(format!("+{alias}.person = ?"), [Sql::from(person.0.to_vec())]);
                piece.and(Piece::any(any));
                piece.not()
            })
        };
        let conditions: Vec<Piece> = self.shares.iter().filter_map(of_person).collect();
        (!conditions.is_empty()).then(|| Piece::all(conditions))
    }
}

impl Share {
    fn new(part: Part, terms: &Terms) -> Self {
        let scopes = (!part.categories.is_empty() || part.owner.is_some()).then(Vec::new);
        let items = part.items.iter().map(|(kind, id)| terms.reference(kind, id)).collect();
        Self { part, scopes, items }
    }

    fn is_dated(&self) -> bool {
        self.part.from.is_some() || self.part.to.is_some()
    }

    /// Nothing where it is about no scope that is open.
    fn scoped(&self, alias: &str) -> Option<Piece> {
        match &self.scopes {
            None => Some(Piece::always()),
            Some(scopes) if scopes.is_empty() => None,
            Some(scopes) => {
                Some(Piece::new(format!("+{alias}.scope IN ({})", numbers(scopes)), []))
            }
        }
    }

    fn row(&self, alias: &str) -> Option<Piece> {
        let mut all = vec![self.scoped(alias)?];
        if !self.items.is_empty() {
            all.push(Piece::new(format!("+{alias}.self IN ({})", numbers(&self.items)), []));
        }
        if self.is_dated() {
            all.push(self.in_time(alias));
        }
        Some(Piece::all(all))
    }

    /// What does not say when it is about may be of any time. What is of a type that never says, such
    /// as who somebody is, is of none.
    fn in_time(&self, alias: &str) -> Piece {
        let (from, to) = (self.part.from.unwrap_or(i64::MIN), self.part.to.unwrap_or(i64::MAX));
        let text = format!(
            "(+{alias}.moment = {NO_MOMENT} OR (+{alias}.moment >= ? AND +{alias}.moment < ? \
             AND +{alias}.kind NOT IN ({})))",
            numbers(kinds::undated())
        );
        Piece::new(text, [Sql::from(from), Sql::from(to)])
    }
}
