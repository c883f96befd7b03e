//! Stand-in.
use super::cluster::Cluster;
use super::world::World;
use ledger::append::{Draft, Sealing};
use ledger::database::Database;
use ledger::key_service::FileKey;
use ledger::keys::Keys;
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::SystemRandom;
use record::entry::Kind;
use std::sync::{Arc, Mutex, PoisonError};

pub struct Servers {
    open: Vec<Mutex<Option<Arc<Ledger>>>>,
    keys: Arc<Keys>,
    url: String,
    roots: Vec<u8>,
}

impl Servers {
    pub fn start(_world: &World, cluster: &Cluster) -> Result<Self, String> {
        let dir = std::path::Path::new("/srv");
        let keys = Keys::open(
            dir.join("keys.db").as_path(),
            Arc::new(
                FileKey::open(&dir.join("municipality.key"), Arc::new(SystemRandom))
                    .map_err(|e| e.to_string())?,
            ),
            Arc::new(SystemRandom),
        )
        .map_err(|e| e.to_string())?;
        let roots = std::fs::read(cluster.certificate()).map_err(|e| e.to_string())?;
        let it = Self {
            open: (0..3).map(|_| Mutex::new(None)).collect(),
            keys: Arc::new(keys),
            url: cluster.url(),
            roots,
        };
        for n in 0..3 {
            it.restart(n)?;
        }
        Ok(it)
    }
    pub fn count(&self) -> usize {
        3
    }
    pub fn restart(&self, n: usize) -> Result<(), String> {
        let database =
            Arc::new(Database::new(&self.url, Some(&self.roots)).map_err(|e| e.to_string())?);
        let l = Ledger::open_in(
            &database,
            LedgerOptions::new("9901/ledger", self.keys.clone(), Sealing::PerPerson),
        )
        .map_err(|e| e.to_string())?;
        if let Some(m) = self.open.get(n) {
            *m.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(l));
        }
        Ok(())
    }
    pub fn kill(&self, n: usize) -> Result<(), String> {
        if let Some(m) = self.open.get(n) {
            *m.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(())
    }
    fn get(&self, n: usize) -> Result<Arc<Ledger>, String> {
        self.open
            .get(n)
            .and_then(|m| m.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .ok_or("down".to_owned())
    }
    pub fn write(&self, n: usize, event: u64) -> Result<(), String> {
        let l = self.get(n)?;
        let draft = Draft {
            kind: Kind::Decision,
            source: "s".into(),
            source_event_id: Some(event.to_string()),
            owner: "o".into(),
            person: None,
            category: "c".into(),
            fingerprint: [0; 32],
            body: event.to_string().into_bytes(),
            seen: None,
        };
        match l.append_blocking(vec![draft]) {
            Ok(_) => Ok(()),
            Err(e) => {
                eprintln!("{n} write: {e}");
                if matches!(e, ledger::error::Error::Stopped) {
                    drop(l);
                    let r = self.restart(n);
                    eprintln!("{n} reopen {r:?}");
                }
                Err(e.to_string())
            }
        }
    }
    pub fn read(&self, n: usize) -> Result<(), String> {
        self.get(n)?.head().map(drop).map_err(|e| e.to_string())
    }
    pub fn all(&self, n: usize) -> Result<Vec<u64>, String> {
        Ok(self
            .get(n)?
            .read(1, usize::MAX)
            .map_err(|e| e.to_string())?
            .iter()
            .filter_map(|r| r.entry.source_event_id.as_ref()?.parse().ok())
            .collect())
    }
    pub fn verify(&self) -> Result<(), String> {
        let r = self.get(0)?.verify(|_, _| {}).map_err(|e| e.to_string())?;
        if r.is_sound() { Ok(()) } else { Err(format!("{:?}", r.faults)) }
    }
}
