//! How requests go, as a table that people can read: every status by every step.

use record::rights::{Right, Status, Step};

const TABLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../cases/rights/steps.txt"));

#[test]
fn requests_go_as_the_table_says_and_every_step_is_in_it() {
    let mut lines = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [from, step, who, reason, then] = words[..] else { panic!("five words: {line}") };
        let status = Status::from_code(from).unwrap();
        let step = Step::from_code(step).unwrap();
        assert_eq!(status.after(step).map_or("-", Status::code), then, "{line}");
        assert_eq!(step.is_the_residents(), who == "resident", "{line}");
        assert_eq!(step.needs_reason(), reason == "needed", "{line}");
        lines.push((from.to_owned(), step.code()));
    }
    let all = Status::ALL.iter().flat_map(|from| Step::ALL.map(|it| (from.code(), it.code())));
    let all: Vec<(String, &str)> = all.map(|(from, step)| (from.to_owned(), step)).collect();
    assert_eq!(lines, all);
}

#[test]
fn what_is_answered_stays_answered_and_every_request_can_be_answered() {
    for status in Status::ALL {
        let ways: Vec<Status> = Step::ALL.iter().filter_map(|step| status.after(*step)).collect();
        assert_eq!(ways.is_empty(), !status.is_open(), "{status:?}");
        // From wherever it is open there is a way to either answer.
        let mut reached = vec![status];
        let mut i = 0;
        while let Some(at) = reached.get(i).copied() {
            let next = Step::ALL.iter().filter_map(|step| at.after(*step));
            let new: Vec<Status> = next.filter(|it| !reached.contains(it)).collect();
            reached.extend(new);
            i += 1;
        }
        assert_eq!(
            reached.contains(&Status::Completed),
            status.is_open() || ways.is_empty() && status == Status::Completed
        );
        assert!(reached.contains(&Status::Rejected) || !status.is_open());
    }
    assert!(Right::ALL.iter().all(|right| Right::from_code(right.code()) == Some(*right)));
}
