//! The document that a resident takes along, as others read it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/preview/people.rs"]
#[expect(dead_code, reason = "shared with the pages' own tests")]
mod people;

use std::io::Write;
use std::process::{Command, Stdio};

use exchange::copy::line::Line;
use exchange::copy::readable::{Readable, Section};
use record::basis::Bases;
use record::catalogue::Catalogue;

/// 2026-10-18T08:00:00Z.
const NOW: i64 = 1_792_310_400_000;

fn line(when: &str, title: &str, said: &str) -> Line {
    Line {
        kind: "Observation",
        category: "measurements".to_owned(),
        when: Some(when.to_owned()),
        title: Some(title.to_owned()),
        facts: vec![("valueQuantity".to_owned(), said.to_owned())],
        owner: "Dalfjord kommune".to_owned(),
        source: "plo-epj".to_owned(),
        recorded: NOW,
    }
}

fn copy(lines: usize) -> Readable {
    let category = Catalogue::get().category("measurements").unwrap();
    let each = |i: usize| line("2026-10-17T10:00:00Z", "Puls", &format!("{} /min", 50 + i));
    let odd = line("2026-10", "Čáhci, Đorđe og 漢字", "et ord som ikke har noen ende: aaaaaaaaaa");
    let long = line("2025", "Notat", &"ukjent ".repeat(200));
    let lines = (0..lines).map(each).chain([odd, long]).collect();
    Readable {
        patient: people::overview().patient,
        municipality: "Dalfjord kommune".to_owned(),
        at: NOW,
        sections: vec![Section { category, basis: Bases::get().of("measurements"), lines }],
        left_out: 0,
        restricted: people::restricted(NOW),
        requests: people::asked(),
        looks: Some(people::looks(NOW)),
        incomplete: Vec::new(),
    }
}

/// What one of poppler's programs says of a document; nothing where they are not installed.
fn poppler(program: &str, arguments: &[&str], pdf: &[u8]) -> Option<String> {
    let mut file = tempfile();
    file.0.write_all(pdf).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(&file.1).stderr(Stdio::null());
    if program == "pdftotext" {
        command.arg("-");
    }
    let said = command.output();
    std::fs::remove_file(&file.1).unwrap();
    let Ok(said) = said else {
        println!("skipped: {program} (poppler-utils) is not installed");
        return None;
    };
    assert!(said.status.success(), "{program} cannot read it");
    Some(String::from_utf8_lossy(&said.stdout).into_owned())
}

fn tempfile() -> (std::fs::File, std::path::PathBuf) {
    let name = format!("fkj-copy-{}-{:?}.pdf", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name);
    (std::fs::File::create(&path).unwrap(), path)
}

#[test]
fn the_same_content_and_time_give_the_same_bytes() {
    let one = pages::copy::pdf(&copy(3), &[]).unwrap();
    assert_eq!(one, pages::copy::pdf(&copy(3), &[]).unwrap());
    assert!(one.starts_with(b"%PDF-1.7"));
    assert_ne!(one, pages::copy::pdf(&Readable { at: NOW + 1_000, ..copy(3) }, &[]).unwrap());
}

#[test]
fn everything_it_says_is_read_by_others_and_numbered() {
    let pdf = pages::copy::pdf(&copy(120), &[]).unwrap();
    let Some(text) = poppler("pdftotext", &[], &pdf) else { return };
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "Kopi av mine helseopplysninger",
        "Astrid Lunde",
        "Målinger",
        "17. oktober 2026 kl. 12.00: Puls",
        "Verdi: 50 /min",
        "Verdi: 169 /min",
        "Čáhci, Đorđe og 漢字",
        "Skrevet av Dalfjord kommune, fra plo-epj, registrert 18. oktober 2026 kl. 10.00",
        "helsepersonelloven §§ 39 og 40",
        "Hvem som ikke skal se opplysningene mine",
        "Jeg bruker <ikke> rullator & har aldri gjort det.",
        "Hvem har sett på opplysningene mine",
        "Datatilsynet",
    ] {
        assert!(plain.contains(said), "{said}");
    }
    let info = poppler("pdfinfo", &[], &pdf).unwrap();
    let said = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    };
    assert_eq!(said("Title"), "Kopi av mine helseopplysninger");
    assert_eq!(said("Tagged"), "yes");
    let pages: usize = said("Pages").parse().unwrap();
    assert!(pages > 5);
    for page in 1..=pages {
        assert!(plain.contains(&format!("side {page} av {pages}")), "{page}");
    }
}

#[test]
fn it_is_read_out_as_headings_paragraphs_and_lists() {
    let pdf = pages::copy::pdf(&copy(2), &[]).unwrap();
    let Some(tags) = poppler("pdfinfo", &["-struct-text"], &pdf) else { return };
    let count = |tag: &str| {
        tags.lines()
            .filter(|line| line.trim() == tag || line.trim().starts_with(&format!("{tag} ")))
            .count()
    };
    assert_eq!(count("H1"), 1);
    assert!(count("H2") >= 5, "{tags}");
    assert!(count("L") >= 3 && count("LI") >= 6 && count("P") > 20, "{tags}");
    assert!(tags.contains("\"Målinger\""));
    // The number of a page is for the eye.
    assert!(!tags.contains("side 1 av"));
}
