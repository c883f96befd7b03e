//! How a resource stands before an operation: what must hold of it, what a patch makes of it, and
//! the receipt where nothing is to be done.

use access::caller::Caller;
use access::scopes::Interaction;
use fhir::patch::Patch;
use fhir::value::Value;
use record::catalogue::Catalogue;
use view::store::Located;

use crate::control;
use crate::error::Failure;
use crate::prepare::Kept;
use crate::scopes::may_write_by_scopes;
use crate::submission::{Done, Operation, Receipt, Require};
use crate::tenant::Tenant;

/// What changes something.
const WRITES: [Interaction; 3] = [Interaction::Create, Interaction::Update, Interaction::Delete];

/// Whether what the operation asks of the current version holds. A removed resource has a version,
/// but is not there.
pub(crate) fn check_version(
    operation: &Operation,
    existing: Option<&Located>,
) -> Result<(), Failure> {
    let there = existing.filter(|located| !located.removed);
    match (operation.require, existing) {
        (Require::Version(wanted), Some(located)) if located.version == wanted => Ok(()),
        (Require::Version(_), _) => Err(Failure::Precondition),
        (Require::Existing, _) if there.is_none() => Err(Failure::Precondition),
        (Require::Absent, _) if there.is_some() => Err(Failure::Exists),
        (Require::Nothing | Require::Existing | Require::Absent, _) => Ok(()),
    }
}

/// The receipt of a removal that found nothing.
pub(crate) fn absent(kind: &'static str, id: String) -> Kept {
    let receipt = Receipt {
        result: Done::Absent,
        kind,
        id,
        version: 0,
        updated: 0,
        visible: true,
        warnings: Vec::new(),
        content: None,
    };
    Kept { receipt, person: None, category: String::new() }
}

impl Tenant {
    /// The resource after a patch. Whoever may not write it learns nothing from what a patch finds.
    pub(crate) fn patched(
        &self,
        caller: &Caller,
        operation: &Operation,
        patch: &Patch,
        existing: Option<&Located>,
    ) -> Result<Value, Failure> {
        let Some(located) = existing else {
            self.may_write(caller, operation.kind)?;
            return Err(Failure::NotFound);
        };
        may_write_by_scopes(caller, operation.kind, &[Interaction::Update])?;
        self.may_correct(caller, operation.kind, located)?;
        if located.erased {
            return Err(Failure::Erased);
        }
        if located.removed {
            return Err(Failure::Removed(located.version));
        }
        check_version(operation, existing)?;
        let current = self.content(operation.kind, located.version)?;
        patch.apply(&current).map_err(|issue| Failure::Invalid(vec![issue]))
    }

    /// The receipt of a conditional create that found the resource.
    pub(crate) fn kept(
        &self,
        caller: &Caller,
        kind: &'static str,
        id: String,
        existing: Option<Located>,
    ) -> Result<Kept, Failure> {
        let located = existing.ok_or(Failure::NotFound)?;
        may_write_by_scopes(caller, kind, &[Interaction::Create])?;
        self.may_correct(caller, kind, &located)?;
        self.told(kind, id, &located, Done::Unchanged)
    }

    /// The receipt of an operation that changes nothing.
    pub(crate) fn told(
        &self,
        kind: &'static str,
        id: String,
        located: &Located,
        result: Done,
    ) -> Result<Kept, Failure> {
        let version = located.version;
        let current = self.ledger.record(version)?.ok_or(Failure::NotFound)?;
        let updated = current.entry.recorded_at;
        let (warnings, content) = (Vec::new(), None);
        let visible = true;
        let receipt = Receipt { result, kind, id, version, updated, visible, warnings, content };
        Ok(Kept { receipt, person: located.person, category: located.category.clone() })
    }

    /// Whether the caller may change this record: its owner only.
    fn may_correct(&self, caller: &Caller, kind: &str, located: &Located) -> Result<(), Failure> {
        let category = Catalogue::get().category(&located.category).ok_or(Failure::NotFound)?;
        self.may_record(caller, kind, category, None, Some(located)).map(drop)
    }

    /// Whether the caller may write anything of a type: where there is no resource, somebody who may
    /// write none learns nothing from that.
    pub(crate) fn may_write(&self, caller: &Caller, kind: &str) -> Result<(), Failure> {
        may_write_by_scopes(caller, kind, &WRITES)?;
        if control::is_resident(caller) && kind == "Consent" {
            return Ok(());
        }
        let mut decided = Err(Failure::NotFound);
        for category in Catalogue::get().of_type(kind) {
            match self.may_record(caller, kind, category, None, None) {
                Ok(_) => return Ok(()),
                Err(refusal) => decided = Err(refusal),
            }
        }
        decided
    }
}
