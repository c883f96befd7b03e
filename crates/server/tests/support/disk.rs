//! A disk that fails on command: `faulty_disk.c`, built by the first test that needs it and loaded into a
//! real `fkj`. Tells the process where to end or what to refuse, and takes back what a power cut may take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/faulty_disk.c");
/// Bytes of an order, the same in `faulty_disk.c`.
const ORDER: usize = 256;
/// What a disk writes whole.
const SECTOR: usize = 512;

/// The disk under one data folder, over all starts of the program.
pub struct Disk {
    folder: TempDir,
    keeps_unsynced: bool,
}

/// Numbers that follow from a seed (SplitMix64).
#[derive(Clone)]
pub struct Chance(pub u64);

impl Chance {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

impl Disk {
    /// A disk that does as it should. With `keeps_unsynced`, its power can be cut.
    pub fn new(keeps_unsynced: bool) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("order"), [0; ORDER]).unwrap();
        if keeps_unsynced {
            fs::create_dir(folder.path().join("unsynced")).unwrap();
        }
        Self { folder, keeps_unsynced }
    }

    /// What the program must be started with.
    pub fn variables(&self) -> [(&'static str, PathBuf); 2] {
        [("LD_PRELOAD", library().to_owned()), ("FAULTY_FOLDER", self.folder.path().to_owned())]
    }

    /// From now on, this order: see `faulty_disk.c`. Empty: do as a disk should.
    pub fn order(&self, order: &str) {
        let mut bytes = order.as_bytes().to_vec();
        bytes.resize(ORDER, 0);
        // Over the old bytes: the program has the file mapped.
        let path = self.folder.path().join("order");
        let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        drop(fs::remove_file(self.folder.path().join("reached")));
    }

    /// Whether the order was carried out.
    pub fn has_reached(&self) -> bool {
        self.folder.path().join("reached").exists()
    }

    /// All that was written is on disk now, whoever wrote it.
    pub fn settle(&self) {
        for path in self.journals() {
            fs::write(path, []).unwrap();
        }
    }

    /// The power goes, with the program ended: of what was written and not synced to each file, some is
    /// on disk and some is not, by chance and torn at sectors. Tells how many bytes were taken back.
    pub fn cut_power(&self, chance: &mut Chance) -> u64 {
        assert!(self.keeps_unsynced, "this disk keeps no record of what is not synced");
        let mut lost = 0;
        for journal in self.journals() {
            let records = records(&fs::read(&journal).unwrap());
            fs::write(&journal, []).unwrap();
            let name = journal.file_name().unwrap().to_str().unwrap().replace('+', "/");
            if records.is_empty() || !Path::new(&name).exists() {
                continue;
            }
            let before = fs::read(&name).unwrap();
            let after = torn(before.clone(), &records, chance);
            lost += differing(&before, &after);
            fs::write(&name, after).unwrap();
        }
        lost
    }

    fn journals(&self) -> Vec<PathBuf> {
        if !self.keeps_unsynced {
            return Vec::new();
        }
        let entries = fs::read_dir(self.folder.path().join("unsynced")).unwrap();
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    }
}

/// The library, built once for all tests of a file.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("faulty_disk-{}.so", std::process::id()));
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&path).arg(SOURCE);
        let built = command.args(["-ldl", "-lpthread"]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        path
    })
}

/// Something that was done to a file and not synced.
struct Record {
    is_cut: bool,
    at: usize,
    size_before: usize,
    old: Vec<u8>,
    new: Vec<u8>,
}

/// The whole records of a journal; one cut short belongs to a write that was never begun.
fn records(mut bytes: &[u8]) -> Vec<Record> {
    let mut found = Vec::new();
    loop {
        let numbers: Vec<usize> = bytes
            .chunks_exact(8)
            .take(5)
            .map(|it| usize::try_from(u64::from_ne_bytes(it.try_into().unwrap())).unwrap())
            .collect();
        let [kind, at, length, size_before, old] = numbers[..] else { return found };
        let Some(parts) = bytes.get(40..40 + old + length) else { return found };
        let (before, after) = parts.split_at(old);
        found.push(Record {
            is_cut: kind == 2,
            at,
            size_before,
            old: before.to_vec(),
            new: after.to_vec(),
        });
        bytes = &bytes[40 + old + length..];
    }
}

/// Takes everything back, then does again what chance keeps.
fn torn(mut file: Vec<u8>, records: &[Record], chance: &mut Chance) -> Vec<u8> {
    for record in records.iter().rev() {
        file.resize(record.size_before, 0);
        // A write beyond the end has nothing before it.
        if let Some(there) = file.get_mut(record.at..record.at + record.old.len()) {
            there.copy_from_slice(&record.old);
        }
    }
    // Nothing; a beginning, its last write torn; or any of it, in any state.
    let mode = chance.below(3);
    let kept = usize::try_from(chance.below(records.len() as u64 + 1)).unwrap();
    for (nth, record) in records.iter().enumerate() {
        let is_whole = match mode {
            0 => return file,
            1 if nth > kept => return file,
            1 => nth < kept,
            _ if chance.below(3) == 0 => continue,
            _ => chance.below(3) > 0,
        };
        if record.is_cut {
            file.resize(record.at, 0);
            continue;
        }
        for (sector, part) in record.new.chunks(SECTOR).enumerate() {
            if is_whole || chance.below(2) == 0 {
                let at = record.at + sector * SECTOR;
                file.resize(file.len().max(at + part.len()), 0);
                file[at..][..part.len()].copy_from_slice(part);
            }
        }
    }
    file
}

fn differing(one: &[u8], other: &[u8]) -> u64 {
    let same = one.iter().zip(other).filter(|(one, other)| one == other).count();
    (one.len().max(other.len()) - same) as u64
}
