//! What decisions rest on, held where everybody finds the newest: exchanged whole, never changed.

use std::sync::Arc;

use access::standing::Standing;
use parking_lot::{Mutex, RwLock};

/// The standing in force.
#[derive(Debug)]
pub struct Holder {
    current: RwLock<Arc<Standing>>,
    /// Held while the next is made, which readers need not wait for.
    changing: Mutex<()>,
}

impl Holder {
    /// Holds a first standing.
    pub fn new(standing: Standing) -> Self {
        Self { current: RwLock::new(Arc::new(standing)), changing: Mutex::new(()) }
    }

    /// The standing in force now. Who decides holds on to it to the end.
    pub fn get(&self) -> Arc<Standing> {
        self.current.read().clone()
    }

    /// Puts another in force, made from the one before. One at a time, so that none is lost.
    pub fn exchange<E>(
        &self,
        change: impl FnOnce(&Standing) -> Result<Standing, E>,
    ) -> Result<(), E> {
        let _one_at_a_time = self.changing.lock();
        let next = Arc::new(change(&self.get())?);
        *self.current.write() = next;
        Ok(())
    }
}
