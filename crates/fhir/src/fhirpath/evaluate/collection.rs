//! Functions on collections: there or not, filtered, cut, joined, looped over.

use super::{Evaluator, Frame, Result, single, string, truth, whole};
use crate::fhirpath::EvaluationError;
use crate::fhirpath::item::{Item, Items};
use crate::fhirpath::syntax::{Call, Function, Term, TypeName};
use std::cmp::Ordering;
use std::collections::HashSet;

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn filtering(
        &self,
        call: &'a Call,
        input: Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let name = call.function.name();
        let criterion = call.arguments.first();
        Ok(match (call.function, criterion) {
            (Function::Empty, _) => input.is_empty().into(),
            (Function::Count, _) => count(input.len()),
            (Function::Not, _) => truth(&input, name)?.map(|truth| !truth).into(),
            (Function::Where, Some(term)) => return self.kept(term, input, frame),
            (Function::Select, Some(term)) => {
                let mut all = Items::None;
                for (index, item) in input.iter().enumerate() {
                    let frame = Frame { this: Some(item), index, ..frame };
                    for found in self.term(term, frame)?.into_vec() {
                        all.push(found);
                    }
                }
                all
            }
            (Function::All, Some(term)) => self.each(term, &input, frame, false)?.into(),
            (Function::Exists, Some(term)) => (!self.each(term, &input, frame, true)?).into(),
            (Function::Iif, _) => return self.iif(call, &input, frame),
            _ => (!input.is_empty()).into(),
        })
    }

    /// Whether the criterion is never `stop` for an item.
    fn each(
        &self,
        criterion: &'a Term,
        input: &Items<'a>,
        frame: Frame<'_, 'a>,
        stop: bool,
    ) -> Result<bool> {
        for (index, item) in input.iter().enumerate() {
            let frame = Frame { this: Some(item), index, ..frame };
            let holds = truth(&self.term(criterion, frame)?, "a criterion")?;
            if holds.unwrap_or_default() == stop {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The items for which the criterion is true.
    fn kept(
        &self,
        criterion: &'a Term,
        input: Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let holds = |index: usize, item: &Item<'a>| {
            let frame = Frame { this: Some(item), index, ..frame };
            let holds = truth(&self.term(criterion, frame)?, "where")?;
            Ok(holds == Some(true))
        };
        Ok(match input {
            Items::None => Items::None,
            Items::One(item) => holds(0, &item)?.then_some(item).into(),
            Items::Many(items) => {
                let mut kept = Items::None;
                for (index, item) in items.into_iter().enumerate() {
                    if holds(index, &item)? {
                        kept.push(item);
                    }
                }
                kept
            }
        })
    }

    fn iif(&self, call: &'a Call, input: &Items<'a>, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let frame = Frame { this: single(input, "iif")?, ..frame };
        let criterion = self.argument(call, 0, frame)?;
        let holds = match single(&criterion, "iif")? {
            None => false,
            Some(item) => item.as_bool().ok_or(EvaluationError::WrongType("iif"))?,
        };
        self.argument(call, if holds { 1 } else { 2 }, frame)
    }

    pub(super) fn sets(
        &self,
        call: &'a Call,
        input: Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let other = self.argument(call, 0, frame)?;
        let has = |items: &Items<'a>, item: &Item<'a>| self.contains(items.as_slice(), item);
        Ok(match call.function {
            Function::AllTrue => truths(&input)?.all(|truth| truth).into(),
            Function::AnyTrue => truths(&input)?.any(|truth| truth).into(),
            Function::AllFalse => truths(&input)?.all(|truth| !truth).into(),
            Function::AnyFalse => truths(&input)?.any(|truth| !truth).into(),
            Function::SubsetOf => self.is_subset(&input, &other)?.into(),
            Function::SupersetOf => self.is_subset(&other, &input)?.into(),
            Function::IsDistinct => {
                let count = input.len();
                (self.distinct(input.into_vec())?.len() == count).into()
            }
            Function::Distinct => self.distinct(input.into_vec())?,
            Function::Intersect => {
                let mut common = Items::None;
                for item in input.into_vec() {
                    if has(&other, &item)? {
                        common.push(item);
                    }
                }
                self.distinct(common.into_vec())?
            }
            Function::Exclude => {
                let mut left = Items::None;
                for item in input.into_vec() {
                    if !has(&other, &item)? {
                        left.push(item);
                    }
                }
                left
            }
            Function::Union => {
                self.distinct(input.into_vec().into_iter().chain(other.into_vec()))?
            }
            _ => input.into_vec().into_iter().chain(other.into_vec()).collect(),
        })
    }

    fn is_subset(&self, part: &Items<'a>, whole: &Items<'a>) -> Result<bool> {
        for item in part.iter() {
            if !self.contains(whole.as_slice(), item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Each item once, the first of equal ones.
    pub(super) fn distinct(&self, items: impl IntoIterator<Item = Item<'a>>) -> Result<Items<'a>> {
        let items: Vec<Item<'a>> = items.into_iter().collect();
        self.spend(items.len())?;
        // Texts, which are most, are told apart by hash and not each with each.
        if items.len() > 8 && items.iter().all(|item| super::equality::plain_text(item).is_some()) {
            let mut seen = HashSet::new();
            let mut first = vec![false; items.len()];
            for (item, first) in items.iter().zip(&mut first) {
                *first = seen.insert(super::equality::plain_text(item));
            }
            let first = items.iter().zip(first).filter(|(_, first)| *first);
            return Ok(first.map(|(item, _)| item.clone()).collect());
        }
        let mut seen = Items::None;
        for item in items {
            if !self.contains(seen.as_slice(), &item)? {
                seen.push(item);
            }
        }
        Ok(seen)
    }

    pub(super) fn picking(
        &self,
        call: &'a Call,
        input: Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        let name = call.function.name();
        Ok(match call.function {
            Function::Single => {
                single(&input, name)?;
                input
            }
            Function::First => input.first().cloned().into(),
            Function::Last => input.as_slice().last().cloned().into(),
            Function::Tail => input.into_vec().into_iter().skip(1).collect(),
            _ => {
                let number = whole(&self.argument(call, 0, frame)?, name)?;
                let Some(number) = number else {
                    return Ok(Items::None);
                };
                let number = usize::try_from(number).unwrap_or_default();
                let items = input.into_vec().into_iter();
                match call.function {
                    Function::Skip => items.skip(number).collect(),
                    _ => items.take(number).collect(),
                }
            }
        })
    }

    pub(super) fn looping(
        &self,
        call: &'a Call,
        input: Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        match (call.function, call.arguments.first()) {
            (Function::Repeat, Some(term)) => self.repeat(term, input, frame),
            (Function::Aggregate, Some(term)) => {
                let mut total = self.argument(call, 1, frame)?;
                for (index, item) in input.iter().enumerate() {
                    let frame = Frame { this: Some(item), index, total: Some(&total) };
                    let next = self.term(term, frame)?;
                    total = next;
                }
                Ok(total)
            }
            (Function::Sort, _) => self.sort(&call.arguments, input, frame),
            (_, Some(name)) => {
                // What is traced goes nowhere: it may be about a person.
                string(&self.term(name, frame)?, "trace")?;
                Ok(input)
            }
            (_, None) => Ok(input),
        }
    }

    fn repeat(&self, term: &'a Term, input: Items<'a>, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let mut all: Vec<Item<'a>> = Vec::new();
        let mut waiting = input.into_vec();
        while !waiting.is_empty() {
            let mut next = Vec::new();
            for (index, item) in waiting.iter().enumerate() {
                let frame = Frame { this: Some(item), index, ..frame };
                for found in self.term(term, frame)?.into_vec() {
                    if !self.contains(&all, &found)? {
                        all.push(found.clone());
                        next.push(found);
                    }
                }
            }
            waiting = next;
        }
        Ok(all.into())
    }

    /// Sorts by the keys, a key with a minus before it backwards; without keys by the items themselves.
    /// What has no key comes first, backwards too.
    fn sort(&self, keys: &'a [Term], input: Items<'a>, frame: Frame<'_, 'a>) -> Result<Items<'a>> {
        let mut rows = Vec::new();
        for (index, item) in input.into_vec().into_iter().enumerate() {
            let frame = Frame { this: Some(&item), index, ..frame };
            let mut row = Vec::new();
            for key in keys {
                let (term, back) = match key {
                    Term::Negative(of) => (&**of, true),
                    other => (other, false),
                };
                let found = self.term(term, frame)?;
                row.push((single(&found, "sort")?.map(Item::to_system), back));
            }
            if keys.is_empty() {
                row.push((Some(item.to_system()), false));
            }
            rows.push((row, item));
        }
        let count = rows.len();
        self.spend(count.saturating_mul(usize::try_from(count.max(1).ilog2()).unwrap_or(1)))?;
        rows.sort_by(|(one, _), (two, _)| {
            let pairs = one.iter().zip(two);
            let orders = pairs.map(|((one, back), (two, _))| {
                let (Some(one), Some(two)) = (one, two) else {
                    return one.is_some().cmp(&two.is_some());
                };
                let order = super::operator::order(one, two).unwrap_or(Ordering::Equal);
                if *back { order.reverse() } else { order }
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
        Ok(rows.into_iter().map(|(_, item)| item).collect())
    }

    pub(super) fn typing(
        &self,
        call: &'a Call,
        input: Items<'a>,
        frame: Frame<'_, 'a>,
    ) -> Result<Items<'a>> {
        match (call.function, &call.of_type) {
            (Function::Is, Some(wanted)) => Self::is(&input, wanted, "is"),
            (_, Some(wanted)) => Self::of_type(input, wanted),
            (Function::Type, _) => Ok(input.iter().map(|item| Item::Type(item.kind())).collect()),
            (Function::Children, _) => {
                let mut children = Items::None;
                for item in input.iter() {
                    self.children(item, &mut children)?;
                }
                Ok(children)
            }
            (Function::Descendants, _) => self.descendants(&input),
            _ => {
                let url = self.argument(call, 0, frame)?;
                let url = string(&url, "extension")?;
                self.extensions(&input, url)
            }
        }
    }

    pub(super) fn is(input: &Items<'a>, wanted: &TypeName, by: &'static str) -> Result<Items<'a>> {
        known(wanted)?;
        Ok(single(input, by)?.map(|item| wanted.covers(item.kind())).into())
    }

    /// The items of a type. `as` keeps several as well: R4's own invariant `dom-3` and its search
    /// parameters of `Observation.component` are written so. The static check knows better.
    pub(super) fn of_type(input: Items<'a>, wanted: &TypeName) -> Result<Items<'a>> {
        known(wanted)?;
        Ok(match input {
            Items::Many(items) => {
                items.into_iter().filter(|item| wanted.keeps(item.kind())).collect()
            }
            Items::One(item) => Some(item).filter(|item| wanted.keeps(item.kind())).into(),
            Items::None => Items::None,
        })
    }
}

fn known(wanted: &TypeName) -> Result<()> {
    if wanted.is_known() { Ok(()) } else { Err(EvaluationError::UnknownType) }
}

fn truths<'i>(items: &'i Items<'_>) -> Result<impl Iterator<Item = bool> + 'i> {
    if items.iter().any(|item| item.as_bool().is_none()) {
        return Err(EvaluationError::WrongType("allTrue and its like"));
    }
    Ok(items.iter().filter_map(Item::as_bool))
}

pub(super) fn count(number: usize) -> Items<'static> {
    Item::Integer(i64::try_from(number).unwrap_or(i64::MAX)).into()
}
