//! XML: what is read and how, and what is refused and where.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;

use expect_test::{Expect, expect};
use fhir::value::{Number, Value};
use fhir::{json, xml};

const HEAD: &str = "<Patient xmlns=\"http://hl7.org/fhir\">";

fn reads(text: &str, expected: Expect) {
    let value = xml::parse(text.as_bytes()).unwrap();
    expected.assert_eq(&json::print(&value));
}

/// Reads what stands within a Patient.
fn patient_reads(inner: &str, expected: Expect) {
    reads(&format!("{HEAD}{inner}</Patient>"), expected);
}

/// The refusals of texts, one a line.
fn refusals(texts: &[&str]) -> String {
    let says = |text: &&str| xml::parse(text.as_bytes()).unwrap_err().to_string() + "\n";
    texts.iter().map(says).collect()
}

/// The refusals of what stands within a Patient, on its second line, each after the text.
fn patient_refusals(texts: &[&str]) -> String {
    let says = |inner: &&str| {
        let text = format!("{HEAD}\n{inner}\n</Patient>");
        format!("{inner}\n    {}\n", xml::parse(text.as_bytes()).unwrap_err())
    };
    texts.iter().map(says).collect()
}

#[test]
fn arrays_numbers_and_booleans_come_from_the_definitions() {
    patient_reads(
        "<active value='true'/><multipleBirthInteger value=\"2\"/><name><given value='Kari'/></name>",
        expect![[
            r#"{"resourceType":"Patient","active":true,"multipleBirthInteger":2,"name":[{"given":["Kari"]}]}"#
        ]],
    );
    reads(
        "<Observation xmlns=\"http://hl7.org/fhir\"><valueQuantity><value value=\"1.10\"/></valueQuantity></Observation>",
        expect![[r#"{"resourceType":"Observation","valueQuantity":{"value":1.10}}"#]],
    );
}

#[test]
fn what_stands_beside_a_value_is_aligned() {
    let extension = "<extension url=\"urn:x\"><valueString value=\"y\"/></extension>";
    patient_reads(
        &format!(
            "<birthDate id=\"b\" value=\"1946\"/><name id=\"n\"><given value=\"A\"/>\
             <given>{extension}</given><given value=\"C\"/></name>\
             <name><given>{extension}</given></name>"
        ),
        expect![[
            r#"{"resourceType":"Patient","birthDate":"1946","_birthDate":{"id":"b"},"name":[{"id":"n","given":["A",null,"C"],"_given":[null,{"extension":[{"url":"urn:x","valueString":"y"}]},null]},{"_given":[{"extension":[{"url":"urn:x","valueString":"y"}]}]}]}"#
        ]],
    );
}

#[test]
fn resources_within_resources_are_unwrapped() {
    reads(
        "<Bundle xmlns=\"http://hl7.org/fhir\"><id value=\"1\"/><entry><resource><Patient>\
         <contained><Organization><name value=\"N\"/></Organization></contained></Patient></resource></entry></Bundle>",
        expect![[
            r#"{"resourceType":"Bundle","id":"1","entry":[{"resource":{"resourceType":"Patient","contained":[{"resourceType":"Organization","name":"N"}]}}]}"#
        ]],
    );
}

#[test]
fn attributes_and_prefixes_are_read_as_xml_says() {
    reads(
        "\u{feff}<?xml version=\"1.0\" encoding='utf-8' standalone=\"yes\"?>\r\n<!-- a --><?b c?>\
         <f:Patient xmlns:f=\"http://hl7.org/fhir\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:schemaLocation=\"http://hl7.org/fhir x.xsd\"><f:name><f:family \
         value=\"a\tb\r\nc&#10;&#xe5;&lt;&amp;&quot;&apos;&gt;\"/><!-- d --></f:name ></f:Patient>\n<!-- e -->\n",
        expect![[r#"{"resourceType":"Patient","name":[{"family":"a b c\nå<&\"'>"}]}"#]],
    );
}

#[test]
fn a_narrative_is_kept_to_the_letter_and_stands_alone() {
    let text = |div: &str| format!("<text><status value=\"empty\"/>{div}</text>");
    let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang='nb'>\r\n <!-- x --><b>A&amp;</b><br />\
               <![CDATA[<]]><s:svg xmlns:s=\"urn:s\"/></div>";
    patient_reads(
        &text(div),
        expect![[
            r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang='nb'>\r\n <!-- x --><b>A&amp;</b><br /><![CDATA[<]]><s:svg xmlns:s=\"urn:s\"/></div>"}}"#
        ]],
    );
    patient_reads(
        &text(
            "<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\" class=\"c\"><h:p a=\"1\">A</h:p><h:br/></h:div>",
        ),
        expect![[
            r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" class=\"c\"><p a=\"1\">A</p><br/></div>"}}"#
        ]],
    );
    reads(
        "<f:Patient xmlns:f=\"http://hl7.org/fhir\" xmlns=\"http://www.w3.org/1999/xhtml\">\
         <f:text><div><p>A</p></div></f:text></f:Patient>",
        expect![[
            r#"{"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>A</p></div>"}}"#
        ]],
    );
}

#[test]
fn what_is_not_fhir_is_refused_with_its_place() {
    let said = patient_refusals(&[
        "<nam/>",
        "<name><family value='a'/><given valu='b'/></name>",
        "<active value='true'/><active value='true'/>",
        "<gender value=''/>",
        "<name/>",
        "<gender/>",
        "<active value='yes'/>",
        "<multipleBirthInteger value='01'/>",
        "<name>Kari</name>",
        "<name xmlns='urn:other'/>",
        "<x:name/>",
        "<name><id value='1'/></name>",
        "<extension><url value='urn:x'/></extension>",
        "<contained><Patient/><Patient/></contained>",
        "<contained/>",
        "<contained><Nothing/></contained>",
        "<text><div>A</div></text>",
    ]);
    expect![[r#"
        <nam/>
            Patient.nam: unknown element of Patient: correct the name at line 2 column 1
        <name><family value='a'/><given valu='b'/></name>
            Patient.name[0].given[0]: unknown attribute of this element: take it out at line 2 column 33
        <active value='true'/><active value='true'/>
            Patient.active: a second one, but there is one at most at line 2 column 23
        <gender value=''/>
            Patient.gender: empty value: leave the attribute or the element out at line 2 column 9
        <name/>
            Patient.name[0]: empty element: leave it out at line 2 column 1
        <gender/>
            Patient.gender: neither `value` nor extension: leave the element out at line 2 column 1
        <active value='yes'/>
            Patient.active: not a boolean: send `true` or `false` at line 2 column 9
        <multipleBirthInteger value='01'/>
            Patient.multipleBirthInteger: not a number: send digits, perhaps with sign, point and exponent at line 2 column 23
        <name>Kari</name>
            Patient.name[0]: text between elements: values stand in `value` at line 2 column 7
        <name xmlns='urn:other'/>
            Patient.name[0]: not in the namespace `http://hl7.org/fhir`: declare it at line 2 column 1
        <x:name/>
            Patient: prefix without declaration: declare it with `xmlns:…` at line 2 column 1
        <name><id value='1'/></name>
            Patient.name[0].id: an element, but it is an attribute in XML at line 2 column 7
        <extension><url value='urn:x'/></extension>
            Patient.extension[0].url: an element, but it is an attribute in XML at line 2 column 12
        <contained><Patient/><Patient/></contained>
            Patient.contained[0]: a second resource: there is one at most at line 2 column 22
        <contained/>
            Patient.contained[0]: no resource within: leave the element out at line 2 column 1
        <contained><Nothing/></contained>
            Patient.contained[0]: not a resource type of FHIR R4: correct it at line 2 column 12
        <text><div>A</div></text>
            Patient.text.div: not in the namespace `http://www.w3.org/1999/xhtml` at line 2 column 7
    "#]].assert_eq(&said);
}

#[test]
fn a_document_is_one_resource() {
    let said = refusals(&[
        "<Patient/>",
        "<Patient xmlns='http://hl7.org/fhir' id='1'/>",
        "<Nothing xmlns='http://hl7.org/fhir'/>",
        "",
        "<Patient xmlns='http://hl7.org/fhir'/><Patient/>",
    ]);
    expect![[r#"
        not in the namespace `http://hl7.org/fhir`: declare it at line 1 column 1
        Patient: unknown attribute of this element: take it out at line 1 column 38
        not a resource type of FHIR R4: correct it at line 1 column 1
        no element: send a resource at line 1 column 1
        a document is one resource and nothing else at line 1 column 39
    "#]]
    .assert_eq(&said);
}

#[test]
fn what_is_not_well_formed_is_refused_with_its_place() {
    let said = patient_refusals(&[
        "<gender value='&b;'/>",
        "<gender value='&#0;'/>",
        "<gender value='\u{fffe}'/>",
        "<gender value='a' value='a'/>",
        "<gender value='a'id='b'/>",
        "<gender value=a/>",
        "<name><family value='a'/></nam>",
        "<!-- a -- b -->",
        "<?xml version='1.0'?>",
        "<text><div xmlns='http://www.w3.org/1999/xhtml'><p>A</b></div></text>",
        "<text><div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;</div></text>",
    ]);
    expect![[r#"
        <gender value='&b;'/>
            Patient: `&` without a reference that XML knows: write `&amp;` or `&#…;` at line 2 column 16
        <gender value='&#0;'/>
            Patient: `&` without a reference that XML knows: write `&amp;` or `&#…;` at line 2 column 16
        <gender value='￾'/>
            Patient: a character that XML does not allow: take it out at line 2 column 16
        <gender value='a' value='a'/>
            Patient: attribute twice in one element: keep one at line 2 column 19
        <gender value='a'id='b'/>
            Patient: expected a blank before the attribute at line 2 column 18
        <gender value=a/>
            Patient: expected a value in quotes at line 2 column 15
        <name><family value='a'/></nam>
            Patient.name[0]: the end of another element than the innermost at line 2 column 26
        <!-- a -- b -->
            Patient: `--` within a comment: take it out at line 2 column 10
        <?xml version='1.0'?>
            Patient: an XML declaration stands only at the very start at line 2 column 1
        <text><div xmlns='http://www.w3.org/1999/xhtml'><p>A</b></div></text>
            Patient.text.div: the end of another element than the innermost at line 2 column 53
        <text><div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;</div></text>
            Patient.text.div: `&` without a reference that XML knows: write `&amp;` or `&#…;` at line 2 column 49
    "#]].assert_eq(&said);
    let said = refusals(&[
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a/>",
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.0' encoding='latin1'?><a/>",
        HEAD,
    ]);
    expect![[r#"
        document types and entities are refused: take `<!…>` out at line 1 column 1
        only XML 1.0 is read at line 1 column 1
        send the text as UTF-8 at line 1 column 1
        Patient: the text ends too early at line 1 column 38
    "#]]
    .assert_eq(&said);
    assert_eq!(xml::parse(b"<a b=\"\xff\"/>").unwrap_err().column, 7);
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let deep = "<extension url='a'>".repeat(levels);
        format!("{HEAD}{deep}<valueCode value='b'/>{}</Patient>", "</extension>".repeat(levels))
    };
    let deepest = xml::parse(nested(31).as_bytes()).unwrap();
    assert_eq!(json::parse(json::print(&deepest).as_bytes()), Ok(deepest));
    let error = xml::parse(nested(32).as_bytes()).unwrap_err();
    assert!(error.message.contains("nested too deep") && error.path.ends_with("extension[0]"));
    let deep = "<p>".repeat(100_000);
    let div = format!("{HEAD}<text><div xmlns='http://www.w3.org/1999/xhtml'>{deep}");
    assert!(xml::parse(div.as_bytes()).unwrap_err().message.contains("nested too deep"));
}

#[test]
fn printing_follows_the_definitions() {
    let value = fhir::json!({
        "gender": "female",
        "_gender": { "extension": [{ "url": "urn:x", "valueDecimal": Number::parse("1.10") }] },
        "active": true,
        "name": [{ "given": ["a\n\t<\"&", null], "_given": [null, { "id": "g" }] }],
        "resourceType": "Patient",
        "text": { "div": " <div>A</div> ", "status": "empty" },
        "contained": [{ "resourceType": "Organization", "name": "N" }],
    });
    expect![[r#"<Patient xmlns="http://hl7.org/fhir"><text><status value="empty"/><div xmlns="http://www.w3.org/1999/xhtml">A</div></text><contained><Organization><name value="N"/></Organization></contained><active value="true"/><name><given value="a&#10;&#9;&lt;&quot;&amp;"/><given id="g"/></name><gender value="female"><extension url="urn:x"><valueDecimal value="1.10"/></extension></gender></Patient>"#]].assert_eq(&xml::print(&value).unwrap());
    expect![[r#"
        <Patient xmlns="http://hl7.org/fhir">
          <text>
            <status value="empty"/>
            <div xmlns="http://www.w3.org/1999/xhtml">A</div>
          </text>
          <contained>
            <Organization>
              <name value="N"/>
            </Organization>
          </contained>
          <active value="true"/>
          <name>
            <given value="a&#10;&#9;&lt;&quot;&amp;"/>
            <given id="g"/>
          </name>
          <gender value="female">
            <extension url="urn:x">
              <valueDecimal value="1.10"/>
            </extension>
          </gender>
        </Patient>"#]]
    .assert_eq(&xml::pretty(&value).unwrap());
}

#[test]
fn what_xml_cannot_carry_is_refused_with_its_place() {
    let patient =
        |name: &str, value: Value| fhir::json!({ "resourceType": "Patient", (name): value });
    let values = [
        fhir::json!({ "resourceType": "28894698995" }),
        patient("nam", "a".into()),
        patient("28894698995", "a".into()),
        patient("gender", true.into()),
        patient("gender", "".into()),
        patient("gender", "\u{1}".into()),
        patient("name", fhir::json!({ "family": "a" })),
        patient("name", fhir::json!([{ "given": [null] }])),
        patient("name", fhir::json!([{ "family": ["a"] }])),
        patient("name", fhir::json!([{ "_id": { "id": "a" } }])),
        patient("_name", fhir::json!([{ "id": "a" }])),
        patient("text", fhir::json!({ "div": "<p/>" })),
        patient("contained", fhir::json!([{ "id": "a" }])),
    ];
    let says = |value: &Value| xml::print(value).unwrap_err().to_string() + "\n";
    expect![[r#"
        not a resource of FHIR R4
        Patient.nam: unknown element: correct the name
        Patient: unknown element: correct the name
        Patient.gender: of another JSON type than the element's
        Patient.gender: empty string: leave the element out
        Patient.gender: a character that XML cannot carry
        Patient.name: not an array, but there may be several
        Patient.name[0].given[0]: neither value nor extension
        Patient.name[0].family: of another JSON type than the element's
        Patient.name[0]._id: XML has no place for it: its element is an attribute
        Patient.name: only primitive elements have one with `_`
        Patient.text.div: not one well-formed `div` of XHTML
        Patient.contained[0]: not a resource of FHIR R4
    "#]]
    .assert_eq(&values.iter().map(says).collect::<String>());
    let mut deep = fhir::json!({ "url": "a", "valueCode": "b" });
    for _ in 0..1_000 {
        deep = fhir::json!({ "url": "a", "extension": [deep] });
    }
    let error = xml::print(&patient("extension", fhir::json!([deep]))).unwrap_err();
    assert!(error.message.contains("deep"));
}

#[test]
fn samples_are_the_same_after_xml() {
    for value in samples::all() {
        let back = xml::parse(xml::print(&value).unwrap().as_bytes()).unwrap();
        assert_eq!(xml::print(&back), xml::print(&value));
        assert_eq!(back.as_object().unwrap().len(), value.as_object().unwrap().len());
    }
}
