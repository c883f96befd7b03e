//! The municipality's key in a file that a passphrase opens.
//!
//! The form, four lines of text:
//!
//! ```text
//! fkj sealed key v1
//! argon2id m=65536 t=3 p=4
//! <salt, base64>
//! <nonce, sealed key and tag, base64>
//! ```
//!
//! The passphrase becomes a key by Argon2id (RFC 9106) with the parameters that stand there, and that
//! key seals the municipality's with AES-256-GCM, bound to the first three lines.
//!
//! Invariants: no file with weaker parameters than OWASP's least is opened, so that nobody can put an easier
//! one in its place; nor one with parameters that would take all memory or time.

use crate::crypto::{self, NONCE, Secret};
use crate::error::Error;
use crate::key_service::{FileKey, write_new};
use crate::random::Random;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

const TITLE: &str = "fkj sealed key v1";
const SALT: usize = 16;
/// What new files have: RFC 9106 §4, the choice for machines with little memory. KiB, passes, lanes.
const USUAL: [u32; 3] = [64 * 1024, 3, 4];
/// OWASP, Password Storage Cheat Sheet: the least for Argon2id.
const LEAST: [u32; 3] = [19 * 1024, 2, 1];
/// What a start of the server can bear.
const MOST: [u32; 3] = [1024 * 1024, 32, 64];
/// Fewest characters of a passphrase for a new file.
const SHORTEST: usize = 16;
/// Longest file that is looked at, in bytes.
const MOST_BYTES: u64 = 4096;

/// What opens a sealed key. Overwritten when dropped, never printed.
#[derive(PartialEq, Eq)]
pub struct Passphrase(Vec<u8>);

impl Passphrase {
    /// Takes a passphrase as it was typed or read: a line's end after it does not belong to it.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
            bytes.pop();
        }
        Self(bytes)
    }
}

impl Drop for Passphrase {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&mut self.0);
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Makes a file with a new key, mode 0600.
///
/// # Errors
/// [`Error::Key`] for a short passphrase; [`Error::File`], also where there is a file.
pub fn create(path: &Path, passphrase: &Passphrase, random: &dyn Random) -> Result<(), Error> {
    if String::from_utf8_lossy(&passphrase.0).chars().count() < SHORTEST {
        return Err(Error::Key { what: "a passphrase has at least 16 characters" });
    }
    let mut key = Secret::new([0; 32]);
    random.fill(&mut key.0)?;
    write_new(path, seal(&key, passphrase, random)?.as_bytes())
}

/// Opens the key in a file.
///
/// # Errors
/// [`Error::File`]; [`Error::Key`] when the passphrase is another, or the file is no such file, was
/// changed, or has parameters that are not allowed.
pub fn open(
    path: &Path,
    passphrase: &Passphrase,
    random: Arc<dyn Random>,
) -> Result<FileKey, Error> {
    let failed = "reading the municipality's sealed key";
    if std::fs::metadata(path).map_err(Error::file(failed))?.len() > MOST_BYTES {
        return Err(FORM);
    }
    let text = std::fs::read(path).map_err(Error::file(failed))?;
    let key = unseal(std::str::from_utf8(&text).map_err(|_| FORM)?, passphrase)?;
    Ok(FileKey::in_memory(key, random))
}

const FORM: Error = Error::Key { what: "the file is no sealed key of a known version" };

fn seal(key: &Secret, passphrase: &Passphrase, random: &dyn Random) -> Result<String, Error> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    random.fill(&mut salt)?;
    random.fill(&mut nonce)?;
    let [memory, passes, lanes] = USUAL;
    let head =
        format!("{TITLE}\nargon2id m={memory} t={passes} p={lanes}\n{}\n", STANDARD.encode(salt));
    let mut sealed = Vec::new();
    let sealing = derive(passphrase, &salt, USUAL)?;
    crypto::seal(&sealing, nonce, head.as_bytes(), &key.0, &mut sealed)?;
    Ok(format!("{head}{}\n", STANDARD.encode(sealed)))
}

fn unseal(text: &str, passphrase: &Passphrase) -> Result<Secret, Error> {
    let mut lines = text.lines();
    let mut line = || lines.next().ok_or(FORM);
    let (title, costs, salt, sealed) = (line()?, line()?, line()?, line()?);
    if title != TITLE {
        return Err(FORM);
    }
    let head = format!("{title}\n{costs}\n{salt}\n");
    let costs = parameters(costs).ok_or(FORM)?;
    let allowed =
        LEAST.iter().zip(&costs).zip(&MOST).all(|((least, it), most)| (least..=most).contains(&it));
    if !allowed {
        return Err(Error::Key {
            what: "the sealed key's parameters are weaker or costlier than allowed; make a new file",
        });
    }
    let salt = STANDARD.decode(salt).ok().filter(|salt| salt.len() == SALT).ok_or(FORM)?;
    let sealed = STANDARD.decode(sealed).map_err(|_| FORM)?;
    let mut plain = crypto::open(&derive(passphrase, &salt, costs)?, head.as_bytes(), &sealed)
        .ok_or(Error::Key { what: "the passphrase does not open the sealed key" })?;
    let key = Secret::from_slice(&plain);
    plain.fill(0);
    key.ok_or(FORM)
}

/// `argon2id m=… t=… p=…`.
fn parameters(line: &str) -> Option<[u32; 3]> {
    let mut words = line.strip_prefix("argon2id ")?.split(' ');
    let mut number = |name: &str| words.next()?.strip_prefix(name)?.parse().ok();
    let costs = [number("m=")?, number("t=")?, number("p=")?];
    words.next().is_none().then_some(costs)
}

fn derive(passphrase: &Passphrase, salt: &[u8], costs: [u32; 3]) -> Result<Secret, Error> {
    let failed = |_| Error::Key { what: "the passphrase could not be made into a key" };
    let [memory, passes, lanes] = costs;
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(failed)?;
    let mut out = Secret::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(&passphrase.0, salt, &mut out.0)
        .map_err(failed)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{FORM, Passphrase, seal, unseal};
    use crate::crypto::Secret;
    use crate::error::Error;
    use crate::random::SeededRandom;

    fn told(text: &str, passphrase: &str) -> String {
        let opened = unseal(text, &Passphrase::new(passphrase.as_bytes().to_vec()));
        opened.map_or_else(|error| error.to_string(), |key| format!("{:?}", key.bytes()))
    }

    #[test]
    fn only_the_passphrase_and_the_file_as_it_was_made_open_it() {
        let key = Secret::new([7; 32]);
        let right = Passphrase::new(b"rett setning for hvelvet\n".to_vec());
        let text = seal(&key, &right, &SeededRandom::new(1)).unwrap_or_default();
        let opened = format!("{:?}", [7; 32]);
        assert_eq!(told(&text, "rett setning for hvelvet"), opened);
        assert_eq!(format!("{right:?}"), "Passphrase(…)");
        assert!(told(&text, "rett setning for hvelvet ").contains("does not open"));
        // Parameters that would be cheap to guess with, or that nobody can pay, are not tried.
        for costs in ["m=19455 t=3 p=4", "m=65536 t=1 p=4", "m=4194304 t=3 p=4", "m=65536 t=99 p=4"]
        {
            let other = text.replace("m=65536 t=3 p=4", costs);
            assert!(told(&other, "x").contains("weaker or costlier"), "{costs}");
        }
        // Allowed, but not what it was sealed with.
        let other = text.replace("t=3", "t=2");
        assert!(told(&other, "rett setning for hvelvet").contains("does not open"));
        for broken in ["", "fkj", &text.replace("v1", "v2"), &text.replace("p=4", "p=4 x=1")] {
            assert_eq!(told(broken, "x"), Error::to_string(&FORM));
        }
    }
}
