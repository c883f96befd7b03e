//! Writes every page with made-up people to a directory, to be looked at in a browser:
//! `cargo run -p pages --example preview -- DIR`.

mod course;
mod people;

use std::path::Path;
use std::{env, fs, io};

use access::refusal::Rule;
use pages::chart::{self, Period};
use pages::innbygger::{self, Mine, Shown};
use pages::layout::Area;
use pages::problem::{self, Problem};
use pages::requests::Asked;
use pages::restrictions::Own;
use pages::{assets, legevakt, signin, tavle};
use record::identity::IdentityError;

/// 2025-11-23T09:42:00Z.
const NOW: i64 = 1_763_890_920_000;

fn main() -> io::Result<()> {
    let directory = env::args().nth(1).ok_or_else(|| io::Error::other("name a directory"))?;
    let directory = Path::new(&directory);
    fs::create_dir_all(directory.join("assets"))?;
    for (name, _, bytes) in assets::ALL {
        fs::write(directory.join("assets").join(name), bytes)?;
    }
    for (name, html) in pages() {
        fs::write(directory.join(format!("{name}.html")), html)?;
    }
    Ok(())
}

fn pages() -> Vec<(&'static str, String)> {
    let doctor = people::session("Sunniva Granli", "Lege, legevakt", &[Area::Legevakt]);
    let nurse = people::session("Tor Heggelund", "Sykepleier", &[Area::Tavle, Area::Legevakt]);
    let resident = people::session("Astrid Lunde", "Innbygger", &[Area::Innbygger]);
    let (overview, empty) = (people::overview(), people::empty_overview());
    let (copd, sick, none) = (course::copd(NOW), course::sick(NOW), course::nothing(NOW));
    let board = course::board(NOW);
    let looks = people::looks(NOW);
    let restricted = people::restricted(NOW);
    let asked = people::asked();
    let mine = Mine {
        overview: &overview,
        news2: &copd,
        looks: &looks,
        own: Own { restricted: &restricted, ..Own::default() },
        asked: Asked { all: &asked, told: None },
        shown: Shown { older: Some(77), ..Shown::default() },
    };
    vec![
        ("signin", signin::render(&people::choices(None))),
        ("signin-problem", signin::render(&people::choices(Some(signin::Problem::UnknownNumber)))),
        ("find", legevakt::find(&doctor, None)),
        ("find-problem", legevakt::find(&doctor, Some(IdentityError::CheckDigits))),
        ("patient", legevakt::patient(&doctor, &overview, Some(&copd), NOW)),
        ("patient-empty", legevakt::patient(&doctor, &empty, None, NOW)),
        ("tavle", tavle::render(&nurse, &board, NOW)),
        ("tavle-row", tavle::row(&nurse, &sick, NOW)),
        ("chart", chart::render(&nurse, &sick, Period::Week, NOW)),
        ("chart-day", chart::render(&nurse, &sick, Period::Day, NOW)),
        ("chart-all", chart::render(&nurse, &copd, Period::All, NOW)),
        ("chart-empty", chart::render(&nurse, &none, Period::Month, NOW)),
        ("innbygger", innbygger::render(&resident, mine, Period::Month, NOW)),
        ("refused", problem::refused(Some(&doctor), Rule::AttestExpired)),
        ("problem", problem::problem(None, Problem::Unavailable)),
    ]
}
