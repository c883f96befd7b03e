//! Made-up bodies in the shapes the platform keeps: what the dictionary is trained on and speed is
//! measured with. Nobody's data: every value is drawn from the lists here.

use record::envelope::Envelope;

/// A small repeatable generator (splitmix64).
pub struct Draw(pub u64);

impl Draw {
    /// A number below `below`.
    pub fn number(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = self.number(from.len() as u64) as usize;
        from.get(at).copied().unwrap_or_default()
    }

    /// A made-up UUID.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.number(u64::MAX), self.number(u64::MAX));
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a & 0xffff,
            (a >> 16) & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

const FIRST: [&str; 8] = ["Ane", "Bjarne", "Cecilie", "Dag", "Eldrid", "Finn", "Gro", "Hallvard"];
const LAST: [&str; 8] =
    ["Ås", "Bergslia", "Dalby", "Engmo", "Fossheim", "Grønnvik", "Haugset", "Lyngtind"];
const STREETS: [&str; 4] = ["Lyngveien", "Storgata", "Bjørkelia", "Kirkebakken"];
const TOWNS: [&str; 4] = [
    r#""city":"Oslo","postalCode":"0182""#,
    r#""city":"Bergen","postalCode":"5003""#,
    r#""city":"Trondheim","postalCode":"7011""#,
    r#""city":"Tromsø","postalCode":"9008""#,
];
const SERVICES: [&str; 6] = [
    r#""code":"1","display":"Praktisk bistand - daglige gjøremål""#,
    r#""code":"15","display":"Helsetjenester i hjemmet""#,
    r#""code":"4","display":"Dagsenter/dagtilbud""#,
    r#""code":"11","display":"Trygghetsalarm""#,
    r#""code":"19","display":"Avlastning i institusjon""#,
    r#""code":"17","display":"Langtidsopphold i institusjon""#,
];
const NOTES: [&str; 6] = [
    "Målt i hjemmet ved morgenbesøk.",
    "Pasienten hvilte ti minutter før målingen.",
    "Kontrollmåling etter avtale med fastlegen.",
    "Føler seg bedre enn i går, har spist og drukket.",
    "Svimmel da hun reiste seg. Fastlege er varslet.",
    "Ingen merknader.",
];
const ORGS: [&str; 4] = [
    r#""value":"974760673"},"display":"Hjemmetjenesten nord"#,
    r#""value":"964338531"},"display":"Lyngtunet sykehjem"#,
    r#""value":"958935420"},"display":"Responssenteret"#,
    r#""value":"942110464"},"display":"Helsehuset"#,
];

const HEAD: &str = r#"{"resourceType":"Observation","id":"§id","meta":{"source":"§source","profile":["http://hl7.no/fhir/vkpobservation/StructureDefinition/vkp-Observation-§profile"]},"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:§uuid"}],"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],"#;
const TAIL: &str = r#""subject":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}},"effectiveDateTime":"§time","issued":"§time","performer":[{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.4","value":"§hpr"}},{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.101",§org"}],"device":{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:§uuid"},"display":"§device"},"note":[{"text":"§note"}]}"#;

/// Profile name and what is measured.
const VITALS: [(&str, &str); 6] = [
    (
        "Heartrate",
        r#""code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"},{"system":"http://snomed.info/sct","code":"364075005","display":"Heart rate"}]},"valueQuantity":{"value":§60,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"},"#,
    ),
    (
        "Bloodpressure",
        r#""code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel with all children optional"}]},"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic blood pressure"},{"system":"http://snomed.info/sct","code":"271649006","display":"Systolic blood pressure"}]},"valueQuantity":{"value":1§60,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4","display":"Diastolic blood pressure"},{"system":"http://snomed.info/sct","code":"271650006","display":"Diastolic blood pressure"}]},"valueQuantity":{"value":§60,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8478-0","display":"Mean blood pressure"}]},"valueQuantity":{"value":§60,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}],"bodySite":{"coding":[{"system":"http://snomed.info/sct","code":"368208006","display":"Left upper arm structure"}]},"method":{"coding":[{"system":"http://snomed.info/sct","code":"37931006","display":"Auscultation"}]},"#,
    ),
    (
        "Oxygensat",
        r#""code":{"coding":[{"system":"http://loinc.org","code":"2708-6","display":"Oxygen saturation in Arterial blood"},{"system":"http://loinc.org","code":"59408-5","display":"Oxygen saturation in Arterial blood by Pulse oximetry"},{"system":"http://snomed.info/sct","code":"431314004","display":"Peripheral oxygen saturation"}]},"valueQuantity":{"value":9§7,"unit":"%","system":"http://unitsofmeasure.org","code":"%"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N","display":"Normal"}]}],"#,
    ),
    (
        "Respirationrate",
        r#""code":{"coding":[{"system":"http://loinc.org","code":"9279-1","display":"Respiratory rate"},{"system":"http://snomed.info/sct","code":"86290005","display":"Respiratory rate"}]},"valueQuantity":{"value":1§7,"unit":"breaths/minute","system":"http://unitsofmeasure.org","code":"/min"},"#,
    ),
    (
        "Bodytemp",
        r#""code":{"coding":[{"system":"http://loinc.org","code":"8310-5","display":"Body temperature"},{"system":"http://snomed.info/sct","code":"386725007","display":"Body temperature"}]},"valueQuantity":{"value":3§7.4,"unit":"Cel","system":"http://unitsofmeasure.org","code":"Cel"},"#,
    ),
    (
        "Bodyweight",
        r#""code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body weight"},{"system":"http://snomed.info/sct","code":"27113001","display":"Body weight"}]},"valueQuantity":{"value":§60.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"},"#,
    ),
];

const NEWS2: &str = r#""code":{"coding":[{"system":"http://snomed.info/sct","code":"1104051000000101","display":"NEWS2 (National Early Warning Score 2) total score"}]},"valueQuantity":{"value":§7},"component":[{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104301000000104","display":"NEWS2 (National Early Warning Score 2) - respiration rate score"}]},"valueQuantity":{"value":0},"interpretation":[{"text":"12–20"}]},{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104311000000102","display":"NEWS2 (National Early Warning Score 2) - oxygen saturation scale 1 score"}]},"valueQuantity":{"value":1},"interpretation":[{"text":"94–95"}]},{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104321000000108","display":"NEWS2 (National Early Warning Score 2) - oxygen saturation scale 2 score"}]},"valueQuantity":{"value":0}},{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104331000000105","display":"NEWS2 (National Early Warning Score 2) - air or oxygen score"}]},"valueQuantity":{"value":2},"interpretation":[{"text":"Oksygen"}]},{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104341000000101","display":"NEWS2 (National Early Warning Score 2) - systolic blood pressure score"}]},"valueQuantity":{"value":0},"interpretation":[{"text":"111–219"}]},{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104351000000103","display":"NEWS2 (National Early Warning Score 2) - pulse score"}]},"valueQuantity":{"value":1},"interpretation":[{"text":"91–110"}]},{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104361000000100","display":"NEWS2 (National Early Warning Score 2) - consciousness score"}]},"valueQuantity":{"value":0},"interpretation":[{"text":"A"}]},{"code":{"coding":[{"system":"http://snomed.info/sct","code":"1104371000000107","display":"NEWS2 (National Early Warning Score 2) - temperature score"}]},"valueQuantity":{"value":0},"interpretation":[{"text":"36,1–38,0"}]}],"#;

const EPISODE: &str = r#"{"resourceType":"EpisodeOfCare","id":"§id","meta":{"source":"§source","profile":["http://hl7.no/fhir/ig/okt/StructureDefinition/OktEpisodeOfCare"]},"extension":[{"url":"http://hl7.no/fhir/ig/okt/StructureDefinition/WeeklyExtentRatio","valueRatio":{"numerator":{"value":§60,"unit":"h","system":"http://unitsofmeasure.org","code":"h"},"denominator":{"value":1,"unit":"wk","system":"http://unitsofmeasure.org","code":"wk"}}},{"url":"http://hl7.no/fhir/ig/okt/StructureDefinition/ServiceDescriptionMarkdown","valueMarkdown":"§note"}],"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:§uuid"}],"status":"active","type":[{"coding":[{"system":"urn:oid:2.16.578.1.12.4.1.1.9151",§service}]},{"coding":[{"system":"http://hl7.no/fhir/ig/okt/CodeSystem/OktStayTypeCs","code":"dagopphold"}]}],"patient":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}},"managingOrganization":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.101",§org"},"period":{"start":"§date","end":"§date"}}"#;
const REQUEST: &str = r#"{"resourceType":"ServiceRequest","id":"§id","meta":{"source":"§source"},"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:§uuid"}],"status":"active","intent":"order","priority":"routine","category":[{"coding":[{"system":"http://snomed.info/sct","code":"409073007","display":"Education"}]}],"code":{"coding":[{"system":"urn:oid:2.16.578.1.12.4.1.1.9151",§service}],"text":"Vedtak om helse- og omsorgstjenester"},"subject":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}},"occurrencePeriod":{"start":"§date","end":"§date"},"authoredOn":"§time","requester":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.101",§org"},"performer":[{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.101",§org"}],"note":[{"text":"§note"}]}"#;
const PATIENT: &str = r#"{"resourceType":"Patient","id":"§id","meta":{"profile":["http://hl7.no/fhir/StructureDefinition/no-basis-Patient"]},"identifier":[{"use":"official","system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}],"active":true,"name":[{"use":"official","family":"§last","given":["§first"]}],"telecom":[{"system":"phone","value":"+47§hpr0","use":"mobile"}],"gender":"female","birthDate":"§date","address":[{"extension":[{"url":"http://hl7.no/fhir/StructureDefinition/no-basis-address-official","valueBoolean":true}],"use":"home","line":["§street §60"],§town,"country":"NO"}],"contact":[{"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0131","code":"N","display":"Next-of-Kin"}]}],"name":{"family":"§last","given":["§first"]}}],"communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"nb"}]},"preferred":true}],"generalPractitioner":[{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.4","value":"§hpr"},"display":"§first §last"}]}"#;
const PLAN: &str = r#"{"resourceType":"CarePlan","id":"§id","meta":{"source":"§source"},"status":"active","intent":"plan","category":[{"coding":[{"system":"http://snomed.info/sct","code":"734163000","display":"Care plan"}]}],"title":"Tiltaksplan","description":"§note","subject":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}},"period":{"start":"§date"},"author":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.4","value":"§hpr"}},"activity":[{"detail":{"kind":"ServiceRequest","code":{"text":"Måle blodtrykk"},"status":"in-progress","description":"§note"}},{"detail":{"kind":"ServiceRequest","code":{"text":"Veie"},"status":"scheduled","description":"§note"}}]}"#;
const AUDIT: &str = r#"{"resourceType":"AuditEvent","type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest","display":"Restful Operation"},"subtype":[{"system":"http://hl7.org/fhir/restful-interaction","code":"search-type","display":"search"}],"action":"E","recorded":"§time","outcome":"0","purposeOfEvent":[{"coding":[{"system":"urn:oid:2.16.578.1.12.4.1.1.9151",§service}]}],"agent":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/extra-security-role-type","code":"humanuser"}]},"who":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.4","value":"§hpr"},"display":"§first §last"},"requestor":true},{"who":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.101",§org"},"requestor":false}],"source":{"observer":{"display":"fkj"}},"entity":[{"what":{"reference":"Observation/§uuid"},"detail":[{"type":"version","valueString":"§60"}]},{"what":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}}}]}"#;

const PRACTITIONER: &str = r#"{"resourceType":"Practitioner","id":"§id","meta":{"profile":["http://hl7.no/fhir/StructureDefinition/no-basis-Practitioner"]},"identifier":[{"system":"urn:oid:2.16.578.1.12.4.1.4.4","value":"§hpr"},{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}],"active":true,"name":[{"use":"official","family":"§last","given":["§first"]}],"telecom":[{"system":"email","value":"post@eksempel.no","use":"work"}],"birthDate":"§date","qualification":[{"code":{"coding":[{"system":"urn:oid:2.16.578.1.12.4.1.1.9060","code":"SP","display":"Sykepleier"}]}}]}"#;
const RELATED: &str = r#"{"resourceType":"RelatedPerson","id":"§id","meta":{"profile":["http://hl7.no/fhir/StructureDefinition/no-basis-RelatedPerson"]},"identifier":[{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}],"active":true,"patient":{"reference":"Patient/§uuid"},"relationship":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-RoleCode","code":"SIB","display":"sibling"}]}],"name":[{"family":"§last","given":["§first"]}],"telecom":[{"system":"phone","value":"+47§hpr0","use":"mobile"}],"gender":"male","period":{"start":"§date"}}"#;
const ORGANIZATION: &str = r#"{"resourceType":"Organization","id":"§id","meta":{"profile":["http://hl7.no/fhir/StructureDefinition/no-basis-Organization"]},"identifier":[{"system":"urn:oid:2.16.578.1.12.4.1.4.101","value":"9§hpr0"},{"system":"urn:oid:2.16.578.1.12.4.1.4.102","value":"§60"}],"active":true,"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/organization-type","code":"prov","display":"Healthcare Provider"}]}],"name":"Lyngtunet sykehjem","address":[{"use":"work","type":"physical","line":["§street §60"],§town,"country":"NO"}],"partOf":{"reference":"Organization/§uuid"}}"#;
const APPOINTMENT: &str = r#"{"resourceType":"Appointment","id":"§id","meta":{"profile":["http://hl7.no/fhir/StructureDefinition/no-basis-Appointment"]},"extension":[{"url":"http://hl7.no/fhir/StructureDefinition/no-basis-referraldocument","valueReference":{"reference":"DocumentReference/§uuid"}}],"status":"booked","serviceType":[{"coding":[{"system":"urn:oid:2.16.578.1.12.4.1.1.8655","code":"1","display":"Konsultasjon"}]}],"description":"§note","start":"§time","end":"§time","created":"§time","patientInstruction":"Ta med legemiddelliste.","participant":[{"actor":{"reference":"Patient/§uuid","display":"§first §last"},"required":"required","status":"accepted"},{"actor":{"reference":"HealthcareService/§uuid"},"status":"accepted","period":{"start":"§time","end":"§time"}}]}"#;
const CONSENT: &str = r#"{"resourceType":"Consent","id":"§id","identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:§uuid"}],"status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"§fnr"}},"dateTime":"§time","performer":[{"reference":"Patient/§uuid"}],"organization":[{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.101",§org"}],"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTOUT"}]},"provision":{"type":"deny","period":{"start":"§date","end":"§date"},"actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.4","value":"§hpr"}}}]}}"#;
const EVENT: &str = r#"{"resourceType":"Bundle","id":"§id","type":"collection","timestamp":"§time","entry":[{"fullUrl":"urn:uuid:§uuid","resource":{"resourceType":"MedicationStatement","id":"§uuid","status":"active","medicationCodeableConcept":{"coding":[{"system":"http://www.whocc.no/atc","code":"C07AB02","display":"Metoprolol"}],"text":"Metoprolol depottablett 50 mg"},"subject":{"reference":"Patient/§uuid"},"effectivePeriod":{"start":"§date"},"dosage":[{"text":"1 tablett morgen","timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}}]}},{"fullUrl":"urn:uuid:§uuid","resource":{"resourceType":"AllergyIntolerance","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"91936005","display":"Allergy to penicillin"}]},"patient":{"reference":"Patient/§uuid"}}},{"fullUrl":"urn:uuid:§uuid","resource":{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"code":{"coding":[{"system":"urn:oid:2.16.578.1.12.4.1.1.7170","code":"K86","display":"Hypertensjon ukomplisert"}]},"subject":{"reference":"Patient/§uuid"},"recordedDate":"§date"}}]}"#;

/// The rarer kinds, drawn evenly.
const RARE: [(&str, &str); 8] = [
    ("CarePlan", PLAN),
    ("AuditEvent", AUDIT),
    ("Practitioner", PRACTITIONER),
    ("RelatedPerson", RELATED),
    ("Organization", ORGANIZATION),
    ("Appointment", APPOINTMENT),
    ("Consent", CONSENT),
    ("Bundle", EVENT),
];

/// The `n`th made-up body: an envelope and a resource, as systems print it.
pub fn body(n: u64) -> Vec<u8> {
    let draw = &mut Draw(n.wrapping_mul(0x5851_f42d_4c95_7f2d));
    let observation = |profile: &str, middle: &str| {
        ("Observation", format!("{HEAD}{middle}{TAIL}").replace("§profile", profile))
    };
    let (kind, template) = match draw.number(16) {
        at @ 0..=8 => {
            let (profile, middle) =
                VITALS.get(at as usize % VITALS.len()).copied().unwrap_or_default();
            observation(profile, middle)
        }
        9 | 10 => observation("NEWS2score", NEWS2),
        11 | 12 => ("EpisodeOfCare", EPISODE.to_owned()),
        13 => ("ServiceRequest", REQUEST.to_owned()),
        14 => {
            let (kind, template) =
                RARE.get(draw.number(8) as usize).copied().unwrap_or(("CarePlan", PLAN));
            (kind, template.to_owned())
        }
        _ => ("Patient", PATIENT.to_owned()),
    };
    let id = draw.uuid();
    let occurred = 1_750_000_000_000 + draw.number(40_000_000_000) as i64;
    let channel = draw.pick(&["fhir", "okt", "pmd", "events"]).to_owned();
    let resource = fill(&template.replace("§id", &id), draw);
    let kind = kind.to_owned();
    Envelope { v: Envelope::VERSION, kind, id, occurred, channel, warnings: Vec::new() }
        .seal(resource.as_bytes())
}

fn fill(template: &str, draw: &mut Draw) -> String {
    let mut out = String::with_capacity(template.len() + 200);
    let mut parts = template.split('§');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (name, rest) = part.split_at_checked(end).unwrap_or((part, ""));
        out.push_str(&value(name, draw));
        out.push_str(rest);
    }
    out
}

fn value(name: &str, draw: &mut Draw) -> String {
    let date = |draw: &mut Draw| {
        format!("202{}-{:02}-{:02}", draw.number(7), 1 + draw.number(12), 1 + draw.number(28))
    };
    match name {
        "uuid" => draw.uuid(),
        "fnr" => {
            let (day, month) = (1 + draw.number(28), 81 + draw.number(12));
            format!("{day:02}{month}{:07}", draw.number(10_000_000))
        }
        "date" => date(draw),
        "time" => {
            let (hour, minute, second) = (draw.number(24), draw.number(60), draw.number(60));
            format!("{}T{hour:02}:{minute:02}:{second:02}+01:00", date(draw))
        }
        "hpr" => format!("{:07}", draw.number(10_000_000)),
        "first" => draw.pick(&FIRST).to_owned(),
        "last" => draw.pick(&LAST).to_owned(),
        "street" => draw.pick(&STREETS).to_owned(),
        "town" => draw.pick(&TOWNS).to_owned(),
        "org" => draw.pick(&ORGS).to_owned(),
        "note" => draw.pick(&NOTES).to_owned(),
        "service" => draw.pick(&SERVICES).to_owned(),
        "source" => draw.pick(&["plo-epj", "velferd-1", "responssenter", "hjemme-epj"]).to_owned(),
        "device" => draw.pick(&["Blodtrykksmåler", "Pulsoksymeter", "Termometer"]).to_owned(),
        number => (20 + draw.number(number.parse().unwrap_or(60))).to_string(),
    }
}
