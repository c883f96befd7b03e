//! What persons have restricted, as the decision needs it: their current Consents.
//!
//! No permit is asked for, since every permit rests on them; like a location
//! ([`crate::store::View::locate`]) they go to the decision and to nobody else.

use record::catalogue::CONSENTS;
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;

use crate::content::Content;
use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::sql::Piece;
use crate::store::{View, person, position};

/// A Consent as it is now.
pub struct Given {
    /// Whose.
    pub person: PersonId,
    /// Its logical id; empty where it could not be read.
    pub id: String,
    /// Its version.
    pub version: Position,
    /// The resource as JSON; nothing where it could not be read.
    pub body: Option<Vec<u8>>,
}

impl View {
    /// The Consents of one person, or of everybody, in the order they were first recorded.
    pub fn consents(&self, of: Option<PersonId>) -> Result<Vec<Given>, Error> {
        // Row numbers come from positions; what could not be read has one as well.
        let mut current = Piece::new(
            format!(
                "SELECT r.rid AS place, r.person, r.id, r.version, c.body FROM resource r \
                 CROSS JOIN content c ON c.rid = r.rid WHERE r.kind = {} AND +r.state = {}",
                kinds::number("Consent"),
                state::LIVE
            ),
            [],
        );
        let mut skipped = Piece::new(
            "SELECT 2 * r.position, r.person, '', r.position, NULL FROM skipped r \
             WHERE r.scope IN (SELECT s.scope FROM scope s WHERE s.category = ?)",
            [Sql::from(CONSENTS.to_owned())],
        );
        for piece in [&mut current, &mut skipped] {
            piece.and(match of {
                Some(person) => Piece::new("r.person = ?", [Sql::from(person.0.to_vec())]),
                None => Piece::new("+r.person <> x''", []),
            });
        }
        current.push(Piece::new(" UNION ALL ", []));
        current.push(skipped);
        self.with(|connection| {
            let text = format!("{} ORDER BY place", current.text);
            let mut select = connection.prepare_cached(&text)?;
            let mut rows = select.query(params_from_iter(current.values))?;
            let mut given = Vec::new();
            while let Some(row) = rows.next()? {
                let Some(person) = person(row, 1)? else { continue };
                let (id, version) = (row.get(2)?, position(row, 3)?);
                let body = row.get::<_, Option<Content>>(4)?.map(|Content(body)| body);
                given.push(Given { person, id, version, body });
            }
            Ok(given)
        })
    }
}
