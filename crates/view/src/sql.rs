//! Pieces of SQL with their parameters. Values are always parameters, never text; numbers of our own
//! (types, scopes, parameters of searches) may stand in the text.

use rusqlite::types::Value as Sql;

/// A condition or a SELECT with its parameters, in order.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// What its question marks stand for.
    pub values: Vec<Sql>,
}

impl Piece {
    /// A piece.
    pub fn new(text: impl Into<String>, values: impl IntoIterator<Item = Sql>) -> Self {
        Self { text: text.into(), values: values.into_iter().collect() }
    }

    /// What always holds.
    pub fn always() -> Self {
        Self::new("1", [])
    }

    /// What never holds.
    pub fn never() -> Self {
        Self::new("0", [])
    }

    /// Whether it is [`Piece::never`].
    pub fn is_never(&self) -> bool {
        self.text == "0"
    }

    /// The opposite.
    pub fn not(self) -> Self {
        Self { text: format!("NOT ({})", self.text), values: self.values }
    }

    /// All of the pieces.
    pub fn all(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self::joined(pieces, "1", " AND ")
    }

    /// Any of the pieces.
    pub fn any(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self::joined(pieces.into_iter().filter(|piece| !piece.is_never()), "0", " OR ")
    }

    /// Both of two SELECTs, or more.
    pub fn union(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut whole = Piece::default();
        for piece in pieces {
            if !whole.text.is_empty() {
                whole.text.push_str(" UNION ALL ");
            }
            whole.push(piece);
        }
        whole
    }

    /// Puts a piece after this one.
    pub fn push(&mut self, piece: Piece) {
        self.text.push_str(&piece.text);
        self.values.extend(piece.values);
    }

    /// Adds a condition.
    pub fn and(&mut self, piece: Piece) {
        self.text.push_str(" AND ");
        self.push(piece);
    }

    fn joined(pieces: impl IntoIterator<Item = Piece>, none: &str, with: &str) -> Self {
        let mut whole = Piece::default();
        let mut count = 0;
        for piece in pieces {
            if count > 0 {
                whole.text.push_str(with);
            }
            whole.push(piece);
            count += 1;
        }
        match count {
            0 => Piece::new(none, []),
            1 => whole,
            _ => Piece { text: format!("({})", whole.text), values: whole.values },
        }
    }
}

/// `?, ?, …`, so many.
pub fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// `1, 2, …`: numbers of our own.
pub fn numbers(numbers: &[i64]) -> String {
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    texts.join(", ")
}
