//! Scopes: category, owner and source of a row as one small number, and the limits of a permit in
//! those numbers.
//!
//! Invariant: every entry about resources gets its scopes whether or not its content can still be
//! read, so that a rebuilt view numbers them as the live one did, also after an erasure.

use std::collections::HashMap;

use access::permit::{Reach, ReadPermit};
use record::catalogue::Catalogue;
use record::entry::{Entry, Kind};
use record::identity::PersonId;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Transaction, params};

use crate::error::Error;
use crate::granted::Within;
use crate::project::state;
use crate::sql::{Piece, marks, numbers};
use crate::store::View;
use crate::withheld::Held;

/// The scopes a view has, for the writer.
pub struct Scopes {
    known: HashMap<(String, String, String), i64>,
}

impl Scopes {
    /// Those that stand in the view.
    pub fn read(connection: &Connection) -> Result<Self, Error> {
        let mut select = connection.prepare("SELECT category, owner, source, scope FROM scope")?;
        let rows = select
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)))?;
        Ok(Self { known: rows.collect::<Result<_, _>>()? })
    }

    /// The scope of an entry's owner and source in a category.
    pub fn of(
        &mut self,
        transaction: &Transaction<'_>,
        entry: &Entry,
        category: &str,
    ) -> Result<i64, Error> {
        if !matches!(entry.kind, Kind::Version | Kind::Removal) {
            return Ok(0);
        }
        self.named(transaction, category, &entry.owner, &entry.source)
    }

    /// The scope of an owner and a source in a category.
    pub fn named(
        &mut self,
        transaction: &Transaction<'_>,
        category: &str,
        owner: &str,
        source: &str,
    ) -> Result<i64, Error> {
        let key = (category.to_owned(), owner.to_owned(), source.to_owned());
        if let Some(scope) = self.known.get(&key) {
            return Ok(*scope);
        }
        let scope = i64::try_from(self.known.len()).unwrap_or(i64::MAX) + 1;
        transaction
            .prepare_cached("INSERT INTO scope VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![scope, key.0, key.1, key.2])?;
        self.known.insert(key, scope);
        Ok(scope)
    }
}

/// What a permit opens, in the numbers of the view.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Scopes that are open.
    scopes: Vec<i64>,
    /// Those of them that are of a category about nobody.
    impersonal: Vec<i64>,
    /// Whose rows are open, nobody's among them where there are such scopes. Anybody's where there is
    /// no list.
    pub persons: Option<Vec<Sql>>,
    /// What of all that is withheld.
    held: Held,
    /// What the token's scopes leave open of that, where they narrow it.
    within: Option<Within>,
}

impl Limits {
    /// The condition that rows are in a scope that is open and have no label that keeps the reader
    /// away. `alias` is `resource` or `shape`.
    pub fn scoped(&self, alias: &str) -> Piece {
        let mut piece = self.in_scope(alias);
        if let Some(unlabelled) = self.held.unlabelled(alias) {
            piece.and(unlabelled);
        }
        piece
    }

    /// The condition that a row of `resource` is open to the permit.
    pub fn open(&self, alias: &str) -> Piece {
        let mut piece = self.scoped(alias);
        let within = self.within.as_ref().map(|within| within.piece(alias));
        for more in [self.reached(alias), self.held.rows(alias), within].into_iter().flatten() {
            piece.and(more);
        }
        piece
    }

    /// The condition that a row of `skipped` is open to the permit.
    pub fn told(&self, alias: &str) -> Piece {
        let mut piece = self.in_scope(alias);
        for more in [self.reached(alias), self.held.entries(alias)].into_iter().flatten() {
            piece.and(more);
        }
        piece
    }

    /// The plus before a column keeps it from deciding which index is walked.
    fn in_scope(&self, alias: &str) -> Piece {
        Piece::new(format!("+{alias}.scope IN ({})", numbers(&self.scopes)), [])
    }

    /// The condition that a row is about somebody within reach; nothing where that is anybody.
    fn reached(&self, alias: &str) -> Option<Piece> {
        let persons = self.persons.as_ref()?;
        let persons =
            Piece::new(format!("+{alias}.person IN ({})", marks(persons.len())), persons.clone());
        // What is about nobody in a category about persons, such as a device that is not said to be
        // anybody's, is within no person's reach.
        let nobody = (!self.impersonal.is_empty() && self.impersonal.len() < self.scopes.len())
            .then(|| {
                let impersonal = numbers(&self.impersonal);
                let text = format!("(+{alias}.person <> x'' OR +{alias}.scope IN ({impersonal}))");
                Piece::new(text, [])
            });
        Some(Piece::all(std::iter::once(persons).chain(nobody)))
    }

    /// Whether shapes of rows tell all about what is open.
    pub fn is_told_by_shapes(&self) -> bool {
        self.persons.is_none() && self.within.is_none()
    }

    /// The condition that a row of `resource` is open and there.
    pub fn visible(&self, alias: &str) -> Piece {
        let mut piece = self.open(alias);
        let gone = [state::REMOVED, state::ERASED];
        piece.and(Piece::new(format!("+{alias}.state NOT IN ({})", numbers(&gone)), []));
        piece
    }
}

impl View {
    /// The limits of a permit.
    pub(crate) fn limits(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
    ) -> Result<Limits, Error> {
        let mut held = Held::of_labels(permit);
        let mut persons = self.reach(connection, permit)?;
        if let Some(persons) = &mut persons {
            held.withhold(permit, persons, &self.terms);
        }
        let mut select =
            connection.prepare_cached("SELECT scope, category, owner, source FROM scope")?;
        let mut rows = select.query([])?;
        let (mut scopes, mut impersonal) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
            let (category, of) = (text(1)?, (text(2)?, text(3)?));
            if permit.categories().contains(&category)
                && permit.owned_by().is_none_or(|limits| limits == of)
            {
                let scope = row.get(0)?;
                scopes.push(scope);
                held.opens(scope, category, of.0);
                if Catalogue::get().category(category).is_some_and(|it| !it.about_person) {
                    impersonal.push(scope);
                }
            }
        }
        let bytes = |person: &PersonId| Sql::from(person.0.to_vec());
        let mut persons: Option<Vec<Sql>> = persons.map(|it| it.iter().map(bytes).collect());
        // What is about no person, such as where to call, belongs to nobody's reach.
        if let Some(persons) = persons.as_mut().filter(|_| !impersonal.is_empty()) {
            persons.push(Sql::from(Vec::new()));
        }
        let within = Within::of(permit, &self.terms);
        Ok(Limits { scopes, impersonal, persons, held, within })
    }

    /// The persons a permit reaches, before what is withheld; no list where that is anybody: such a
    /// permit is a source's to what it delivered, or opens what is about nobody.
    pub(crate) fn reach(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
    ) -> Result<Option<Vec<PersonId>>, Error> {
        Ok(match permit.reach() {
            Reach::Person(person) => Some(vec![*person]),
            Reach::Unit { unit, at } => Some(self.persons_at(connection, unit, *at)?),
            Reach::Any => None,
        })
    }
}
