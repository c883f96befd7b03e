//! A WHERE clause under construction. Values are always parameters, never text.

use rusqlite::types::Value as Sql;

/// Conditions joined by AND.
#[derive(Clone)]
pub struct Builder {
    text: String,
    values: Vec<Sql>,
}

impl Builder {
    /// Starts with one condition.
    pub fn new(condition: &str, values: impl IntoIterator<Item = Sql>) -> Self {
        Self { text: condition.to_owned(), values: values.into_iter().collect() }
    }

    /// Adds a condition.
    pub fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Sql>) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.values.extend(values);
    }

    /// Adds "column is one of these"; nothing matches an empty list.
    pub fn and_one_of(&mut self, column: &str, values: Vec<Sql>) {
        let marks = vec!["?"; values.len()].join(", ");
        self.and(&format!("{column} IN ({marks})"), values);
    }

    /// The clause.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its parameters, in order.
    pub fn values(&self) -> &[Sql] {
        &self.values
    }
}
