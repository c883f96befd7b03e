//! Dates and times: their ranges and their forms.

use expect_test::{Expect, expect};
use fhir::instant;
use proptest::prelude::*;

fn show((low, high): instant::Range) -> String {
    format!("{} .. {}", instant::format_instant(low), instant::format_instant(high))
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&instant::range(text).map_or("refused".to_owned(), show));
}

#[test]
fn a_date_is_the_whole_of_what_it_names() {
    check("2024", expect!["2023-12-31T23:00:00.000Z .. 2024-12-31T23:00:00.000Z"]);
    check("2024-02", expect!["2024-01-31T23:00:00.000Z .. 2024-02-29T23:00:00.000Z"]);
    check("2024-12", expect!["2024-11-30T23:00:00.000Z .. 2024-12-31T23:00:00.000Z"]);
    check("2024-07-01", expect!["2024-06-30T22:00:00.000Z .. 2024-07-01T22:00:00.000Z"]);
    // The day on which summer time ends has 25 hours.
    check("2024-10-27", expect!["2024-10-26T22:00:00.000Z .. 2024-10-27T23:00:00.000Z"]);
    check(
        "2024-07-01T12:00:07+02:00",
        expect!["2024-07-01T10:00:07.000Z .. 2024-07-01T10:00:08.000Z"],
    );
    check(
        "2024-07-01T12:00:07.1Z",
        expect!["2024-07-01T12:00:07.100Z .. 2024-07-01T12:00:07.200Z"],
    );
    check(
        "2024-07-01T12:00:07.123456Z",
        expect!["2024-07-01T12:00:07.123Z .. 2024-07-01T12:00:07.124Z"],
    );
    check("2016-12-31T23:59:60Z", expect!["2017-01-01T00:00:00.000Z .. 2017-01-01T00:00:01.000Z"]);
    assert_eq!(instant::range("9999-12-31"), Some((253402210800000, 253402297200000)));
    assert_eq!(instant::range("9999").map(|range| range.1), Some(253402297200000));
    check("0001", expect!["0000-12-31T23:06:32.000Z .. 0001-12-31T23:06:32.000Z"]);
}

#[test]
fn what_r4_does_not_allow_is_refused() {
    for text in [
        "",
        "24",
        "0000",
        "2024-",
        "2024-13",
        "2024-00",
        "2023-02-29",
        "2024-2-1",
        "20240201",
        "2024-02-01T",
        "2024-02-01T10",
        "2024-02-01T10:00",
        "2024-02-01T10:00Z",
        "2024-02-01T10:00:00",
        "2024-02-01T24:00:00Z",
        "2024-02-01T10:60:00Z",
        "2024-02-01T10:00:61Z",
        "2024-02-01T10:00:00.Z",
        "2024-02-01T10:00:00+1:00",
        "2024-02-01T10:00:00+15:00",
        "2024-02-01T10:00:00z",
        "2024-02-01t10:00:00Z",
        "2024-02T10:00:00Z",
        " 2024",
        "2024 ",
        "2024-02-01T10:00:00Z ",
        "２０２４",
        "-2024",
    ] {
        assert!(!instant::is_date_time(text), "{text}");
        assert_eq!(instant::range(text), None, "{text}");
    }
    assert!(instant::is_date("2024-02") && !instant::is_date("2024-02-01T10:00:00Z"));
    assert!(instant::is_instant("2024-02-01T10:00:00Z") && !instant::is_instant("2024-02-01"));
    assert!(instant::is_time("10:00:00.5") && !instant::is_time("10:00"));
}

#[test]
fn a_search_may_leave_seconds_and_zone_out() {
    let text = |text| show(instant::search_range(text).unwrap());
    expect!["2024-07-01T10:30:00.000Z .. 2024-07-01T10:31:00.000Z"]
        .assert_eq(&text("2024-07-01T12:30"));
    expect!["2024-01-01T11:30:05.000Z .. 2024-01-01T11:30:06.000Z"]
        .assert_eq(&text("2024-01-01T12:30:05"));
}

proptest! {
    #[test]
    fn a_written_instant_reads_back(milliseconds in -62_000_000_000_000_i64..253_000_000_000_000) {
        let text = instant::format_instant(milliseconds);
        prop_assert!(instant::is_instant(&text), "{}", text);
        prop_assert_eq!(instant::range(&text), Some((milliseconds, milliseconds + 1)));
    }
}
