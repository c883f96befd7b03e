//! Trains a body dictionary: `cargo run -p ledger --example train -- <out> [folder of JSON samples]`.
//!
//! Without a folder, trains on made-up bodies. A dictionary in use is never replaced: a new one gets
//! a new file, a new format byte, and a line in `body.rs`.

use std::path::Path;

mod synthetic;

/// Larger gains a few per cent on made-up bodies, and loses on published ones it has not seen.
const SIZE: usize = 32 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("give the file to write")?;
    let samples: Vec<Vec<u8>> = match arguments.next() {
        Some(folder) => read(Path::new(&folder))?,
        None => (0..6000).map(sample).collect(),
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

/// Every third as some systems print it: indented.
fn sample(n: u64) -> Vec<u8> {
    let body = synthetic::body(n);
    if n.is_multiple_of(3) { indented(&body) } else { body }
}

/// The same body with its resource indented, as other systems print it.
fn indented(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() * 2);
    let (mut depth, mut in_text, mut in_resource) = (0_usize, false, false);
    for byte in body {
        if !in_resource || in_text {
            out.push(*byte);
            in_resource |= *byte == b'\n';
            in_text &= *byte != b'"';
            continue;
        }
        let line = |out: &mut Vec<u8>, depth: usize| {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', depth * 2));
        };
        match byte {
            b'{' | b'[' => {
                depth += 1;
                out.push(*byte);
                line(&mut out, depth);
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(*byte);
            }
            b',' => {
                out.push(b',');
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            _ => {
                in_text = *byte == b'"';
                out.push(*byte);
            }
        }
    }
    out
}
