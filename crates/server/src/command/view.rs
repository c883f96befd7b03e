//! `fkj view rebuild`.

use exchange::tenant::rebuild_view;

use crate::command::serve::environment;
use crate::command::{Failed, Place};

/// Makes each view anew and says how far it reached.
pub fn rebuild(place: &Place) -> Result<(), Failed> {
    for municipality in place.municipalities()? {
        let register = municipality.register()?;
        let position = rebuild_view(&municipality.directory, register, environment())?;
        println!("{}: the view is made anew, up to position {position}", municipality.number);
    }
    Ok(())
}
