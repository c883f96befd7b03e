//! Trains a body dictionary: `cargo run -p ledger --example train -- <out> [folder of JSON samples]`.
//!
//! Without a folder, trains on made-up bodies. A dictionary in use is never replaced: a new one gets
//! a new file, a new format byte, and a line in `body.rs`.

use std::path::Path;

mod synthetic;

/// Larger gains nothing measurable on bodies of this kind.
const SIZE: usize = 32 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("give the file to write")?;
    let samples: Vec<Vec<u8>> = match arguments.next() {
        Some(folder) => read(Path::new(&folder))?,
        None => (0..4000).map(synthetic::body).collect(),
    };
    let dictionary = zstd::dict::from_samples(&samples, SIZE)?;
    std::fs::write(&out, &dictionary)?;
    let (mut plain, mut packed) = (0, 0);
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &dictionary)?;
    for body in (10_000..11_000).map(synthetic::body) {
        plain += body.len();
        packed += compressor.compress(&body)?.len();
    }
    println!(
        "{} bytes from {} samples; 1000 unseen bodies: {plain} → {packed} bytes, {:.1} each",
        dictionary.len(),
        samples.len(),
        f64::from(u32::try_from(packed)?) / 1000.0
    );
    Ok(())
}

fn read(folder: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|f| f.map(|f| f.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let is_json = |path: &&std::path::PathBuf| path.extension().is_some_and(|e| e == "json");
    paths.iter().filter(is_json).map(std::fs::read).collect()
}
