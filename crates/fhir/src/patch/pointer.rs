//! JSON Pointer (RFC 6901): the place of a value in a document.

use crate::value::Value;

/// A place: the steps from the root, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Box<str>>);

impl Pointer {
    /// Reads `/name/0/given`; nothing if the text is no pointer.
    pub(super) fn parse(text: &str) -> Option<Pointer> {
        if text.is_empty() {
            return Some(Pointer(Vec::new()));
        }
        let steps = text.strip_prefix('/')?.split('/').map(unescape);
        steps.collect::<Option<_>>().map(Pointer)
    }

    /// How many steps.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether `other` lies below this place.
    pub(super) fn holds(&self, other: &Pointer) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }

    /// The value there.
    pub(super) fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, step| match value {
            Value::Object(object) => object.get(step),
            Value::Array(items) => items.get(index(step)?),
            _ => None,
        })
    }

    /// The value there, to change.
    pub(super) fn find_mut<'a>(&self, document: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(document, |value, step| step_into(value, step))
    }

    /// What the last step is taken in, with that step; nothing for the root.
    pub(super) fn parent<'a, 'b>(
        &'b self,
        document: &'a mut Value,
    ) -> Option<(&'a mut Value, &'b str)> {
        let (last, steps) = self.0.split_last()?;
        Some((steps.iter().try_fold(document, |value, step| step_into(value, step))?, last))
    }
}

fn step_into<'a>(value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(object) => object.get_mut(step),
        Value::Array(items) => items.get_mut(index(step)?),
        _ => None,
    }
}

/// An index of an array: digits without leading zeros.
pub(super) fn index(step: &str) -> Option<usize> {
    let digits = step.bytes().all(|byte| byte.is_ascii_digit());
    let plain = step == "0" || !step.starts_with('0');
    if digits && plain { step.parse().ok() } else { None }
}

/// `~1` is a slash and `~0` a tilde; nothing else may follow a tilde.
fn unescape(step: &str) -> Option<Box<str>> {
    let mut parts = step.split('~');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = match (part.strip_prefix('0'), part.strip_prefix('1')) {
            (Some(rest), _) => {
                text.push('~');
                rest
            }
            (_, Some(rest)) => {
                text.push('/');
                rest
            }
            _ => return None,
        };
        text.push_str(rest);
    }
    Some(text.into())
}
