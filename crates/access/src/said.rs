//! What policies are told of a request, and what they have answered.
//!
//! A policy sees nothing else, and says the same of the same: compiled policies never change, and Cedar
//! has no clock. So an answer is remembered by everything that was said, byte for byte, for as long as the
//! policies are in force. Invariant: what is remembered is what an evaluation would answer.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{Context, RestrictedExpression as Value};

use crate::policy::Ask;

/// Answers remembered at once, some hundred bytes each; past it all are forgotten. People at work are
/// few, and each says the same for a minute at a time.
const MOST: usize = 4096;

/// One thing that is told.
#[derive(Clone, Copy, Debug)]
enum Fact<'a> {
    Is(bool),
    Text(&'a str),
    Number(i64),
}

/// Everything that is told, by name.
#[derive(Debug)]
pub(crate) struct Said<'a>(Vec<(&'static str, Fact<'a>)>);

impl<'a> Said<'a> {
    pub fn new<const B: usize, const S: usize, const L: usize>(
        bools: [(&'static str, bool); B],
        strings: [(&'static str, &'a str); S],
        longs: [(&'static str, i64); L],
    ) -> Self {
        let bools = bools.into_iter().map(|(name, it)| (name, Fact::Is(it)));
        let strings = strings.into_iter().map(|(name, it)| (name, Fact::Text(it)));
        let longs = longs.into_iter().map(|(name, it)| (name, Fact::Number(it)));
        Self(bools.chain(strings).chain(longs).collect())
    }

    /// As Cedar takes it.
    pub fn context(&self) -> Option<Context> {
        let pairs = self.0.iter().map(|(name, fact)| {
            let value = match fact {
                Fact::Is(it) => Value::new_bool(*it),
                Fact::Text(it) => Value::new_string((*it).to_owned()),
                Fact::Number(it) => Value::new_long(*it),
            };
            ((*name).to_owned(), value)
        });
        Context::from_pairs(pairs).ok()
    }

    /// Everything that an answer depends on. Each part has its length before it, so that no two requests
    /// look alike.
    pub fn key(&self, ask: Ask, who: &str, kind: &str) -> Vec<u8> {
        let mut key = Vec::with_capacity(640);
        let mut put = |part: &[u8]| {
            key.extend_from_slice(&part.len().to_le_bytes());
            key.extend_from_slice(part);
        };
        for part in [ask.actor.name(), ask.act.name(), ask.asked.name(), who, kind] {
            put(part.as_bytes());
        }
        for (name, fact) in &self.0 {
            put(name.as_bytes());
            match fact {
                Fact::Is(it) => put(&[u8::from(*it)]),
                Fact::Text(it) => put(it.as_bytes()),
                Fact::Number(it) => put(&it.to_le_bytes()),
            }
        }
        key
    }
}

/// Numbers of the policies that hold.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub permits: Vec<usize>,
    pub forbids: Vec<usize>,
}

/// What was answered before.
#[derive(Debug, Default)]
pub(crate) struct Memory(RwLock<HashMap<Vec<u8>, Arc<Answer>>>);

impl Memory {
    /// The answer to this, evaluated where it is not remembered. What errs is not remembered.
    pub fn answer<E>(
        &self,
        key: Vec<u8>,
        evaluate: impl FnOnce() -> Result<Answer, E>,
    ) -> Result<Arc<Answer>, E> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = Arc::new(evaluate()?);
        let mut answers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(key, answer.clone());
        Ok(answer)
    }
}
