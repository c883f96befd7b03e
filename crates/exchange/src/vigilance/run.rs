//! Runs over the audit ledger: what is new and settled, in the background; or any stretch of days, when
//! somebody asks.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use access::vigilance::analysis::analyse;
use access::vigilance::day::{Day, Look, Looks};
use access::vigilance::finding::Finding;
use access::vigilance::memory::Memory;
use access::vigilance::settings::Settings;
use fhir::issue::IssueCode;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use record::purpose::Purpose;

use super::facts::Town;
use super::kept::{Access, Kept};
use super::local;
use crate::audit::AuditRecord;
use crate::error::Failure;
use crate::tenant::Tenant;

/// The municipality's own settings, beside its ledgers; not there where the defaults are enough.
const SETTINGS: &str = "vigilance.toml";

/// Entries read at a time.
const PAGE: usize = 1_000;

/// What a background run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Days analysed.
    pub days: usize,
    /// Findings made.
    pub findings: usize,
}

impl Tenant {
    /// The settings of the analysis: the defaults, with the municipality's own values over them.
    ///
    /// # Errors
    /// Settings that are wrong.
    pub fn vigilance_settings(&self) -> Result<Settings, Failure> {
        let path = self.directory().join(SETTINGS);
        let own = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| {
                Failure::Unavailable(format!("cannot read `{}`: {error}", path.display()))
            })?,
        };
        Settings::merged(&own).map_err(|error| Failure::Unavailable(error.to_string()))
    }

    /// Analyses the days that are settled since the last run, and forgets what is to be forgotten. Blocks;
    /// rests as long as it works. A run that finds another going on does nothing.
    ///
    /// # Errors
    /// A ledger or file that cannot be read or written. What was analysed before stays so.
    pub fn analyse_settled(&self) -> Result<Ran, Failure> {
        let Some(_turn) = self.vigilance.running.try_lock() else {
            return Ok(Ran { days: 0, findings: 0 });
        };
        let settings = self.vigilance_settings()?;
        let today = local::moment(self.now()).0;
        let last = today.minus(settings.settle_days.saturating_add(1));
        let mut kept = (*self.watched()).clone();
        let mut ran = Ran { days: 0, findings: 0 };
        let town = self.town()?;
        let mut walk = Walk { tenant: self, from: kept.position + 1, rests: true };
        while let Some((looks, used, position)) = walk.day(last)? {
            let facts = self.facts(&town, &looks)?;
            let found = analyse(&settings, &mut kept.memory, &looks, &facts);
            ran = Ran { days: ran.days + 1, findings: ran.findings + found.len() };
            kept.findings.extend(found.into_iter().map(|it| (it.id(), it)));
            for access in used {
                use_access(&mut kept, access);
            }
            (kept.position, kept.day) = (position, looks.day);
        }
        let oldest = today.minus(settings.keep_days);
        kept.findings.retain(|_, finding| finding.day >= oldest);
        kept.accesses.retain(|_, access| access.last >= oldest);
        // Somebody may have been erased while this ran.
        kept.forget(&self.decided().disposal.persons());
        self.vigilance.set(self.directory(), &self.view, kept)?;
        Ok(ran)
    }

    /// Analyses the days from one to another, both included, apart from what is kept: nothing is put on the
    /// work list. Habits are first learnt from the days before.
    ///
    /// # Errors
    /// A stretch that ends before it begins, and a ledger that cannot be read.
    pub fn analyse_between(
        &self,
        settings: &Settings,
        from: Day,
        to: Day,
    ) -> Result<Vec<Finding>, Failure> {
        if to < from {
            let message = "the stretch ends before it begins";
            return Err(Failure::malformed(IssueCode::Value, "to", message));
        }
        let learnt = from.minus(settings.memory_days);
        let first = self.first_audit_at(local::start(learnt))?;
        let town: Town = self.town()?;
        let (mut memory, mut findings) = (Memory::default(), Vec::new());
        let mut walk = Walk { tenant: self, from: first, rests: false };
        while let Some((looks, _, _)) = walk.day(to)? {
            let facts = self.facts(&town, &looks)?;
            let found = analyse(settings, &mut memory, &looks, &facts);
            findings.extend(found.into_iter().filter(|finding| finding.day >= from));
        }
        Ok(findings)
    }

    /// Lets go of what was found about looks at persons who have been erased. A run that goes on does it
    /// itself, before it keeps anything.
    pub(crate) fn forget_findings(&self, erased: &BTreeSet<PersonId>) -> Result<(), Failure> {
        let Some(_turn) = self.vigilance.running.try_lock() else { return Ok(()) };
        let mut kept = (*self.watched()).clone();
        if !kept.forget(erased) {
            return Ok(());
        }
        self.vigilance.set(self.directory(), &self.view, kept)
    }

    /// What the analysis has come to.
    pub(super) fn watched(&self) -> std::sync::Arc<Kept> {
        self.vigilance.get(self.directory(), &self.view)
    }

    /// The first entry of the audit ledger at or after a time.
    fn first_audit_at(&self, time: i64) -> Result<Position, Failure> {
        // Positions have no gaps, and `recorded_at` never goes backwards.
        let (mut before, mut after) = (0, self.audit.head()?.position + 1);
        while before + 1 < after {
            let middle = before + (after - before) / 2;
            match self.audit.record(middle)? {
                Some(record) if record.entry.recorded_at < time => before = middle,
                _ => after = middle,
            }
        }
        Ok(after)
    }
}

/// A walk through the audit ledger, a day at a time.
struct Walk<'a> {
    tenant: &'a Tenant,
    from: Position,
    /// Whether to rest as long as it works.
    rests: bool,
}

impl Walk<'_> {
    /// The next day with entries, up to a last one: its looks, the accesses used, and its last position.
    fn day(&mut self, last: Day) -> Result<Option<(Looks, Vec<Access>, Position)>, Failure> {
        let mut gathered: Option<(Looks, Vec<Access>, Position)> = None;
        loop {
            let began = Instant::now();
            let records = self.tenant.audit.read(self.from, PAGE)?;
            let is_last = records.len() < PAGE;
            for record in &records {
                let (day, minute) = local::moment(record.entry.recorded_at);
                let current = gathered.as_ref().map_or(day, |(looks, _, _)| looks.day);
                if day != current || day > last {
                    return Ok(gathered);
                }
                let (looks, used, position) =
                    gathered.get_or_insert_with(|| (Looks::new(day), Vec::new(), 0));
                *position = record.entry.position;
                self.from = record.entry.position + 1;
                let audit = AuditRecord::read(record)?;
                take(looks, used, &record.entry, &audit, minute);
            }
            if is_last {
                return Ok(gathered);
            }
            if self.rests {
                std::thread::sleep(began.elapsed().min(Duration::from_secs(1)));
            }
        }
    }
}

/// Takes in what an employee did in care.
fn take(
    looks: &mut Looks,
    used: &mut Vec<Access>,
    entry: &Entry,
    record: &AuditRecord,
    minute: u16,
) {
    let Some(who) = employee(record) else { return };
    let unit = record.unit.as_deref().unwrap_or_default();
    let emergency = [Purpose::EmergencyTreatment.code(), "BTG"].contains(&record.purpose.as_str());
    looks.take(&Look {
        position: entry.position,
        minute,
        who,
        name: &record.name,
        role: &record.role,
        unit,
        person: entry.person,
        list: record.action == "board",
        emergency,
        refused: record.refused.as_deref(),
    });
    let same = |it: &&mut Access| {
        it.who == who && it.unit == unit && it.role == record.role && it.client == record.client
    };
    match used.iter_mut().find(same) {
        Some(access) => access.looks += 1,
        None if record.refused.is_none() => used.push(Access {
            id: entry.position,
            who: who.to_owned(),
            name: record.name.clone(),
            profession: record.authorization.clone(),
            unit: unit.to_owned(),
            role: record.role.clone(),
            client: record.client.clone(),
            first: looks.day,
            last: looks.day,
            looks: 1,
        }),
        None => {}
    }
}

/// Who a record is of, where it is of an employee's work with people: the HPR number, or the name of who
/// has none. Residents, systems and administration are not the analysis's business.
fn employee(record: &AuditRecord) -> Option<&str> {
    let others = [Purpose::PatientRequest.code(), Purpose::Delivery.code(), ""];
    let own = record.hpr.as_deref().or(Some(record.name.as_str()));
    own.filter(|own| !own.is_empty() && !others.contains(&record.purpose.as_str()))
}

fn use_access(kept: &mut Kept, used: Access) {
    let key = [&*used.who, &used.unit, &used.role, &used.client].join("\n");
    match kept.accesses.get_mut(&key) {
        Some(access) => {
            access.last = used.last;
            access.looks += used.looks;
            access.name = used.name;
            access.profession = used.profession;
        }
        None => {
            kept.accesses.insert(key, used);
        }
    }
}
