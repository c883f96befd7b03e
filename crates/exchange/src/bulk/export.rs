//! Bulk export (HL7 Bulk Data Access 2.0): what it holds, and the files it comes in.
//!
//! A file is a stretch of the ledger for one resource type. Nothing is copied to disk: a file is made
//! from the view when it is fetched, under a permit decided anew, and every person in it gets an entry
//! in the audit ledger before the lines leave. A resource that has changed since the export was asked
//! for is given as it was then. The same file can be fetched again, whatever happened in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::caller::{Caller, Party};
use access::decide::About;
use access::permit::ReadPermit;
use access::scopes::Interaction;
use fhir::definitions::resource_kind;
use fhir::instant::format_instant;
use fhir::issue::IssueCode;
use fhir::json;
use fhir::value::Value;
use record::catalogue::Catalogue;
use record::entry::Position;
use record::identity::PersonId;
use serde::{Deserialize, Serialize};
use view::scan::{Met, Stretch, Whom};

use crate::audit::{AuditRecord, Deed};
use crate::bulk::filter::TypeFilter;
use crate::bulk::job::{Job, LIFETIME, Work};
use crate::error::Failure;
use crate::read::keys_of;
use crate::scopes::allows;
use crate::tenant::Tenant;

/// Positions of the ledger in one file.
const STRETCH: u64 = 50_000;

/// Resources read, logged and sent at a time.
const CHUNK: usize = 500;

/// Most members of an exported Group.
const MOST_MEMBERS: usize = 10_000;

/// An export as it was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// The address it was asked for with.
    pub request: String,
    /// Whose resources.
    pub scope: Scope,
    /// Resource types.
    pub kinds: Vec<String>,
    /// Only what was recorded since, milliseconds since 1970.
    pub since: Option<i64>,
    /// Only what these find, of the types they name.
    #[serde(default)]
    pub filters: Vec<TypeFilter>,
    /// The time it stands for, milliseconds since 1970.
    pub time: i64,
    /// The ledger position it stands for.
    pub position: Position,
    /// The files, once they are known.
    pub files: Option<Vec<File>>,
}

/// Whose resources are exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everything.
    System,
    /// What is about persons.
    Patients,
    /// What is about the members of this Group.
    Group(String),
}

/// One file of an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File {
    /// Resource type.
    pub kind: String,
    /// Positions after this one,
    pub after: Position,
    /// and up to this one.
    pub until: Position,
    /// Whether it tells of removals.
    pub removed: bool,
}

/// A file of an export that is being read.
pub struct Reading {
    tenant: Arc<Tenant>,
    caller: Arc<Caller>,
    export: Export,
    file: File,
    kind: &'static str,
    /// Those of a Group, as it is when the reading begins.
    members: Option<Vec<PersonId>>,
    /// The row to go on after.
    after: Option<i64>,
    ended: bool,
}

/// What an export is asked for with.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The address, to be shown in the manifest.
    pub request: String,
    /// Whose resources.
    pub scope: Scope,
    /// `_type`; empty for all types.
    pub kinds: Vec<&'static str>,
    /// `_since`.
    pub since: Option<i64>,
    /// `_typeFilter`, each value as it was sent.
    pub filters: Vec<String>,
    /// Whether a filter that cannot be followed is left out.
    pub lenient: bool,
}

impl Tenant {
    /// Begins an export; gives the id of its job.
    pub async fn export(&self, caller: &Caller, wish: Wish) -> Result<String, Failure> {
        if !matches!(caller.party, Party::System) {
            let text = "an export is for systems with an agreement; ask for one patient's record";
            return Err(Failure::invalid(IssueCode::Forbidden, "", text));
        }
        let kinds = self.exported(caller, &wish).await?;
        let filters = self.type_filters(caller, &wish.filters, &wish.kinds, wish.lenient).await?;
        if let Scope::Group(id) = &wish.scope {
            self.members(caller, id).await?;
        }
        let now = self.now();
        let export = Export {
            request: wish.request,
            scope: wish.scope,
            kinds: kinds.into_iter().map(str::to_owned).collect(),
            since: wish.since,
            filters,
            time: now,
            position: self.visible(),
            files: None,
        };
        let id = self.new_id()?;
        let client = caller.client_id.clone();
        let work = Work::Export(export);
        self.jobs.keep(&Job { id: id.clone(), client, expires: now + LIFETIME, work }, now)?;
        Ok(id)
    }

    /// The types of an export: those asked for, each of which the caller must be allowed to read, or
    /// all that it is.
    async fn exported(&self, caller: &Caller, wish: &Wish) -> Result<Vec<&'static str>, Failure> {
        if !wish.kinds.is_empty() {
            for kind in &wish.kinds {
                self.within_scopes(
                    caller,
                    ("export", About::Unnamed),
                    &[kind],
                    Interaction::Search,
                )
                .await?;
                self.decide(caller, "export", About::Unnamed, &keys_of(kind)).await?;
            }
            return Ok(wish.kinds.clone());
        }
        let all: Vec<&'static str> =
            Catalogue::get().categories.iter().map(|category| category.key.as_str()).collect();
        let permit = self.decide(caller, "export", About::Unnamed, &all).await?;
        let readable = |kind: &&'static str| {
            keys_of(kind).iter().any(|key| permit.categories().contains(key))
                && allows(caller, kind, Interaction::Search)
        };
        Ok(fhir::definitions::resource_kinds().into_iter().filter(readable).collect())
    }

    /// The files of an export, found on first call. `None`: no such job of the caller's.
    pub async fn export_files(&self, caller: &Caller, id: &str) -> Result<Option<Export>, Failure> {
        let Some(mut job) = self.jobs.find(caller, id, self.now()) else { return Ok(None) };
        let Work::Export(export) = &mut job.work else { return Ok(None) };
        if export.files.is_none() {
            export.files = Some(self.plan(caller, export).await?);
            let found = export.clone();
            self.jobs.keep(&job, self.now())?;
            return Ok(Some(found));
        }
        Ok(Some(export.clone()))
    }

    async fn plan(&self, caller: &Caller, export: &Export) -> Result<Vec<File>, Failure> {
        let members = self.whom(caller, &export.scope).await?;
        let mut files = Vec::new();
        for kind in export.kinds.iter().filter_map(|kind| resource_kind(kind)) {
            let permit = self.decide(caller, "export", About::Unnamed, &keys_of(kind)).await?;
            for removed in [false, true] {
                // Removals are told of to whoever has fetched before.
                if removed && export.since.is_none() {
                    continue;
                }
                let mut after = 0;
                while after < export.position {
                    let until = (after + STRETCH).min(export.position);
                    let file = File { kind: kind.to_owned(), after, until, removed };
                    let stretch = stretch(export, &file, kind, &members);
                    if self.view.has_any(&permit, &stretch)? {
                        files.push(file);
                    }
                    after = until;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(files)
    }

    /// Begins to read a file. `None`: no such job or file.
    pub async fn export_file(
        self: Arc<Self>,
        caller: Arc<Caller>,
        id: &str,
        file: usize,
    ) -> Result<Option<Reading>, Failure> {
        let Some(mut export) = self.export_files(&caller, id).await? else { return Ok(None) };
        let files = export.files.take().unwrap_or_default();
        let Some(file) = files.into_iter().nth(file) else { return Ok(None) };
        let Some(kind) = resource_kind(&file.kind) else { return Ok(None) };
        let members = self.whom(&caller, &export.scope).await?;
        let (tenant, after, ended) = (self, None, false);
        Ok(Some(Reading { tenant, caller, export, file, kind, members, after, ended }))
    }

    /// Writes one resource as it was at the time of the export; `false` where it was not.
    fn write_line(
        &self,
        export: &Export,
        permit: &ReadPermit,
        kind: &'static str,
        met: Met,
        removed: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let stored = met.stored;
        if removed {
            let url = format!("{kind}/{}", stored.id);
            let bundle = json!({
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [{ "request": { "method": "DELETE", "url": url } }],
            });
            json::print_to(&bundle, out);
            out.push(b'\n');
            return Ok(true);
        }
        if stored.version <= export.position {
            out.extend_from_slice(&stored.body);
            out.push(b'\n');
            return Ok(true);
        }
        let versions = self.view.versions(permit, kind, &stored.id)?;
        let Some(then) = versions.into_iter().find(|version| *version <= export.position) else {
            return Ok(false);
        };
        let version = self.version(kind, then)?;
        let recent = export.since.is_none_or(|since| version.updated >= since);
        let Some(body) = version.body.filter(|_| recent) else { return Ok(false) };
        out.extend_from_slice(&body);
        out.push(b'\n');
        Ok(true)
    }

    /// The persons of a scope, where it names them.
    async fn whom(&self, caller: &Caller, scope: &Scope) -> Result<Option<Vec<PersonId>>, Failure> {
        match scope {
            Scope::System | Scope::Patients => Ok(None),
            Scope::Group(id) => self.members(caller, id).await.map(Some),
        }
    }

    /// The persons in a Group, which the caller must be allowed to read.
    async fn members(&self, caller: &Caller, id: &str) -> Result<Vec<PersonId>, Failure> {
        let group = self.read(caller, "Group", id).await?;
        let broken = || Failure::Unavailable("the Group cannot be read".to_owned());
        let group = json::parse(&group.body).map_err(|_| broken())?;
        let members = group.items("member");
        if members.len() > MOST_MEMBERS {
            let text = format!("a Group of more than {MOST_MEMBERS} members: export it in parts");
            return Err(Failure::invalid(IssueCode::TooCostly, "Group.member", text));
        }
        let active =
            |member: &&Value| member.get("inactive").and_then(Value::as_bool) != Some(true);
        let referred = members
            .iter()
            .filter(active)
            .filter_map(|member| member.get("entity")?.text("reference")?.strip_prefix("Patient/"));
        let mut persons = Vec::new();
        for id in referred {
            match self.person_of_patient(id) {
                Ok(person) => persons.push(person),
                // Whoever is not known has nothing to export.
                Err(Failure::NotFound) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(persons)
    }
}

impl Reading {
    /// The next lines, under a permit decided anew; `None` at the end.
    pub async fn lines(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.ended {
            return Ok(None);
        }
        let Self { tenant, caller, export, file, kind, members, .. } = &*self;
        let permit = tenant.decide(caller, "export", About::Unnamed, &keys_of(kind)).await?;
        let stretch = stretch(export, file, kind, members);
        let met = tenant.view.walk(&permit, &stretch, self.after, CHUNK)?;
        let (count, last) = (met.len(), met.last().map(|met| met.row));
        let wanted = match file.removed {
            true => None,
            false => {
                let ids: Vec<&str> = met.iter().map(|met| met.stored.id.as_str()).collect();
                tenant.filtered(caller, &permit, &export.filters, kind, &ids).await?
            }
        };
        let mut text = Vec::with_capacity(count * 1_024);
        let mut shown: BTreeMap<Option<PersonId>, usize> = BTreeMap::new();
        for met in met {
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&met.stored.id)) {
                continue;
            }
            let person = met.stored.person;
            if tenant.write_line(export, &permit, kind, met, file.removed, &mut text)? {
                *shown.entry(person).or_default() += 1;
            }
        }
        let categories = permit.categories();
        let records = shown.into_iter().map(|(person, resources)| {
            let deed =
                Deed { action: "export", person, categories, resources, kind, ..Deed::default() };
            (person, AuditRecord::permitted(caller, &deed, permit.basis()))
        });
        tenant.record_audit(caller, records.collect()).await?;
        self.after = last;
        self.ended = count < CHUNK;
        Ok(Some(text))
    }
}

fn stretch<'a>(
    export: &Export,
    file: &File,
    kind: &'static str,
    members: &'a Option<Vec<PersonId>>,
) -> Stretch<'a> {
    let about = match (members, &export.scope) {
        (Some(persons), _) => Whom::These(persons),
        (None, Scope::Patients) => Whom::Somebody,
        (None, _) => Whom::All,
    };
    Stretch {
        kind,
        after: file.after,
        until: file.until,
        at: export.position,
        since: export.since,
        removed: file.removed,
        about,
    }
}

impl Export {
    /// The manifest (Bulk Data Access 2.0, "Response - Complete Status"). `address` is where the files
    /// are, to be followed by their number.
    pub fn manifest(&self, address: &str) -> Value {
        let files = self.files.as_deref().unwrap_or_default();
        let listed = |removed: bool| -> Value {
            let numbered = files.iter().enumerate().filter(|(_, file)| file.removed == removed);
            let kind = |file: &File| if removed { "Bundle".to_owned() } else { file.kind.clone() };
            numbered
                .map(|(number, file)| {
                    json!({ "type": kind(file), "url": format!("{address}/{number}") })
                })
                .collect()
        };
        manifest(self.time, &self.request, listed(false), listed(true))
    }
}

/// What the files of a job are.
pub(crate) fn manifest(time: i64, request: &str, output: Value, deleted: Value) -> Value {
    json!({
        "transactionTime": format_instant(time),
        "request": request,
        "requiresAccessToken": true,
        "output": output,
        "deleted": deleted,
        "error": [],
    })
}
