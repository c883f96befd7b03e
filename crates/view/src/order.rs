//! The order of a search, and places in it.
//!
//! With no order asked for, what is about the latest time comes first. A date orders by its
//! beginning, both ways round; with several values the least counts, and the greatest where the order
//! is descending. What has no value comes last, both ways round. Rows that are equal in all keys
//! stand in the order of their numbers, in the direction of the first key, so that an index that is
//! in the order of the first key is in the whole order.

use std::cmp::Ordering;
use std::sync::Arc;

use fhir::query::{Sort, Target};
use fhir::search::sort::{SortKey, value_key};
use fhir::search::{IndexValue, ParamKind, SearchParameter};
use rusqlite::types::ValueRef;

use crate::condition::Ask;
use crate::error::Error;
use crate::kinds;
use crate::schema::NO_MOMENT;
use crate::search::can_sort;
use crate::store::View;

/// What one key orders by.
#[derive(Clone, Debug)]
pub enum By {
    /// When it is about.
    Moment,
    /// When it was recorded.
    Updated,
    /// The logical id.
    Id,
    /// A date other than [`By::Moment`].
    Date(u16),
    /// A string.
    Text(u16),
    /// Something that only the resource tells.
    Content(Arc<SearchParameter>),
}

/// One key.
#[derive(Clone, Debug)]
pub struct Key {
    /// What it orders by.
    pub by: By,
    /// Greatest first.
    pub descending: bool,
}

/// An order of the resources of one type.
#[derive(Clone, Debug)]
pub struct Order {
    /// The keys; at least one.
    pub keys: Vec<Key>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A time or version.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// None: comes last.
    Missing,
}

/// The place of a row in an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The values of the keys.
    pub keys: Vec<Value>,
    /// The row.
    pub rid: i64,
}

impl Order {
    /// The order of a search on a type.
    pub fn new(ask: &Ask<'_>, kind: &str, sort: &[Sort]) -> Self {
        let keys = sort.iter().filter(|sort| can_sort(sort)).map(|sort| {
            let by = match &sort.by {
                Target::Parameter(parameter) if kinds::is_when(kind, parameter) => By::Moment,
                Target::Parameter(parameter) => match parameter.kind {
                    _ if !ask.has_index(parameter) => By::Content(parameter.clone()),
                    ParamKind::Date => By::Date(parameter.index_id),
                    ParamKind::String => By::Text(parameter.index_id),
                    _ => By::Content(parameter.clone()),
                },
                Target::Id => By::Id,
                Target::LastUpdated | Target::Resource => By::Updated,
            };
            Key { by, descending: sort.descending }
        });
        let mut keys: Vec<Key> = keys.collect();
        if keys.is_empty() {
            keys.push(Key { by: By::Moment, descending: true });
        }
        Self { keys }
    }

    /// Which of two places of one type comes first.
    pub fn compare(&self, one: &Place, other: &Place) -> Ordering {
        self.compare_keys(one, other).then_with(|| {
            let rows = one.rid.cmp(&other.rid);
            if self.descending() { rows.reverse() } else { rows }
        })
    }

    /// Which of two places comes first by the keys alone.
    pub fn compare_keys(&self, one: &Place, other: &Place) -> Ordering {
        let keys = self.keys.iter().zip(one.keys.iter().zip(&other.keys));
        let by_keys = keys.map(|(key, (one, other))| one.compare(other, key.descending));
        by_keys.fold(Ordering::Equal, Ordering::then)
    }

    /// Whether rows that come in the order of the first key may yet stand the other way round.
    pub fn ties(&self, one: &Place, other: &Place) -> bool {
        self.keys.len() > 1 && one.keys.first() == other.keys.first()
    }

    /// Direction of the first key.
    pub fn descending(&self) -> bool {
        self.keys.first().is_some_and(|key| key.descending)
    }

    /// Whether the keys can only be told by reading resources.
    pub fn needs_content(&self) -> bool {
        self.keys.iter().any(|key| matches!(key.by, By::Content(_)))
    }

    /// The keys as columns over the row `r0` of `resource`, each after a comma.
    pub fn columns(&self) -> String {
        self.keys.iter().map(|key| format!(", {}", key.column())).collect()
    }
}

impl Key {
    fn column(&self) -> String {
        let end = if self.descending { "max" } else { "min" };
        match &self.by {
            By::Moment => "r0.moment".to_owned(),
            By::Updated => "r0.version".to_owned(),
            By::Id => "r0.id".to_owned(),
            By::Date(index) => format!(
                "(SELECT {end}(k.low) FROM span k WHERE k.rid = r0.rid AND k.param = {index})"
            ),
            By::Text(index) => format!(
                "(SELECT {end}(k.value) FROM word k WHERE k.rid = r0.rid AND k.param = {index})"
            ),
            By::Content(_) => "NULL".to_owned(),
        }
    }

    /// The value of a key by what a resource says.
    pub fn of_content(&self, view: &View, resource: &fhir::resource::Resource) -> Option<Value> {
        let By::Content(parameter) = &self.by else { return None };
        let values = view.parameters.values(parameter, resource);
        // The words beside a token are no value of it.
        let is_text = parameter.kind == ParamKind::String;
        let values =
            values.iter().filter(|value| is_text || !matches!(value, IndexValue::Text { .. }));
        let keys = values.filter_map(|value| match value {
            IndexValue::Date { low, .. } => Some(SortKey::Time(*low)),
            value => value_key(value, self.descending),
        });
        let key = if self.descending { keys.max() } else { keys.min() };
        Some(match key {
            Some(SortKey::Time(NO_MOMENT)) | None => Value::Missing,
            Some(SortKey::Time(time)) => Value::Integer(time),
            Some(SortKey::Number(number)) => Value::Number(number.get()),
            Some(SortKey::Text(text)) => Value::Text(text.into()),
        })
    }
}

impl Value {
    /// From a column. The least number there is stands for none.
    pub fn read(column: ValueRef<'_>) -> Result<Self, Error> {
        Ok(match column {
            ValueRef::Integer(NO_MOMENT) | ValueRef::Null | ValueRef::Blob(_) => Self::Missing,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Number(number),
            ValueRef::Text(bytes) => {
                Self::Text(String::from_utf8(bytes.to_vec()).map_err(|_| Error::Cursor)?)
            }
        })
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Self::Missing) => return Ordering::Less,
            (Self::Integer(one), Self::Integer(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            // Keys of one parameter are of one kind, but what was there before may be of another.
            (one, other) => one.rank().cmp(&other.rank()),
        };
        if descending { order.reverse() } else { order }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Integer(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            Self::Missing => 3,
        }
    }
}

/// Where a search goes on: after a place, among what had been recorded by then.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// The ledger position of the first page.
    pub position: u64,
    /// Number of the type of the last match.
    pub kind: i64,
    /// The place of the last match.
    pub place: Place,
}

impl Cursor {
    /// As bytes, for sealing.
    pub fn write(&self) -> Vec<u8> {
        let mut out = self.position.to_be_bytes().to_vec();
        out.extend(self.kind.to_be_bytes());
        out.extend(self.place.rid.to_be_bytes());
        for key in &self.place.keys {
            match key {
                Value::Integer(number) => {
                    out.push(0);
                    out.extend(number.to_be_bytes());
                }
                Value::Number(number) => {
                    out.push(1);
                    out.extend(number.to_be_bytes());
                }
                Value::Text(text) => {
                    out.push(2);
                    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    out.extend(length.to_be_bytes());
                    out.extend(text.as_bytes());
                }
                Value::Missing => out.push(3),
            }
        }
        out
    }

    /// From bytes that were sealed.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (position, rest) = bytes.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (rid, mut rest) = rest.split_first_chunk()?;
        let mut keys = Vec::new();
        while let Some((tag, after)) = rest.split_first() {
            let (key, after) = match tag {
                0 => {
                    let (number, after) = after.split_first_chunk()?;
                    (Value::Integer(i64::from_be_bytes(*number)), after)
                }
                1 => {
                    let (number, after) = after.split_first_chunk()?;
                    (Value::Number(f64::from_be_bytes(*number)), after)
                }
                2 => {
                    let (length, after) = after.split_first_chunk()?;
                    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
                    let (text, after) = after.split_at_checked(length)?;
                    (Value::Text(String::from_utf8(text.to_vec()).ok()?), after)
                }
                _ => (Value::Missing, after),
            };
            keys.push(key);
            rest = after;
        }
        Some(Self {
            position: u64::from_be_bytes(*position),
            kind: i64::from_be_bytes(*kind),
            place: Place { keys, rid: i64::from_be_bytes(*rid) },
        })
    }
}
