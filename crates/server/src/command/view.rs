//! `fkj view rebuild`.

use exchange::power;

use crate::command::register::open;
use crate::command::{Failed, Place};

/// Makes each view anew and says how far it reached.
pub fn rebuild(place: &Place) -> Result<(), Failed> {
    for municipality in place.municipalities()? {
        power::remove(&municipality.directory)?;
        let position = open(&municipality)?.visible();
        println!("{}: the view is made anew, up to position {position}", municipality.number);
    }
    Ok(())
}
