//! The ways to the rows of one type: where a search may begin.
//!
//! | Way | Begins at | Order |
//! |---|---|---|
//! | of persons | the few rows of the persons that the permit reaches | sorted |
//! | of a filter | the rows that one filter leads to ([`crate::drive`]) | sorted |
//! | of a measurement | the rows where a code is measured in a range | sorted |
//! | of shapes | the rows whose shapes fit all filters that shapes tell of ([`crate::shapes`]) | sorted |
//! | through time | the latest rows of the type, or of one of its codes | as they come |
//! | through changes | the last recorded rows of the type | as they come |
//! | through the alphabet | the first strings of a parameter | as they come |

use fhir::query::{Compartment, Condition, Filter, Prefix, Target};
use fhir::search::SearchParameter;
use fhir::search::set::FIRST_ADDED;
use rusqlite::types::Value as Sql;

use crate::begin::{Begin, FEW, MANY, SHARP, WALKED, is_composite, leads_to_no_other, rank};
use crate::condition::{Ask, alias};
use crate::drive::Moments;
use crate::error::Error;
use crate::kinds;
use crate::order::{By, Value};
use crate::race::{Statement, Wanted, Way};
use crate::schema::NO_MOMENT;
use crate::shapes;
use crate::sql::{Piece, marks};
use crate::term::Sought;

/// Most ways that are tried.
const WAYS: usize = 7;

/// What is asked of one type, as SQL.
pub struct Plan<'a> {
    ask: Ask<'a>,
    wanted: &'a Wanted<'a>,
    /// What must hold for a row `r0`, beside the filters.
    conditions: Piece,
    /// What each filter asks of it.
    filters: Vec<Piece>,
    /// What the compartment leads to.
    within: Option<&'a Compartment>,
    moments: Moments,
    /// The shapes that rows must have by the filters that shapes tell of, if there are any, and how
    /// many rows have them.
    shaped: Option<(Piece, u64)>,
}

impl<'a> Plan<'a> {
    /// Reads what is wanted, in a compartment if there is one.
    pub fn new(
        ask: Ask<'a>,
        wanted: &'a Wanted<'a>,
        within: Option<&'a Compartment>,
    ) -> Result<Self, Error> {
        let row = alias(0);
        let mut conditions =
            Piece::new(format!("+{row}.kind = {}", kinds::number(wanted.kind)), []);
        conditions.and(ask.limits.visible(&row));
        if let Some(cursor) = wanted.after {
            // What came or changed after the first page is not on later ones.
            let position = i64::try_from(cursor.position).unwrap_or(i64::MAX);
            conditions.and(Piece::new(format!("+{row}.version <= ?"), [Sql::from(position)]));
        }
        if let Some(compartment) = within {
            conditions.and(ask.within(compartment, wanted.kind));
        }
        let filters = wanted.filters.iter().map(|filter| ask.holds(filter, wanted.kind, 0));
        let filters = filters.collect::<Result<_, _>>()?;
        let moments = ask.moments(wanted.filters, wanted.kind)?;
        // The few rows of a few persons are looked at sooner than all shapes.
        let told = ask.limits.is_told_by_shapes() && wanted.filters.iter().any(shapes::tell);
        let shaped = if told {
            let shapes = ask.shapes(wanted.filters, wanted.kind)?;
            let rows = ask.tally(&shapes)?;
            Some((shapes, rows))
        } else {
            None
        };
        Ok(Self { ask, wanted, conditions, filters, within, moments, shaped })
    }

    /// Whether it is known that no row fits.
    pub fn is_empty(&self) -> bool {
        matches!(self.shaped, Some((_, 0)))
    }

    /// The ways, the most promising first; never none.
    pub fn ways(&self) -> Result<Vec<Way>, Error> {
        let mut ways = Vec::new();
        if self.ask.limits.persons.is_some() {
            ways.push(vec![self.sorted("", Begin::at(self.of_persons()))]);
        }
        let mut begins = self.begins()?;
        if let Some(By::Moment) = self.by() {
            // The rows of a term are walked in the order instead, which is never more.
            begins.retain(|begin| begin.rank != WALKED);
        }
        let sharp = begins.iter().take_while(|begin| begin.rank <= SHARP).count();
        let vague = begins.split_off(sharp);
        ways.extend(begins.into_iter().map(|begin| vec![self.sorted("", begin)]));
        ways.extend(self.walks());
        ways.extend(vague.into_iter().map(|begin| vec![self.sorted("", begin)]));
        ways.truncate(WAYS);
        if ways.is_empty() {
            let begin = Begin::at(self.in_time("r0"));
            ways.push(vec![self.sorted(" INDEXED BY resource_moment", begin)]);
        }
        Ok(ways)
    }

    /// How many rows fit, where their shapes tell.
    pub fn tally(&self) -> Result<Option<u64>, Error> {
        let told = self.wanted.filters.iter().all(shapes::tell);
        if !told || self.within.is_some() || !self.ask.limits.is_told_by_shapes() {
            return Ok(None);
        }
        let rows = match &self.shaped {
            Some((_, rows)) => *rows,
            None => self.ask.tally(&self.ask.shapes(&[], self.wanted.kind)?)?,
        };
        let Some(cursor) = self.wanted.after else { return Ok(Some(rows)) };
        let later = self.later(cursor.position)?;
        Ok(Some(rows.saturating_sub(later)))
    }

    /// How many of the rows that fit now have come or changed after a position.
    fn later(&self, position: u64) -> Result<u64, Error> {
        let (ask, kind) = (self.ask, self.wanted.kind);
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let begin = format!(
            "SELECT COUNT(*) FROM resource r0 INDEXED BY resource_version \
             WHERE r0.version > ? AND +r0.kind = {}",
            kinds::number(kind)
        );
        let mut sql = Piece::new(begin, [Sql::from(position)]);
        sql.and(ask.limits.visible("r0"));
        for filter in self.wanted.filters {
            sql.and(ask.holds(filter, kind, 0)?);
        }
        ask.race_number(&[sql])
    }

    /// Ways to count all rows.
    pub fn counts(&self) -> Result<Vec<Piece>, Error> {
        let persons = self.ask.limits.persons.is_some().then(|| Begin::at(self.of_persons()));
        let begins = persons.into_iter().chain(self.begins()?).take(WAYS - 1);
        let mut counts: Vec<Piece> = begins.map(|begin| self.counted("", begin)).collect();
        let begin = Begin::at(self.in_time("r0"));
        counts.push(self.counted(" INDEXED BY resource_moment", begin));
        Ok(counts)
    }

    fn of_persons(&self) -> Piece {
        let persons = self.ask.limits.persons.clone().unwrap_or_default();
        let text = format!(
            "r0.person IN ({}) AND r0.kind = {}",
            marks(persons.len()),
            kinds::number(self.wanted.kind)
        );
        Piece::new(text, persons)
    }

    fn of_shapes(&self) -> Piece {
        let mut piece = Piece::new("r0.shape IN (SELECT r0.shape FROM shape r0 WHERE ", []);
        piece.push(self.shaped.as_ref().map_or_else(Piece::never, |(shapes, _)| shapes.clone()));
        piece.push(Piece::new(")", []));
        piece
    }

    /// The rows where a code that is asked for is measured in a range that is asked for.
    fn of_measured(&self) -> Option<Piece> {
        let pair = kinds::measured(self.wanted.kind)?;
        let on = |index: u16| {
            self.wanted.filters.iter().find(|filter| {
                let it = |parameter: &SearchParameter| {
                    parameter.index_id == index && !parameter.is_added()
                };
                !filter.negated && matches!(&filter.on, Target::Parameter(of) if it(of))
            })
        };
        let [codes, quantities] = pair.map(on);
        let (codes, quantities) = (codes?, quantities?);
        let pairs = codes
            .any
            .iter()
            .flat_map(|code| quantities.any.iter().map(move |quantity| (code, quantity)));
        let union: Option<Vec<Piece>> = pairs
            .map(|(code, quantity)| self.ask.begin_measured(self.wanted.kind, code, quantity))
            .collect();
        union.map(Piece::union)
    }

    /// Where to begin at a filter or at what filters have together, the most promising first.
    fn begins(&self) -> Result<Vec<Begin>, Error> {
        let mut begins = Vec::new();
        let within = |select: Piece| {
            let mut piece = Piece::new("r0.rid IN (", []);
            piece.push(select);
            piece.push(Piece::new(")", []));
            piece
        };
        if let Some(compartment) = self.within {
            let select = self.ask.begin_within(compartment, self.wanted.kind);
            begins.push(Begin { rank: 1, ..Begin::at(within(select)) });
        }
        for (index, filter) in self.wanted.filters.iter().enumerate() {
            let select = self.ask.drive(filter, self.wanted.kind, 0, self.moments)?;
            let rank = match self.single(filter) {
                Some(_) if rank(filter) > SHARP && !is_composite(filter) => WALKED,
                _ => rank(filter),
            };
            let answered = leads_to_no_other(filter).then_some(index);
            begins.extend(select.map(|select| Begin { rank, piece: within(select), answered }));
        }
        let measured = self.of_measured();
        begins.extend(measured.map(|select| Begin { rank: 2, ..Begin::at(within(select)) }));
        if let Some((_, rows)) = &self.shaped {
            let rank = if *rows <= FEW { 0 } else { MANY };
            begins.push(Begin { rank, ..Begin::at(self.of_shapes()) });
        }
        begins.sort_by_key(|begin| begin.rank);
        Ok(begins)
    }

    /// Ways that give rows in the order.
    fn walks(&self) -> Vec<Way> {
        match self.by() {
            Some(By::Moment) => {
                let terms = self.wanted.filters.iter().filter_map(|filter| self.single(filter));
                let mut terms: Vec<(u16, Sought)> = terms.collect();
                terms.sort_by_key(|(index, _)| kinds::trait_rank(*index));
                if terms.is_empty() {
                    return vec![self.through_time()];
                }
                terms.iter().map(|(index, sought)| self.through_term(*index, *sought)).collect()
            }
            Some(By::Updated) => vec![self.through_changes()],
            Some(By::Text(index)) => vec![self.through_text(*index)],
            Some(By::Id | By::Date(_) | By::Content(_)) | None => Vec::new(),
        }
    }

    /// What the order is by first, where rows may be walked in it.
    fn by(&self) -> Option<&By> {
        let key = self.wanted.order.keys.first().filter(|_| !self.wanted.order.needs_content());
        key.map(|key| &key.by)
    }

    /// The one term that a filter asks for.
    fn single(&self, filter: &Filter) -> Option<(u16, Sought)> {
        let (Target::Parameter(parameter), [condition]) = (&filter.on, filter.any.as_slice())
        else {
            return None;
        };
        if filter.negated {
            return None;
        }
        match self.ask.terms_of(parameter, condition)?.as_slice() {
            [sought] => Some((kinds::posted(parameter.index_id), *sought)),
            _ => None,
        }
    }

    fn through_term(&self, index: u16, sought: Sought) -> Way {
        let begin = Piece::new(
            format!("t.param = {index} AND t.value = ? AND "),
            [Sql::from(sought.value)],
        );
        self.through("term t CROSS JOIN resource r0 ON r0.rid = t.rid", &begin, "t.moment", "t.rid")
    }

    fn through_time(&self) -> Way {
        let kind = kinds::number(self.wanted.kind);
        let begin = Piece::new(format!("r0.kind = {kind} AND "), []);
        let from = "resource r0 INDEXED BY resource_moment";
        self.through(from, &begin, "r0.moment", "r0.rid")
    }

    /// Rows in the order of `moment`; without one, they come last.
    fn through(&self, from: &str, begin: &Piece, moment: &str, rid: &str) -> Way {
        let table = moment.split('.').next().unwrap_or_default();
        let direction = self.direction();
        let mut stretches = vec![Moments {
            // Without a time is not before all times.
            from: self.moments.from.max(NO_MOMENT + 1),
            to: self.moments.to,
        }];
        if self.moments.from == i64::MIN {
            stretches.push(Moments { from: i64::MIN, to: NO_MOMENT + 1 });
        }
        let statements = stretches.into_iter().map(|stretch| {
            let mut conditions = begin.clone();
            conditions.push(stretch.piece(table));
            self.go_on(&mut conditions, moment);
            self.statement(from, conditions, &format!("{moment} {direction}, {rid} {direction}"))
        });
        statements.collect()
    }

    fn through_changes(&self) -> Way {
        let mut conditions =
            Piece::new(format!("r0.kind = {}", kinds::number(self.wanted.kind)), []);
        for filter in self.wanted.filters.iter().filter(|filter| !filter.negated) {
            if let (Target::LastUpdated, [condition]) = (&filter.on, filter.any.as_slice()) {
                conditions.and(recorded(condition));
            }
        }
        let direction = self.direction();
        let order = format!("r0.updated {direction}, r0.version {direction}");
        if let Some(Value::Integer(version)) = self.reached() {
            // Later versions were recorded later: an index by time is one by version. The row that was
            // reached may have changed since; its nearest neighbour bounds the time as well.
            let (compared, beyond, nearest) = match self.wanted.order.descending() {
                true => ("<=", ">=", "ASC"),
                false => (">=", "<=", "DESC"),
            };
            let text = format!(
                "r0.updated {compared} coalesce((SELECT u.updated FROM resource u \
                 WHERE u.version {beyond} ? ORDER BY u.version {nearest} LIMIT 1), r0.updated) \
                 AND r0.version {compared} ?"
            );
            conditions.and(Piece::new(text, [Sql::from(*version), Sql::from(*version)]));
        }
        vec![self.statement("resource r0 INDEXED BY resource_updated", conditions, &order)]
    }

    fn through_text(&self, index: u16) -> Way {
        let descending = self.wanted.order.descending();
        let (direction, end) = (self.direction(), if descending { "max" } else { "min" });
        let mut conditions = Piece::new(
            format!(
                "w.param = {index} AND w.value = (SELECT {end}(k.value) FROM word k \
                 WHERE k.rid = w.rid AND k.param = {index})"
            ),
            [],
        );
        let mut statements = Vec::new();
        if let Some(Value::Text(text)) = self.reached() {
            let compared = if descending { "<=" } else { ">=" };
            let text = Sql::from(text.clone());
            conditions.and(Piece::new(format!("w.value {compared} ?"), [text]));
        }
        if self.reached() != Some(&Value::Missing) {
            let from = "word w INDEXED BY word_value CROSS JOIN resource r0 ON r0.rid = w.rid";
            let order = format!("w.value {direction}, w.rid {direction}");
            statements.push(self.statement(from, conditions, &order));
        }
        statements.push(self.without_text(index));
        statements
    }

    /// The rows without a string, which come last.
    fn without_text(&self, index: u16) -> Statement {
        let kind = kinds::number(self.wanted.kind);
        if index >= FIRST_ADDED {
            // Shapes know nothing of added parameters.
            let text = format!(
                "r0.kind = {kind} AND NOT EXISTS (SELECT 1 FROM word k WHERE k.rid = r0.rid \
                 AND k.param = {index})"
            );
            return self.sorted(" INDEXED BY resource_moment", Begin::at(Piece::new(text, [])));
        }
        let mut conditions = Piece::new(format!("+r0.kind = {kind} AND "), []);
        conditions.push(self.ask.lacking(index, self.wanted.kind, "r0"));
        self.sorted(" INDEXED BY resource_shape", Begin::at(conditions))
    }

    /// Bounds a walk by where the last page ended.
    fn go_on(&self, conditions: &mut Piece, moment: &str) {
        let compared = if self.wanted.order.descending() { "<=" } else { ">=" };
        match self.reached() {
            Some(Value::Integer(time)) if compared == "<=" => {
                conditions.and(Piece::new(format!("{moment} <= ?"), [Sql::from(*time)]));
            }
            // Going forwards, what has no time is still to come.
            Some(Value::Integer(time)) => {
                let text = format!("({moment} >= ? OR {moment} = {NO_MOMENT})");
                conditions.and(Piece::new(text, [Sql::from(*time)]));
            }
            Some(Value::Missing) => {
                conditions.and(Piece::new(format!("{moment} = {NO_MOMENT}"), []));
            }
            _ => {}
        }
    }

    /// The first key of the place that was reached.
    fn reached(&self) -> Option<&Value> {
        self.wanted.after?.place.keys.first()
    }

    fn direction(&self) -> &'static str {
        if self.wanted.order.descending() { "DESC" } else { "ASC" }
    }

    fn in_time(&self, table: &str) -> Piece {
        let mut piece =
            Piece::new(format!("{table}.kind = {} AND ", kinds::number(self.wanted.kind)), []);
        piece.push(self.moments.piece(table));
        piece
    }

    fn sorted(&self, how: &str, begin: Begin) -> Statement {
        let sql = self.select(&self.wanted.order.columns(), &format!("resource r0{how}"), begin);
        Statement { sql, ordered: false }
    }

    fn statement(&self, from: &str, begin: Piece, order: &str) -> Statement {
        let mut sql = self.select(&self.wanted.order.columns(), from, Begin::at(begin));
        sql.push(Piece::new(format!(" ORDER BY {order}"), []));
        Statement { sql, ordered: true }
    }

    fn counted(&self, how: &str, begin: Begin) -> Piece {
        let mut sql = Piece::new(format!("SELECT COUNT(*) FROM resource r0{how} WHERE "), []);
        sql.push(self.conditions(begin));
        sql
    }

    fn select(&self, columns: &str, from: &str, begin: Begin) -> Piece {
        let mut sql = Piece::new(format!("SELECT r0.rid{columns} FROM {from} WHERE "), []);
        sql.push(self.conditions(begin));
        sql
    }

    /// Where it begins and what must hold beside.
    fn conditions(&self, begin: Begin) -> Piece {
        let mut conditions = begin.piece;
        conditions.and(self.conditions.clone());
        for (index, filter) in self.filters.iter().enumerate() {
            if begin.answered != Some(index) {
                conditions.and(filter.clone());
            }
        }
        conditions
    }
}

/// When a row must have been recorded at least, for the index of changes.
fn recorded(condition: &Condition) -> Piece {
    let Condition::Date { prefix, low, high } = condition else { return Piece::always() };
    let (text, values) = match prefix {
        Prefix::Equal => ("r0.updated >= ? AND r0.updated < ?", vec![*low, *high]),
        Prefix::Greater | Prefix::StartsAfter => ("r0.updated >= ?", vec![*high]),
        Prefix::GreaterOrEqual => ("r0.updated >= ?", vec![*low]),
        Prefix::Less | Prefix::EndsBefore => ("r0.updated < ?", vec![*low]),
        Prefix::LessOrEqual => ("r0.updated < ?", vec![*high]),
        Prefix::NotEqual | Prefix::Approximate => return Piece::always(),
    };
    Piece::new(text, values.into_iter().map(Sql::from))
}
