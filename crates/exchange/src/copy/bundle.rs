//! The copy for programs: a Bundle, a chunk at a time. Stored resources are written as the bytes they are kept as.
//!
//! The person's own Patient first, then what the person has in the order it was first recorded, then what that
//! refers to and is about nobody, and last who has looked.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::permit::ReadPermit;
use fhir::instant::format_instant;
use fhir::issue::operation_outcome;
use fhir::json;
use fhir::value::Value;
use record::basis::{self, Bases};
use record::catalogue::{self, ACCESS, Catalogue};
use record::entry::Position;
use record::identity::PersonId;
use record::system::ENH;
use view::everything::{Step, Walk};
use view::store::{Found, Stored};

use crate::error::Failure;
use crate::operation::everything::references;
use crate::searchset::incomplete;
use crate::tenant::Tenant;

/// Resources in a chunk.
const CHUNK: usize = 200;

/// Extension of an entry: whose it is, and why it is kept.
pub const BASIS: &str = "https://fkj.no/fhir/StructureDefinition/record-basis";

/// A copy being made.
pub struct Copy {
    tenant: Arc<Tenant>,
    person: PersonId,
    permit: ReadPermit,
    until: Position,
    base: String,
    log: String,
    stage: Stage,
    /// What was referred to, and may be about nobody.
    named: BTreeSet<(&'static str, String)>,
    is_first: bool,
}

/// What comes next.
enum Stage {
    Head,
    Patients,
    /// After this row.
    Others(i64),
    Supporting,
    /// Before this position of the log.
    Log(Option<Position>),
    End,
    Over,
}

impl Copy {
    pub(super) fn new(
        tenant: Arc<Tenant>,
        person: PersonId,
        permit: ReadPermit,
        until: Position,
        (base, log): (String, String),
    ) -> Self {
        let (stage, named, is_first) = (Stage::Head, BTreeSet::new(), true);
        Self { tenant, person, permit, until, base, log, stage, named, is_first }
    }

    /// The next chunk; nothing where it is all given.
    ///
    /// # Errors
    /// What cannot be read: the copy is then broken off, and not whole.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut out = Vec::new();
        self.stage = match self.stage {
            Stage::Head => {
                self.head(&mut out)?;
                Stage::Patients
            }
            Stage::Patients => {
                self.walk(true, 0, &mut out)?;
                Stage::Others(0)
            }
            Stage::Others(after) => match self.walk(false, after, &mut out)? {
                Some(row) => Stage::Others(row),
                None => Stage::Supporting,
            },
            Stage::Supporting => {
                self.supporting(&mut out)?;
                if self.named.is_empty() { Stage::Log(None) } else { Stage::Supporting }
            }
            Stage::Log(before) => match self.looks(before, &mut out)? {
                Some(before) => Stage::Log(Some(before)),
                None => Stage::End,
            },
            Stage::End => {
                out.extend_from_slice(if self.is_first { b"}" } else { b"]}" });
                Stage::Over
            }
            Stage::Over => return Ok(None),
        };
        Ok(Some(out))
    }

    fn head(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let at = format_instant(self.tenant.now());
        let head =
            format!("{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"timestamp\":\"{at}\"");
        out.extend_from_slice(head.as_bytes());
        let told = incomplete(&self.tenant.view.skipped(&self.permit)?, false);
        if !told.is_empty() {
            self.begin(out);
            out.extend_from_slice(b"{\"resource\":");
            json::print_to(&operation_outcome(&told), out);
            out.push(b'}');
        }
        Ok(())
    }

    /// A stretch of what is about the person; the row to go on after, if there is more.
    fn walk(
        &mut self,
        patients: bool,
        after: i64,
        out: &mut Vec<u8>,
    ) -> Result<Option<i64>, Failure> {
        let walk = Walk { person: self.person, patients, until: self.until, since: None, after };
        let steps = self.tenant.view.everything(&self.permit, &walk, CHUNK)?;
        for Step { stored, .. } in &steps {
            if let Ok(value) = json::parse(&stored.body) {
                references(&value, &mut self.named);
            }
            self.add(stored, out);
        }
        Ok(steps.last().filter(|_| steps.len() == CHUNK).map(|step| step.row))
    }

    /// Some of what was referred to and is about nobody, so far as the permit opens it.
    fn supporting(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        for _ in 0..CHUNK {
            let Some((kind, id)) = self.named.pop_first() else { break };
            if Catalogue::get().is_personal(kind) {
                continue;
            }
            if let Found::Current(stored) = self.tenant.view.read(&self.permit, kind, &id)? {
                self.add(&stored, out);
            }
        }
        Ok(())
    }

    /// Some of who has looked, the newest first; where to go on, if there is more.
    fn looks(
        &mut self,
        before: Option<Position>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Position>, Failure> {
        if !self.permit.categories().contains(&ACCESS) {
            return Ok(None);
        }
        let tenant = self.tenant.clone();
        let records = tenant.audit().by_person(self.person, before, CHUNK)?;
        for record in &records {
            let event = tenant.audit_event(record)?;
            let entry = &record.entry;
            let kept = Kept {
                owner: &entry.owner,
                source: &entry.source,
                category: &entry.category,
                recorded: entry.recorded_at,
            };
            let url = format!("{}/AuditEvent/{}", self.log, entry.position);
            self.open(&kept, &url, out);
            json::print_to(&event, out);
            out.push(b'}');
        }
        Ok(records.last().filter(|_| records.len() == CHUNK).map(|it| it.entry.position))
    }

    fn add(&mut self, stored: &Stored, out: &mut Vec<u8>) {
        let Stored { kind, id, owner, source, category, updated, body, .. } = stored;
        let kept = Kept { owner, source, category, recorded: *updated };
        let url = format!("{}/{kind}/{id}", self.base);
        self.open(&kept, &url, out);
        out.extend_from_slice(body);
        out.push(b'}');
    }

    /// An entry up to its resource.
    fn open(&mut self, kept: &Kept<'_>, url: &str, out: &mut Vec<u8>) {
        self.begin(out);
        out.extend_from_slice(b"{\"extension\":[");
        json::print_to(&kept.extension(), out);
        out.extend_from_slice(b"],\"fullUrl\":");
        json::print_to(&Value::from(url), out);
        out.extend_from_slice(b",\"resource\":");
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.is_first { b",\"entry\":[" } else { b"," });
        self.is_first = false;
    }
}

/// Whose an item is, and where it came from.
struct Kept<'a> {
    owner: &'a str,
    source: &'a str,
    category: &'a str,
    recorded: i64,
}

impl Kept<'_> {
    fn extension(&self) -> Value {
        let category =
            Catalogue::get().category(self.category).map(|it| it.texts.nb.title.as_str());
        let mut parts = vec![
            json!({ "url": "owner", "valueIdentifier": { "system": ENH, "value": self.owner } }),
            json!({ "url": "source", "valueString": self.source }),
            json!({ "url": "category", "valueCoding": {
                "system": catalogue::SYSTEM, "code": self.category, "display": category,
            } }),
            json!({ "url": "recorded", "valueInstant": format_instant(self.recorded) }),
        ];
        if let Some(basis) = Bases::get().of(self.category) {
            parts.push(json!({ "url": "legalBasis", "valueCoding": {
                "system": basis::SYSTEM, "code": basis.key.as_str(), "display": basis.title.as_str(),
            } }));
            parts.push(json!({ "url": "portable", "valueBoolean": basis.portable }));
        }
        json!({ "url": BASIS, "extension": Value::Array(parts) })
    }
}
