//! The pages as a browser gets them: what they say, what they escape, and that they are well made.

#[path = "../examples/preview/course.rs"]
mod course;
mod disposal;
mod markup;
#[path = "../examples/preview/people.rs"]
mod people;

use access::refusal::Rule;
use access::vigilance::day::Day;
use access::vigilance::finding::{Evidence, Finding, Sign};
use exchange::answer::{AccessLine, Incomplete, News2, Overview};
use exchange::register::admin::{self, Told};
use exchange::register::fold::{Act, At, Folded, Settled};
use exchange::vigilance::kept::Access;
use exchange::vigilance::list::Listed;
use exchange::vigilance::review::{Reviewed, Standing};
use pages::authorize::{self, Authorize, Number};
use pages::chart::{self, Period};
use pages::innbygger::{self, Mine, Shown};
use pages::layout::{Area, Session};
use pages::legevakt;
use pages::log_analysis;
use pages::notice::Notice;
use pages::problem::{self, Problem};
use pages::requests::Asked;
use pages::restrictions::{Done, Own};
use pages::{accesses, assets, signin, tavle, text};
use record::catalogue::Catalogue;
use record::decision::{Change, Decision, Inquiry, Part, Who};
use record::identity::IdentityError;
use record::purpose::Purpose;

/// 2025-11-23T09:42:00Z.
const NOW: i64 = 1_763_890_920_000;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn session() -> Session {
    people::session("Sunniva Granli", "Lege", &Area::ALL)
}

fn resident_page(
    session: &Session,
    overview: &Overview,
    news2: &News2,
    looks: &[AccessLine],
) -> String {
    let restricted = people::restricted(NOW);
    let own = Own { restricted: &restricted, done: Some(Done::Restricted), ..Own::default() };
    let shown = Shown { from: "2026-01-01", to: "", older: Some(77) };
    let requests = people::asked();
    let asked = Asked { all: &requests, told: None };
    let mine = Mine { overview, news2, looks, own, asked, shown };
    innbygger::render(session, mine, Period::Month, NOW)
}

/// The municipality's own page, with something of everything; the texts are these.
fn admin_page(session: &Session, text: &str) -> String {
    let who = Who { name: text.to_owned(), subject: Some("s".to_owned()), client: "c".to_owned() };
    let put = |part, key: &str| Change::Put {
        part,
        key: key.to_owned(),
        value: serde_json::json!({ "name": text }),
    };
    let value = serde_json::json!({ "subject": text, "from": NOW - 1, "to": NOW + 1 });
    let changes =
        vec![put(Part::Unit, text), put(Part::Policy, "own"), put(Part::Switch, "municipality")];
    let all = [
        Change::Several { changes, restores: None },
        Change::Propose { change: Box::new(put(Part::Role, text)), expires: NOW + 1 },
        Change::Open { id: "o1".to_owned(), value },
    ];
    let mut folded = Folded::default();
    let mut history = Vec::new();
    for (position, change) in (1..).zip(all) {
        let person = Some(record::identity::PersonId([7; 16]));
        let at = At { position, recorded: NOW, person };
        assert!(folded.apply(at, Decision::new(who.clone(), text, change.clone())).is_some());
        let act = Act { position, at: NOW, who: who.clone(), why: text.to_owned() };
        history.push(Told { act, change });
    }
    let proposals = folded.proposals.iter().map(|(id, it)| (*id, it.clone(), true)).collect();
    let overview = admin::Overview {
        emergencies: Some(folded.unreviewed()),
        folded: std::sync::Arc::new(folded),
        history,
        proposals,
        throws: true,
    };
    let notice = pages::admin::Notice::Refused(text.to_owned());
    pages::admin::render(session, &overview, Some(notice), NOW)
}

/// The pages about how access was used, with something of everything; the texts are these.
fn vigilance_pages(session: &Session, text: &str) -> [String; 2] {
    let who = Who { name: text.to_owned(), subject: Some("s".to_owned()), client: "c".to_owned() };
    let act = Act { position: 9, at: NOW, who, why: text.to_owned() };
    let evidence = [
        Evidence::NoRelation { before: 14, after: 3 },
        Evidence::Volume { persons: 80, without_relation: 30, own: Some(9), peers: None },
    ];
    let signs = evidence.map(|of| Sign { points: 45, of });
    let finding = Finding {
        who: text.to_owned(),
        name: text.to_owned(),
        role: text.to_owned(),
        unit: text.to_owned(),
        person: Some(record::identity::PersonId([7; 16])),
        day: Day::parse("2025-11-03").unwrap_or_default(),
        signs: signs.to_vec(),
        looks: vec![4, 7],
        count: 2,
    };
    let (outcome, by) = (Inquiry::FollowedUp, std::sync::Arc::new(act.clone()));
    let settled = Some(Settled { person: finding.person, outcome, act: by });
    let open = Listed { finding: finding.clone(), unit: text.to_owned(), settled: None };
    let whole_day = Finding { person: None, looks: vec![5], ..finding };
    let done = Listed { finding: whole_day, unit: text.to_owned(), settled };
    let notice = Some(Notice::Refused(text.to_owned()));
    let list = log_analysis::render(session, &[open, done], true, notice.clone(), NOW);
    let access = Access {
        id: 4,
        who: text.to_owned(),
        name: text.to_owned(),
        profession: Some(text.to_owned()),
        unit: text.to_owned(),
        role: text.to_owned(),
        client: text.to_owned(),
        first: Day::parse("2025-01-02").unwrap_or_default(),
        last: Day::parse("2025-11-03").unwrap_or_default(),
        looks: 12,
    };
    let all = [Standing::UsedAfterRevoked, Standing::Confirmed].map(|standing| Reviewed {
        access: Access { id: 4 + standing as u64, ..access.clone() },
        unit: text.to_owned(),
        role: text.to_owned(),
        standing,
        certified: Some((standing == Standing::Confirmed, act.clone())),
    });
    let as_of = Some("2025-11-19".to_owned());
    [list, accesses::render(session, &all, as_of, notice, NOW)]
}

#[test]
fn a_finding_is_told_with_its_parts_and_what_it_rests_on() {
    let [list, accesses] = vigilance_pages(&session(), "Kari Nes");
    for said in [
        "2 oppslag på én person 3. november 2025",
        "Arbeidsdagen 3. november 2025 skiller seg ut",
        "90 poeng",
        "(45): Slo opp 80 ulike personer, mot 9 på en vanlig dag for den ansatte; 30 av dem uten kjent relasjon.",
        "Bygger på disse innførslene i loggen: 4, 7.",
        "Fulgt opp på arbeidsplassen",
    ] {
        assert!(list.contains(said), "{said}");
    }
    let alarm = accesses.find("Brukt etter at den ble meldt unødvendig").unwrap();
    assert!(alarm < accesses.find(">Bekreftet<").unwrap());
}

/// What an app asks.
fn asked(number: Number, problem: Option<authorize::Problem>) -> Authorize {
    Authorize {
        issuer: "smart".to_owned(),
        request: "r".to_owned(),
        app: "Vendepunkt".to_owned(),
        municipality: "Dalfjord kommune".to_owned(),
        scopes: vec!["patient/Observation.rs".to_owned()],
        people: people::choices(None).roles,
        number,
        problem,
    }
}

/// Every kind of page.
fn every_page() -> Vec<String> {
    let session = session();
    let (overview, empty) = (people::overview(), people::empty_overview());
    let (sick, copd, none) = (course::sick(NOW), course::copd(NOW), course::nothing(NOW));
    let mut all = vec![
        signin::render(&people::choices(Some(signin::Problem::NoResident))),
        authorize::render(&asked(Number::Patient, Some(authorize::Problem::NoPatient))),
        authorize::render(&asked(Number::None, None)),
        authorize::stopped(authorize::Problem::UnknownApp, Some("redirect_uri must be registered")),
        legevakt::find(&session, Some(IdentityError::CheckDigits)),
        legevakt::patient(&session, &overview, Some(&sick), NOW),
        legevakt::patient(&session, &empty, None, NOW),
        tavle::render(&session, &course::board(NOW), NOW),
        resident_page(&session, &overview, &copd, &people::looks(NOW)),
        resident_page(&session, &empty, &none, &[]),
        problem::refused(None, Rule::NoRole),
        admin_page(&session, "Kari Nes"),
    ];
    all.extend(vigilance_pages(&session, "Kari Nes"));
    all.push(disposal::page(&session, "Kari Nes"));
    for period in Period::ALL {
        all.extend([&sick, &copd, &none].map(|news2| chart::render(&session, news2, period, NOW)));
    }
    all
}

#[test]
fn every_page_is_well_formed_with_one_heading_and_a_title() {
    for page in every_page() {
        assert!(page.starts_with("<!doctype html>\n<html lang=\"nb\">"));
        markup::check(&page);
        for once in ["<h1>", "</title>\n<link ", "<main ", "href=\"#innhold\""] {
            assert_eq!(page.matches(once).count(), 1, "{once}");
        }
    }
}

#[test]
fn no_page_needs_inline_script_or_style_or_another_server() {
    for page in every_page() {
        for element in markup::elements(&page) {
            for (name, value) in &element.attributes {
                assert!(name != "style" && !name.starts_with("on"), "{name} in {}", element.name);
                assert!(!value.contains("//") && !value.starts_with("javascript:"), "{value}");
            }
            if element.name == "script" {
                assert!(element.attributes.iter().any(|(name, _)| name == "src"));
            }
            assert_ne!(element.name, "style");
        }
    }
}

#[test]
fn style_and_script_are_small() {
    let bytes: usize = assets::ALL.iter().map(|(_, _, bytes)| bytes.len()).sum();
    assert!(bytes <= 40 * 1024, "{bytes} bytes");
    assert!(assets::get("fkj.css").is_some_and(|(kind, _)| kind.starts_with("text/css")));
    assert_eq!(assets::get("../nb.ftl"), None);
}

#[test]
fn hostile_values_are_only_text() {
    let mut session = session();
    session.name = HOSTILE.to_owned();
    session.municipality = HOSTILE.to_owned();
    let mut overview = people::overview();
    overview.patient.name = Some(HOSTILE.to_owned());
    overview.patient.phone = Some("javascript:alert(1)".to_owned());
    overview.incomplete = vec![Incomplete::Record { position: 7 }];
    for service in overview.active.iter_mut().chain(&mut overview.ended) {
        service.title = HOSTILE.to_owned();
        service.local_text = Some(format!("{HOSTILE}!"));
        service.start = Some(HOSTILE.to_owned());
        service.source = HOSTILE.to_owned();
        service.sites.iter_mut().for_each(|site| site.name = HOSTILE.to_owned());
    }
    let mut news2 = course::sick(NOW);
    news2.patient.name = Some(HOSTILE.to_owned());
    let mut looks = people::looks(NOW);
    for look in &mut looks {
        look.who = HOSTILE.to_owned();
        look.role = HOSTILE.to_owned();
        look.purpose = HOSTILE.to_owned();
        look.categories = vec![HOSTILE.to_owned()];
        look.refused = Some(HOSTILE.to_owned());
    }
    let [findings, accesses] = vigilance_pages(&session, HOSTILE);
    let kept = disposal::page(&session, HOSTILE);
    let mut app = asked(Number::Patient, None);
    app.app = HOSTILE.to_owned();
    app.request = HOSTILE.to_owned();
    app.scopes = vec![HOSTILE.to_owned()];
    let pages = [
        authorize::render(&app),
        legevakt::patient(&session, &overview, Some(&news2), NOW),
        chart::render(&session, &news2, Period::Week, NOW),
        resident_page(&session, &overview, &news2, &looks),
        tavle::row(&session, &news2, NOW),
        admin_page(&session, HOSTILE),
        findings,
        kept,
        accesses,
    ];
    for page in pages {
        assert!(page.contains("alert(1)"), "the value itself is shown");
        assert!(!page.contains("<script>") && !page.contains("\"javascript:"));
        markup::check(&page);
    }
}

#[test]
fn no_identity_number_stands_in_an_address() {
    const ADDRESSES: [&str; 5] = ["href", "action", "src", "data-rows", "data-events"];
    let numbers = [people::overview(), people::empty_overview()].map(|o| o.patient.number);
    for page in every_page() {
        let attributes = markup::elements(&page).into_iter().flat_map(|e| e.attributes);
        for (_, value) in attributes.filter(|(name, _)| ADDRESSES.contains(&name.as_str())) {
            assert!(numbers.iter().flatten().all(|number| !value.contains(number)), "{value}");
        }
    }
}

#[test]
fn everything_that_can_be_said_has_a_text() {
    let mut keys: Vec<String> = Vec::new();
    for rule in Rule::ALL {
        keys.push(format!("rule-{}", rule.code()));
        keys.push(format!("rule-{}.way-on", rule.code()));
    }
    for problem in Problem::ALL {
        keys.extend(["", ".title", ".way-on"].map(|part| format!("{}{part}", problem.key())));
    }
    keys.extend(Purpose::ALL.map(|purpose| format!("purpose-{}", purpose.code())));
    keys.extend(signin::Problem::ALL.map(|problem| problem.key().to_owned()));
    keys.extend(authorize::Problem::ALL.map(|problem| problem.key().to_owned()));
    keys.extend((1..=12).map(|month| format!("month-{month}")));
    for role in ["legevaktslege", "sykepleier", "saksbehandler", "system", "resident"] {
        keys.push(format!("role-{role}"));
    }
    for problem in [
        IdentityError::NotElevenDigits,
        IdentityError::NotADate,
        IdentityError::CheckDigits,
        IdentityError::SyntheticRefused,
        IdentityError::RealRefused,
    ] {
        keys.push(legevakt::number_problem(problem).to_owned());
    }
    for key in keys {
        assert!(text::find(&key, &[]).is_some_and(|text| !text.is_empty()), "`{key}` has no text");
    }
    for category in &Catalogue::get().categories {
        assert!(!category.texts.nb.title.is_empty() && !category.texts.nb.explanation.is_empty());
    }
}

/// A message that is missing shows its own key, which has hyphens and no spaces.
#[test]
fn no_page_shows_the_key_of_a_missing_message() {
    let keys = messages();
    assert!(keys.len() > 200);
    for page in every_page() {
        for text in &markup::texts(&page) {
            let is_key = text.contains('-') && keys.contains(&text.trim());
            assert!(!is_key, "`{text}` is a key");
        }
    }
    for source in markup::sources() {
        for key in markup::keys_of(&source) {
            let message = key.split('.').next().unwrap_or(key);
            assert!(keys.contains(&message), "`{key}` has no text");
        }
    }
}

#[test]
fn no_message_is_left_over() {
    const COMPOSED: [&str; 41] = [
        "disposal-ground-",
        "disposal-refused-",
        "month-",
        "gender-",
        "status-",
        "decision-",
        "parameter-",
        "unit-",
        "consciousness-",
        "risk-",
        "response-",
        "trend-",
        "deviation-",
        "legend-",
        "period-",
        "key-",
        "plain-",
        "role-",
        "action-",
        "profession-",
        "purpose-",
        "rule-",
        "problem-",
        "number-",
        "signin-",
        "time-ago-",
        "supply-",
        "docs-section-",
        "docs-call-",
        "docs-field-",
        "docs-caller-",
        "log-outcome-",
        "accesses-standing-",
        "admin-part-",
        "admin-outcome-",
        "professions-",
        "right-",
        "request-",
        "step-",
        "kind-",
        "element-",
    ];
    let sources = markup::sources().concat();
    for key in messages() {
        let composed = COMPOSED.iter().any(|prefix| key.starts_with(prefix));
        assert!(composed || sources.contains(&format!("\"{key}\"")), "`{key}` is never said");
    }
}

fn messages() -> Vec<&'static str> {
    include_str!("../texts/nb.ftl")
        .lines()
        .filter(|line| !line.starts_with([' ', '#']))
        .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
        .collect()
}

#[test]
fn a_refusal_names_its_rule_and_the_way_on() {
    for rule in Rule::ALL {
        let page = problem::refused(Some(&session()), rule);
        assert!(page.contains(&text::get(&format!("rule-{}.way-on", rule.code()))));
        assert!(page.contains(&format!("<code>{}</code>", rule.code())));
    }
}

#[test]
fn an_empty_overview_does_not_reassure() {
    let page = legevakt::patient(&session(), &people::empty_overview(), None, NOW);
    assert!(page.contains("Det betyr ikke at"));
    assert!(!page.contains("NEWS2</h2>"), "a role without measurements sees no box about them");
}

#[test]
fn whom_to_call_and_how_fresh_it_is_stand_on_the_service() {
    let page = legevakt::patient(&session(), &people::overview(), None, NOW);
    assert!(page.contains("href=\"tel:+4755551234\""));
    assert!(page.contains("for 3 timer siden</time> (23. november 2025 kl. 07.42)"));
    assert!(page.contains("12,5 timer per uke"));
    let (active, ended) = page.split_once("<details").unwrap();
    assert!(active.contains("Trygghetsalarm") && ended.contains("Matombringing"));
}

#[test]
fn an_incomplete_set_is_never_shown_as_low_risk() {
    let board = course::board(NOW);
    let partial = board.patients.iter().find(|p| p.patient.name.as_deref() == Some("Per Ås"));
    let row = tavle::row(&session(), partial.unwrap(), NOW);
    assert!(row.contains("Risiko ikke kjent") && row.contains("Mangler:"));
    assert!(row.starts_with("<li class=\"row unknown\"") && !row.contains("Lav risiko"));
}

#[test]
fn a_line_of_the_board_tells_its_script_all_it_needs() {
    let sick = course::sick(NOW);
    let row = tavle::row(&session(), &sick, NOW);
    markup::check(&row);
    assert!(row.starts_with("<li ") && row.trim_end().ends_with("</li>"));
    assert!(row.contains(&format!("data-person=\"{}\"", sick.patient.person)));
    assert!(row.contains("data-say=\"Arne Moen: NEWS2 17, Høy risiko.\""));
    let page = tavle::render(&session(), &course::board(NOW), NOW);
    assert!(page.contains(row.trim()), "the page shows the same line");
    assert!(page.contains("data-events=\"/9901/tavle/hendelser\" data-rows=\"/9901/tavle/rad/\""));
}

#[test]
fn a_later_alarming_value_is_not_hidden_by_an_older_total() {
    let row = tavle::row(&session(), &course::sick(NOW), NOW);
    assert!(
        row.contains("later urgent") && row.contains("Respirasjonsfrekvens 28 per min (3 poeng)")
    );
}

#[test]
fn a_received_score_that_differs_is_marked_and_explained() {
    let page = chart::render(&session(), &course::sick(NOW), Period::Week, NOW);
    assert!(page.contains(">≠</text>"));
    assert!(page.contains("NEWS2-sum: mottatt 13, målingen gir 12."));
    let day = chart::render(&session(), &course::sick(NOW), Period::Day, NOW);
    assert!(day.matches("<tr>").count() < page.matches("<tr>").count());
}

#[test]
fn the_log_can_be_narrowed_and_leafed_through() {
    let (overview, news2) = (people::overview(), course::copd(NOW));
    let page = resident_page(&session(), &overview, &news2, &people::looks(NOW));
    assert!(page.contains("name=\"innsyn-fra\" value=\"2026-01-01\""));
    assert!(page.contains("innsyn-fra=2026-01-01&#38;innsyn-til=&#38;innsyn-eldre=77#innsyn"));
}

#[test]
fn a_refused_look_is_shown_as_refused() {
    let (overview, news2) = (people::overview(), course::copd(NOW));
    let page = resident_page(&session(), &overview, &news2, &people::looks(NOW));
    assert!(page.contains(&text::get("rule-category-not-for-role")));
    assert_eq!(page.matches(&text::get("look-refused")).count(), 1);
    assert_eq!(page.matches(&text::get("look-emergency")).count(), 1);
    assert!(page.contains("Sunniva Granli") && page.contains(&text::get("profession-LE")));
    assert!(page.contains("For å gi deg øyeblikkelig hjelp"));
}
