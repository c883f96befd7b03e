//! FHIRPath on made-up resources: what expressions give and refuse.

use expect_test::{Expect, expect};
use fhir::fhirpath::Expression;
use fhir::fhirpath::item::{Item, Node};
use fhir::fhirpath::model::Kind;
use fhir::fhirpath::scope::{Knowledge, Scope};
use fhir::value::{Number, Value};

/// 2026-11-23T12:00:00Z, 13 o'clock in Oslo.
const NOW: i64 = 1_795_435_200_000;

fn patient() -> Value {
    fhir::json!({
        "resourceType": "Patient",
        "id": "p1",
        "contained": [{ "resourceType": "Organization", "id": "o1", "name": "Granfjelldal" }],
        "active": true,
        "name": [
            { "use": "official", "family": "Lund", "given": ["Kari", "Anne"] },
            { "use": "usual", "given": [null, "Kari"], "_given": [{ "id": "g" }, null] },
        ],
        "telecom": [
            { "system": "phone", "value": "+4790000000", "rank": 2 },
            { "system": "email", "value": "kari@example.org", "rank": 1 },
        ],
        "gender": "female",
        "birthDate": "1946-09-28",
        "_birthDate": { "extension": [{ "url": "urn:time", "valueTime": "10:15:00" }] },
        "deceasedBoolean": false,
        "contact": [{ "name": { "family": "Lund" }, "period": { "start": "2020" } }],
        "generalPractitioner": [{ "reference": "Practitioner/4" }, { "reference": "#o1" }],
        "extension": [{
            "url": "urn:weight",
            "valueQuantity": {
                "value": Number::parse("72.50"), "system": "http://unitsofmeasure.org", "code": "kg", "unit": "kg",
            },
        }],
        "unheardOf": { "deep": 7 },
    })
}

/// What an expression gives for [`patient`]: its items with their types, or why it gives nothing.
fn answer(text: &str) -> String {
    let patient = patient();
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => return format!("not parsed: {error}"),
    };
    let unchecked = match expression.check("Patient") {
        Ok(()) => String::new(),
        Err(error) => format!(" (check: {error})"),
    };
    let scope = Scope::new().now(NOW).variable("limit", vec![Item::Integer(3)]);
    let found = match expression.evaluate(Item::resource(&patient), &scope) {
        Ok(items) => items
            .iter()
            .map(|item| format!("{} {item}", item.kind().name()))
            .collect::<Vec<_>>()
            .join(", "),
        Err(error) => format!("error: {error}"),
    };
    format!("[{found}]{unchecked}")
}

fn check(expressions: &[&str], expected: Expect) {
    let lines: Vec<String> =
        expressions.iter().map(|text| format!("{text}  =>  {}", answer(text))).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn paths_find_elements_with_types_ids_and_extensions() {
    check(
        &[
            "Patient.name.given",
            "name[0].given | name.family",
            "name.where(use = 'official').given.first()",
            "name.given.extension('urn:x')",
            "name[1].given.select(hasValue())",
            "name[1].given[0].id",
            "birthDate.extension('urn:time').value",
            "deceased is boolean",
            "Patient.extension('urn:weight').value",
            "extension.value.value",
            "contained.name",
            "Resource.id",
            "Observation.value",
            "unheardOf.deep",
            "nothing",
            "telecom.sort(rank).value",
            "contact.name.type().name",
            "children().count() > 10 and descendants().where($this is Quantity).exists()",
        ],
        expect![[r#"
            Patient.name.given  =>  [string Kari, string Anne, string string, string Kari]
            name[0].given | name.family  =>  [string Kari, string Anne, string Lund]
            name.where(use = 'official').given.first()  =>  [string Kari]
            name.given.extension('urn:x')  =>  []
            name[1].given.select(hasValue())  =>  [Boolean false, Boolean true]
            name[1].given[0].id  =>  [string g]
            birthDate.extension('urn:time').value  =>  [time 10:15:00]
            deceased is boolean  =>  [Boolean true]
            Patient.extension('urn:weight').value  =>  [Quantity 72.50 'kg']
            extension.value.value  =>  [decimal 72.50]
            contained.name  =>  [string Granfjelldal]
            Resource.id  =>  [id p1]
            Observation.value  =>  [] (check: there is no element `Observation` in Patient)
            unheardOf.deep  =>  [] (check: there is no element `unheardOf` in Patient)
            nothing  =>  [] (check: there is no element `nothing` in Patient)
            telecom.sort(rank).value  =>  [string kari@example.org, string +4790000000]
            contact.name.type().name  =>  [String HumanName]
            children().count() > 10 and descendants().where($this is Quantity).exists()  =>  [Boolean true]
        "#]],
    );
}

#[test]
fn values_are_compared_as_far_as_they_are_known() {
    check(
        &[
            "extension.value = 72500 'g'",
            "extension.value > 70 'kg' and extension.value < 160 '[lb_av]'",
            "extension.value > 3 's'",
            "extension.value ~ 73 'kg'",
            "birthDate < @1946-10",
            "birthDate = @1946-09-28T10:00:00Z",
            "contact.period.start <= @2020-06-01",
            "@2024-01-31T23:30:00-02:00 = @2024-02-01T01:30:00Z",
            "@2024-05-01T12:00:00 < @2024-05-03T12:00:00Z",
            "@2024-05-01T12:00:00 < @2024-05-01T13:00:00Z",
            "'Åse  Lund' ~ 'åse lund'",
            "1.10 = 1.1 and 1.10.toString() = '1.10'",
            "0.1 + 0.2 = 0.3",
            "10 / 4",
            "1 / 3",
            "2147483647 + 1",
            "now() > today()",
            "now()",
            "today() - 18 years",
            "@2024-02-29 + 1 year",
            "@2024-01-31 + 1 month",
            "@2024 + 25 months",
            "@T23:30 + 1 hour",
            "1 week = 7 days and 1 year = 12 months and 1 'a' ~ 1 year",
            "1 year = 365 days",
        ],
        expect![[r#"
            extension.value = 72500 'g'  =>  [Boolean true]
            extension.value > 70 'kg' and extension.value < 160 '[lb_av]'  =>  [Boolean true]
            extension.value > 3 's'  =>  []
            extension.value ~ 73 'kg'  =>  [Boolean true]
            birthDate < @1946-10  =>  [Boolean true]
            birthDate = @1946-09-28T10:00:00Z  =>  []
            contact.period.start <= @2020-06-01  =>  []
            @2024-01-31T23:30:00-02:00 = @2024-02-01T01:30:00Z  =>  [Boolean true]
            @2024-05-01T12:00:00 < @2024-05-03T12:00:00Z  =>  [Boolean true]
            @2024-05-01T12:00:00 < @2024-05-01T13:00:00Z  =>  []
            'Åse  Lund' ~ 'åse lund'  =>  [Boolean true]
            1.10 = 1.1 and 1.10.toString() = '1.10'  =>  [Boolean true]
            0.1 + 0.2 = 0.3  =>  [Boolean true]
            10 / 4  =>  [Decimal 2.5]
            1 / 3  =>  [Decimal 0.333333333333333333]
            2147483647 + 1  =>  []
            now() > today()  =>  []
            now()  =>  [DateTime 2026-11-23T13:00:00.000+01:00]
            today() - 18 years  =>  [Date 2008-11-23]
            @2024-02-29 + 1 year  =>  [Date 2025-02-28]
            @2024-01-31 + 1 month  =>  [Date 2024-02-29]
            @2024 + 25 months  =>  [Date 2026]
            @T23:30 + 1 hour  =>  [Time 00:30]
            1 week = 7 days and 1 year = 12 months and 1 'a' ~ 1 year  =>  [Boolean true]
            1 year = 365 days  =>  []
        "#]],
    );
}

#[test]
fn functions_give_what_the_specification_says() {
    check(
        &[
            "name.given.join(' ')",
            "'a,b,,c'.split(',').count()",
            "'Kari Lund'.replaceMatches('(\\\\w+) (\\\\w+)', '$2, $1x')",
            "'Kari'.matches('^[A-Z][a-z]+$')",
            "'æøå'.upper().length()",
            "'håndball'.indexOf('ball')",
            "'håndball'.substring(1, 3)",
            "'<a href=\"x\">'.escape('html').unescape('html')",
            "'blåbær'.encode('urlbase64').decode('urlbase64')",
            "(1 | 2 | 3).aggregate($this + $total, 0)",
            "(3 | 1 | 2).sort(-$this).select($this.toString() & ':' & $index.toString())",
            "name.repeat(given)",
            "iif(active, 'on', 1 / 0)",
            "(-7.5).round() | (-7.5).truncate() | (-7.5).floor()",
            "2.power(10) | 2.power(0.5).round(3)",
            "1.587.lowBoundary(2) | 1.587.highBoundary(2)",
            "@2024-02.highBoundary() | @2024-02.lowBoundary(8)",
            "'3 days'.toQuantity() + 1 week",
            "%limit + 1",
            "%`vs-administrative-gender`",
            "true and {} | false",
        ],
        expect![[r#"
            name.given.join(' ')  =>  [String Kari Anne Kari]
            'a,b,,c'.split(',').count()  =>  [Integer 4]
            'Kari Lund'.replaceMatches('(\\w+) (\\w+)', '$2, $1x')  =>  [String Lund, Karix]
            'Kari'.matches('^[A-Z][a-z]+$')  =>  [Boolean true]
            'æøå'.upper().length()  =>  [Integer 3]
            'håndball'.indexOf('ball')  =>  [Integer 4]
            'håndball'.substring(1, 3)  =>  [String ånd]
            '<a href="x">'.escape('html').unescape('html')  =>  [String <a href="x">]
            'blåbær'.encode('urlbase64').decode('urlbase64')  =>  [String blåbær]
            (1 | 2 | 3).aggregate($this + $total, 0)  =>  [Integer 6]
            (3 | 1 | 2).sort(-$this).select($this.toString() & ':' & $index.toString())  =>  [String 3:0, String 2:1, String 1:2]
            name.repeat(given)  =>  [string Kari, string Anne, string string]
            iif(active, 'on', 1 / 0)  =>  [String on]
            (-7.5).round() | (-7.5).truncate() | (-7.5).floor()  =>  [Decimal -8, Integer -7]
            2.power(10) | 2.power(0.5).round(3)  =>  [Integer 1024, Decimal 1.414]
            1.587.lowBoundary(2) | 1.587.highBoundary(2)  =>  [Decimal 1.58, Decimal 1.59]
            @2024-02.highBoundary() | @2024-02.lowBoundary(8)  =>  [Date 2024-02-29, Date 2024-02-01]
            '3 days'.toQuantity() + 1 week  =>  [Quantity 10 days]
            %limit + 1  =>  [Integer 4]
            %`vs-administrative-gender`  =>  [String http://hl7.org/fhir/ValueSet/administrative-gender]
            true and {} | false  =>  [Boolean false]
        "#]],
    );
}

#[test]
fn faults_are_told_with_their_place_and_kind() {
    check(
        &[
            "name.",
            "name.where(",
            "1 +",
            "'open",
            "name.fly()",
            "name.where()",
            "name.matches('(')",
            "@2024-13",
            "'\\\\d' & '\\d'",
            "%unknown",
            "name.single()",
            "name + 1",
            "active > 'a'",
            "name.as(Nothing)",
            "name.given1",
            "Observation.code",
            "birthDate.startsWith('19')",
            "valueQuantity",
            "children().first()",
            "name.as(HumanName)",
            "iif('a', 1, 2)",
            "birthDate + 7",
            "conformsTo('urn:profile')",
        ],
        expect![[r#"
            name.  =>  not parsed: column 5: a name is missing here
            name.where(  =>  not parsed: column 12: the expression ends too early
            1 +  =>  not parsed: column 4: the expression ends too early
            'open  =>  not parsed: column 6: a text in quotes does not end
            name.fly()  =>  not parsed: column 6: there is no function of this name
            name.where()  =>  not parsed: column 13: `where` takes 1 to 1 arguments
            name.matches('(')  =>  not parsed: column 18: not a regular expression
            @2024-13  =>  not parsed: column 9: not a date or time: write `@2024-02-29`, `@T12:30` or both
            '\\d' & '\d'  =>  not parsed: column 11: an unknown escape: a backslash is written `\\`
            %unknown  =>  [error: there is no variable `%unknown`]
            name.single()  =>  [error: `single` takes one item and got several]
            name + 1  =>  [error: `+` takes one item and got several] (check: `+` does not take HumanName and Integer)
            active > 'a'  =>  [error: `>` does not take items of this type] (check: `>` does not take boolean and String)
            name.as(Nothing)  =>  [error: the expression names an unknown type] (check: `as()` takes one item: use `ofType()`)
            name.given1  =>  [] (check: there is no element `given1` in HumanName)
            Observation.code  =>  [] (check: there is no element `Observation` in Patient)
            birthDate.startsWith('19')  =>  [Boolean true] (check: `startsWith` does not take date)
            valueQuantity  =>  [] (check: there is no element `valueQuantity` in Patient)
            children().first()  =>  [id p1] (check: `first` asks for an order that children and descendants do not have)
            name.as(HumanName)  =>  [HumanName HumanName, HumanName HumanName] (check: `as()` takes one item: use `ofType()`)
            iif('a', 1, 2)  =>  [error: `iif` does not take items of this type] (check: `iif` does not take String)
            birthDate + 7  =>  [error: `+` does not take items of this type] (check: `+` does not take date and Integer)
            conformsTo('urn:profile')  =>  [error: `conformsTo` asks for what is not known here]
        "#]],
    );
}

/// Knows one practitioner and one value set.
struct Register<'a>(&'a Value);

impl Knowledge for Register<'_> {
    fn resolve<'k>(&'k self, reference: &str) -> Option<Item<'k>> {
        (reference == "Practitioner/4").then(|| Item::resource(self.0))
    }

    fn member_of(&self, item: &Item<'_>, value_set: &str) -> Option<bool> {
        (value_set == "urn:genders").then(|| item.as_str() == Some("female"))
    }
}

#[test]
fn what_others_know_is_asked_of_them() {
    let doctor = fhir::json!({ "resourceType": "Practitioner", "id": "4", "active": true });
    let patient = patient();
    let knowing = Register(&doctor);
    let says = |text: &str, known: bool| {
        let expression = Expression::parse(text).unwrap();
        let scope = Scope::new();
        let scope = if known { scope.knowing(&knowing) } else { scope };
        let found = expression.evaluate(Item::resource(&patient), &scope).unwrap();
        found.iter().map(Item::to_string).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(says("generalPractitioner.resolve().active", true), "true");
    // Without a register a reference is known by the type that it names, and no more.
    assert_eq!(says("generalPractitioner.resolve().active", false), "");
    let text = "generalPractitioner.where(resolve() is Practitioner).reference";
    assert_eq!(says(text, false), "Practitioner/4");
    assert_eq!(
        says("generalPractitioner.resolve().ofType(Organization).name", false),
        "Granfjelldal"
    );
    assert_eq!(says("gender.memberOf('urn:genders')", true), "true");
    assert_eq!(says("gender.memberOf('urn:genders')", false), "");
}

#[test]
fn narratives_are_held_to_their_rules() {
    let says = |div: &str| {
        let value = Value::from(div);
        let expression = Expression::parse("htmlChecks()").unwrap();
        let kind = Kind::fhir("xhtml").unwrap();
        let item = Item::Node(Node { value: &value, sibling: None, kind });
        expression.holds(item, &Scope::new()).unwrap()
    };
    let div = |inner: &str| format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>");
    for inner in
        ["Kari", "<p class='a'>&aring; &#230; &amp;<br/></p>", "<img src=\"#a\" alt=\"b\"/>"]
    {
        assert!(says(&div(inner)), "{inner}");
    }
    for inner in [
        "",
        " <p> </p>",
        "<script>x</script>",
        "<p onclick=\"x\">a</p>",
        "<p>a",
        "<p>a</b></p>",
        "a & b",
        "&nothing;",
        "<a href=\"javascript:x\">a</a>",
        "<p class=a>b</p>",
        "<!-- a",
    ] {
        assert!(!says(&div(inner)), "{inner}");
    }
    assert!(!says("<div>no namespace</div>") && !says("text") && !says(&format!("{} ", "<p/>")));
}

#[test]
fn an_invariant_that_gives_nothing_is_unknown_and_does_not_hold() {
    let patient = patient();
    let scope = Scope::new();
    for (text, truth) in [
        ("active", Some(true)),
        ("name", Some(true)),
        ("deceased", Some(false)),
        ("photo", None),
        ("contact.period.start <= @2020-06-01", None),
    ] {
        let expression = Expression::parse(text).unwrap();
        assert_eq!(expression.truth(Item::resource(&patient), &scope), Ok(truth), "{text}");
        let holds = expression.holds(Item::resource(&patient), &scope);
        assert_eq!(holds, Ok(truth == Some(true)), "{text}");
    }
}

#[test]
fn numbers_are_quantities_of_ones_beside_quantities() {
    check(
        &[
            "7 = 7 '1'",
            "7.0 ~ 7 '1'",
            "7 != 3 months",
            "7 in (7 '1' | 2 'mg')",
            "2 * 1 year",
            "1 'mg' * 2",
            "6 months / 4",
            "@2020 + 2 * 1 year",
        ],
        expect![[r#"
            7 = 7 '1'  =>  [Boolean true]
            7.0 ~ 7 '1'  =>  [Boolean true]
            7 != 3 months  =>  []
            7 in (7 '1' | 2 'mg')  =>  [Boolean true]
            2 * 1 year  =>  [Quantity 2 year]
            1 'mg' * 2  =>  [Quantity 2 'mg']
            6 months / 4  =>  [Quantity 1.5 months]
            @2020 + 2 * 1 year  =>  [Date 2022]
        "#]],
    );
}

#[test]
fn nothing_joined_is_nothing() {
    check(
        &[
            "{}.join(',')",
            "name.suffix.join(',')",
            "name.where(use = 'usual').given.first().join()",
        ],
        expect![[r#"
            {}.join(',')  =>  []
            name.suffix.join(',')  =>  []
            name.where(use = 'usual').given.first().join()  =>  []
        "#]],
    );
}

#[test]
fn products_of_many_digits_lose_the_last_ones_only() {
    check(
        &[
            "(7 / -3) * (2147483647 / 1.5)",
            "(100000.00001 / 7).power(3)",
            "(1 / 3) * (1 / 3) * (1 / 3)",
            "99999999999999999999.0 * 99999999999999999999.0",
        ],
        expect![[r#"
            (7 / -3) * (2147483647 / 1.5)  =>  [Decimal -3340530117.5555555551561147451111111111]
            (100000.00001 / 7).power(3)  =>  [Decimal 2915451895918.3673467346938775276967930]
            (1 / 3) * (1 / 3) * (1 / 3)  =>  [Decimal 0.037037037037037036925962962962962963]
            99999999999999999999.0 * 99999999999999999999.0  =>  []
        "#]],
    );
}

#[test]
fn sums_have_the_finer_unit_and_times_of_day_take_no_days() {
    check(
        &[
            "1 'kg' + 1 'g'",
            "1 'g' - 1 'kg'",
            "2 weeks + 36 hours",
            "1 year + 1 month",
            "3 months - 1 year",
            "3 months + 2 weeks",
            "@T10:30 + 90 minutes",
            "@T10:30 + 1 day",
        ],
        expect![[r#"
            1 'kg' + 1 'g'  =>  [Quantity 1001 'g']
            1 'g' - 1 'kg'  =>  [Quantity -999 'g']
            2 weeks + 36 hours  =>  [Quantity 372 hours]
            1 year + 1 month  =>  [Quantity 13 month]
            3 months - 1 year  =>  [Quantity -9 months]
            3 months + 2 weeks  =>  []
            @T10:30 + 90 minutes  =>  [Time 12:00]
            @T10:30 + 1 day  =>  [error: `+` does not take items of this type]
        "#]],
    );
}
