//! JSON Patch: operations on places told by JSON Pointers (RFC 6902).

use super::number::same;
use super::pointer::{Pointer, index};
use super::{Budget, MAX_OPERATIONS, fault, identity, same_identity};
use crate::issue::{Issue, IssueCode};
use crate::value::Value;

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    action: Action,
    path: Pointer,
}

#[derive(Clone, Debug)]
enum Action {
    Add(Value),
    Remove,
    Replace(Value),
    Move(Pointer),
    Copy(Pointer),
    Test(Value),
}

pub(super) fn read(document: &Value) -> Result<Vec<Operation>, Issue> {
    let Value::Array(operations) = document else {
        let message = "a JSON Patch is an array of operations (RFC 6902)";
        return Err(Issue::error(IssueCode::Structure, "patch", message));
    };
    if operations.len() > MAX_OPERATIONS {
        let message = format!("at most {MAX_OPERATIONS} operations; send several patches");
        return Err(Issue::error(IssueCode::TooCostly, "patch", message));
    }
    operations.iter().enumerate().map(|(i, operation)| read_one(operation, i)).collect()
}

fn read_one(operation: &Value, i: usize) -> Result<Operation, Issue> {
    let pointer = |member: &str| {
        let text = operation.text(member).ok_or_else(|| {
            fault(IssueCode::Required, i, member, format!("`{member}` is required: a JSON Pointer"))
        })?;
        Pointer::parse(text).ok_or_else(|| {
            let message = "not a JSON Pointer: write it as `/name/0/family` (RFC 6901)";
            fault(IssueCode::Value, i, member, message)
        })
    };
    let value = || {
        operation.get("value").cloned().ok_or_else(|| {
            fault(IssueCode::Required, i, "value", "`value` is required for this operation")
        })
    };
    let action = match operation.text("op") {
        Some("add") => Action::Add(value()?),
        Some("remove") => Action::Remove,
        Some("replace") => Action::Replace(value()?),
        Some("move") => Action::Move(pointer("from")?),
        Some("copy") => Action::Copy(pointer("from")?),
        Some("test") => Action::Test(value()?),
        _ => {
            let message = "`op` is one of `add`, `remove`, `replace`, `move`, `copy`, `test`";
            return Err(fault(IssueCode::Value, i, "op", message));
        }
    };
    Ok(Operation { action, path: pointer("path")? })
}

pub(super) fn apply(operations: &[Operation], document: &mut Value) -> Result<(), Issue> {
    let identity = identity(document);
    let mut budget = Budget::default();
    for (i, operation) in operations.iter().enumerate() {
        operation.apply(document, &mut budget, i)?;
        if !same_identity(&identity, document) {
            let message = "a patch may not change `resourceType` or `id`";
            return Err(fault(IssueCode::BusinessRule, i, "path", message));
        }
    }
    Ok(())
}

impl Operation {
    fn apply(&self, document: &mut Value, budget: &mut Budget, i: usize) -> Result<(), Issue> {
        let missing = |member| {
            fault(IssueCode::NotFound, i, member, "there is nothing at this place of the resource")
        };
        let from = |pointer: &Pointer, document: &Value| {
            pointer.find(document).cloned().ok_or_else(|| missing("from"))
        };
        match &self.action {
            Action::Add(value) => self.add(document, value.clone(), budget, i),
            Action::Remove => remove(&self.path, document).map(drop).ok_or_else(|| missing("path")),
            Action::Replace(value) => {
                budget.spend(value, self.path.depth(), i)?;
                let place = self.path.find_mut(document).ok_or_else(|| missing("path"))?;
                *place = value.clone();
                Ok(())
            }
            Action::Copy(source) => {
                let value = from(source, document)?;
                self.add(document, value, budget, i)
            }
            Action::Move(source) if *source == self.path => from(source, document).map(drop),
            Action::Move(source) if source.holds(&self.path) => {
                let message = "a value cannot be moved into itself";
                Err(fault(IssueCode::Invalid, i, "path", message))
            }
            Action::Move(source) => {
                let value = remove(source, document).ok_or_else(|| missing("from"))?;
                self.add(document, value, budget, i)
            }
            Action::Test(value) => match self.path.find(document) {
                Some(found) if same(found, value) => Ok(()),
                Some(_) => {
                    let message = "the test failed: there is another value; read the resource anew";
                    Err(fault(IssueCode::Conflict, i, "value", message))
                }
                None => Err(missing("path")),
            },
        }
    }

    /// Puts a value at the path: before an item, at the end by `-`, or as a member.
    fn add(
        &self,
        document: &mut Value,
        value: Value,
        budget: &mut Budget,
        i: usize,
    ) -> Result<(), Issue> {
        budget.spend(&value, self.path.depth(), i)?;
        if self.path.depth() == 0 {
            *document = value;
            return Ok(());
        }
        match self.path.parent(document) {
            Some((Value::Object(object), name)) => object.set(name, value),
            Some((Value::Array(items), "-")) => items.push(value),
            Some((Value::Array(items), step)) => match index(step) {
                Some(at) if at <= items.len() => items.insert(at, value),
                _ => {
                    let message = "the index lies beyond the end of the array; `-` is its end";
                    return Err(fault(IssueCode::NotFound, i, "path", message));
                }
            },
            _ => {
                let message = "what should hold the value is not there; add that first";
                return Err(fault(IssueCode::NotFound, i, "path", message));
            }
        }
        Ok(())
    }
}

/// Takes the value at a place out; nothing if there is none, or for the whole document.
fn remove(path: &Pointer, document: &mut Value) -> Option<Value> {
    match path.parent(document)? {
        (Value::Object(object), name) => object.remove(name),
        (Value::Array(items), step) => {
            let at = index(step)?;
            (at < items.len()).then(|| items.remove(at))
        }
        _ => None,
    }
}
