//! Asks again what fuzzing begins with and what it once found (`cases/fuzz`).

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/doors.rs"]
mod doors;

#[test]
fn every_case_of_every_target() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases/fuzz");
    for (target, door) in doors::ALL {
        let listed = fs::read_dir(cases.join(target)).unwrap();
        let mut asked = 0;
        for case in listed {
            let path = case.unwrap().path();
            println!("{}", path.display());
            door(&fs::read(&path).unwrap());
            asked += 1;
        }
        assert!(asked > 0, "{target} has cases");
    }
}
