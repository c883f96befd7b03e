//! Parameters and contents that several rows share.

use crate::routes::endpoint::{Content, Form, Param};

/// Media type of FHIR in JSON.
pub const FHIR_JSON: &str = "application/fhir+json";

/// Media type of FHIR in XML.
pub const FHIR_XML: &str = "application/fhir+xml";

/// Media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

const FORMAT: Param =
    Param::choice("_format", "the form of the answer; goes before `Accept`", &["json", "xml"]);
const PRETTY: Param =
    Param::choice("_pretty", "whether the answer is laid out for people", &["true", "false"]);
const COUNT: Param = Param::number("_count", "most resources on a page");
const SUMMARY: Param = Param::choice(
    "_summary",
    "which elements are given",
    &["true", "text", "data", "count", "false"],
);
const ELEMENTS: Param = Param::text("_elements", "the elements to give, with commas between");
const SINCE: Param = Param::text("_since", "an instant: what was recorded at it or later");

/// Of every answer in FHIR.
pub const FORMS: &[Param] = &[FORMAT, PRETTY];

/// Of a read.
pub const READ: &[Param] = &[SUMMARY, ELEMENTS, FORMAT, PRETTY];

/// Of a search, beside the search parameters of each type.
pub const SEARCH: &[Param] = &[
    Param::text("_id", "logical ids"),
    Param::text("identifier", "`system|value`; a national number belongs in a form"),
    Param::text("patient", "the Patient it is about: a logical id"),
    Param::text("code", "`system|code`"),
    Param::text("date", "a date or period, with a prefix such as `ge`"),
    Param::text("_lastUpdated", "when it was last changed, with a prefix such as `ge`"),
    COUNT,
    Param::text("_sort", "parameters to sort by; `-` in front for the other way"),
    Param::text("_include", "`Type:parameter`: what the matches refer to"),
    Param::text("_revinclude", "`Type:parameter`: what refers to the matches"),
    Param::choice("_total", "whether to count all matches", &["none", "estimate", "accurate"]),
    SUMMARY,
    ELEMENTS,
    FORMAT,
    PRETTY,
];

/// Of a history.
pub const HISTORY: &[Param] = &[
    COUNT,
    SINCE,
    Param::text("_at", "a date or instant: what was current at some time in it"),
    Param::choice("_sort", "the newest first", &["-_lastUpdated"]),
    FORMAT,
    PRETTY,
];

/// Of an export.
pub const EXPORT: &[Param] = &[
    Param::text("_type", "resource types, with commas between"),
    SINCE,
    Param::text("_typeFilter", "`Type?query`: only the matches of a type; several count as any"),
    Param::choice("_outputFormat", "the form of the files", &["application/fhir+ndjson", "ndjson"]),
];

/// Of an import.
pub const IMPORT: &[Param] =
    &[Param::text("job", "a name for the import; sent again under it, it goes on").required()];

const PREFER_RETURN: Param = Param::choice(
    "Prefer",
    "what to answer with",
    &["return=representation", "return=minimal", "return=OperationOutcome"],
);
const PREFER_SEARCHING: Param = Param::choice(
    "Prefer",
    "whether what is not supported refuses or is left out, and that the answer may come later",
    &["handling=strict", "handling=lenient", "respond-async"],
);
const PREFER_BUNDLING: Param = Param::choice(
    "Prefer",
    "what to answer with, and that it may come later",
    &["return=representation", "return=minimal", "return=OperationOutcome", "respond-async"],
);
const IF_MATCH: Param = Param::text("If-Match", "`W/\"version\"`: only if this version is current");
const IF_NONE_MATCH: Param = Param::text("If-None-Match", "`*`: only if there is none");
const EVENT_ID: Param =
    Param::text("nhn-event-id", "the source's own id of the event; makes a repeat safe");

/// Of a read.
pub const READING: &[Param] = &[
    Param::text("If-None-Match", "`W/\"version\"`: 304 if this version is current"),
    Param::text("If-Modified-Since", "a date: 304 if nothing has changed since"),
];

/// Of a search.
pub const SEARCHING: &[Param] = &[PREFER_SEARCHING];

/// Of a create.
pub const CREATING: &[Param] = &[
    Param::text("If-None-Exist", "a search: create only if nothing matches"),
    PREFER_RETURN,
    EVENT_ID,
];

/// Of an update.
pub const UPDATING: &[Param] = &[IF_MATCH, IF_NONE_MATCH, PREFER_RETURN, EVENT_ID];

/// Of a patch.
pub const PATCHING: &[Param] = &[IF_MATCH, PREFER_RETURN, EVENT_ID];

/// Of a removal.
pub const REMOVING: &[Param] = &[IF_MATCH, PREFER_RETURN];

/// Of a Bundle.
pub const BUNDLING: &[Param] = &[PREFER_BUNDLING, EVENT_ID];

/// Of an asynchronous request.
pub const ASYNCHRONOUS: &[Param] = &[Param::choice(
    "Prefer",
    "that the answer may come later, and whether what is not supported refuses",
    &["respond-async", "respond-async, handling=strict", "respond-async, handling=lenient"],
)];

/// Of an OKT event.
pub const NAMING: &[Param] = &[EVENT_ID];

/// Of a CloudEvent in binary mode.
pub const EVENT: &[Param] = &[
    Param::text("ce-specversion", "`1.0`, in binary mode"),
    Param::text("ce-id", "the event's id, in binary mode"),
    Param::text("ce-source", "the event's source, in binary mode"),
    Param::text("ce-type", "the event's type, in binary mode"),
    Param::text("ce-time", "the event's time, in binary mode"),
];

/// A resource of the type in the address.
pub const A_RESOURCE: &[Content] = &[
    Content {
        media: FHIR_JSON,
        form: Form::Resource,
        example: Some(include_str!("examples/patient.json")),
    },
    Content { media: FHIR_XML, form: Form::Resource, example: None },
];

/// A resource of the source's, found by its identifier.
pub const A_MATCH: &[Content] = &[
    Content {
        media: FHIR_JSON,
        form: Form::Resource,
        example: Some(include_str!("examples/match.json")),
    },
    Content { media: FHIR_XML, form: Form::Resource, example: None },
];

/// A resource with an id.
pub const A_VERSION: &[Content] = &[
    Content {
        media: FHIR_JSON,
        form: Form::Resource,
        example: Some(include_str!("examples/version.json")),
    },
    Content { media: FHIR_XML, form: Form::Resource, example: None },
];

/// A change of parts.
pub const A_PATCH: &[Content] = &[
    Content {
        media: "application/json-patch+json",
        form: Form::Json("JsonPatch"),
        example: Some(include_str!("examples/json-patch.json")),
    },
    Content {
        media: FHIR_JSON,
        form: Form::Type("Parameters"),
        example: Some(include_str!("examples/fhirpath-patch.json")),
    },
];

/// Many changes.
pub const A_BUNDLE: &[Content] = &[
    Content {
        media: FHIR_JSON,
        form: Form::Type("Bundle"),
        example: Some(include_str!("examples/transaction.json")),
    },
    Content { media: FHIR_XML, form: Form::Type("Bundle"), example: None },
];

/// Parameters that could stand in the address.
pub const PARAMETERS: &[Content] =
    &[Content { media: FHIR_JSON, form: Form::Type("Parameters"), example: None }];

/// A search.
pub const A_SEARCH: &[Content] =
    &[Content { media: FORM, form: Form::Pairs, example: Some("_count=5&_sort=-_lastUpdated") }];

const CODE: Param = Param::text("code", "the code");
const SYSTEM: Param = Param::text("system", "address of the code system");
const URL: Param = Param::text("url", "address of the value set, code system or map");
const DISPLAY: Param = Param::text("display", "a text that may be the code's");
const SUBJECT: Param = Param::text("subject", "the Patient: `Patient/id`");
const PATIENT: Param = Param::text("patient", "the Patient: a logical id");

/// Of `$everything`.
pub const EVERYTHING: &[Param] = &[
    Param::text("start", "a date: what is from it or later"),
    Param::text("end", "a date: what is from it or earlier"),
    SINCE,
    Param::text("_type", "resource types, with commas between"),
    COUNT,
    FORMAT,
    PRETTY,
];

/// Of `$lastn`.
pub const LASTN: &[Param] = &[
    PATIENT,
    SUBJECT,
    Param::text("category", "`system|code`"),
    Param::text("code", "`system|code`"),
    Param::number("max", "most of each code"),
    FORMAT,
    PRETTY,
];

/// Of `$oversikt`.
pub const OVERSIKT: &[Param] = &[
    Param::choice(
        "kontekst",
        "the situation; the one that fits the caller where it is left out",
        &[
            "legevakt",
            "kad",
            "sykehjem",
            "hjemmesykepleie",
            "helsestasjon",
            "saksbehandler",
            "fastlege",
            "innbygger",
        ],
    ),
    Param::text("med", "keys of categories to add, with commas between"),
    Param::text("uten", "keys of categories to leave out"),
    Param::number("dager", "how many days back every section looks; 0 for all"),
    Param::choice("kilder", "whether other sources are asked", &["true", "false"]),
    FORMAT,
    PRETTY,
];

/// Of `$stats`.
pub const STATS: &[Param] = &[
    SUBJECT,
    CODE,
    SYSTEM,
    Param::text("duration", "hours up to now"),
    Param::text("statistic", "such as `average`, `maximum` or `count`"),
    Param::choice("include", "whether the measurements come along", &["true", "false"]),
    Param::number("limit", "most measurements that come along"),
    FORMAT,
    PRETTY,
];

/// Of `$validate`.
pub const VALIDATE: &[Param] = &[
    Param::choice("mode", "what it is validated for", &["create", "update", "delete", "profile"]),
    Param::text("profile", "address of a profile"),
    FORMAT,
    PRETTY,
];

/// Of `$expand`.
pub const EXPAND: &[Param] = &[
    URL,
    Param::text("filter", "words that a code or its text must hold"),
    Param::number("offset", "how many to pass over"),
    Param::number("count", "most codes"),
    Param::choice("activeOnly", "whether inactive codes are left out", &["true", "false"]),
    FORMAT,
    PRETTY,
];

/// Of `$validate-code` in a value set.
pub const IN_SET: &[Param] = &[URL, SYSTEM, CODE, DISPLAY, FORMAT, PRETTY];

/// Of `$validate-code` in a code system.
pub const IN_SYSTEM: &[Param] = &[URL, CODE, DISPLAY, FORMAT, PRETTY];

/// Of `$lookup`.
pub const LOOKUP: &[Param] =
    &[SYSTEM, CODE, Param::text("property", "a property to give"), FORMAT, PRETTY];

/// Of `$subsumes`.
pub const SUBSUMES: &[Param] = &[
    SYSTEM,
    Param::text("codeA", "the one code"),
    Param::text("codeB", "the other code"),
    FORMAT,
    PRETTY,
];

/// Of `$translate`.
pub const TRANSLATE: &[Param] = &[
    URL,
    SYSTEM,
    CODE,
    Param::text("source", "address of the value set the code is from"),
    Param::text("target", "address of the value set the answer is from"),
    Param::text("targetsystem", "address of the code system the answer is from"),
    Param::choice("reverse", "whether to translate back", &["true", "false"]),
    FORMAT,
    PRETTY,
];

/// A new version of a resource, or nothing for the one that is kept.
pub const A_VERSION_OR_NONE: &[Content] =
    &[Content { media: FHIR_JSON, form: Form::Resource, example: None }];

/// A change of what a resource says about itself.
pub const A_META: &[Content] = &[Content {
    media: FHIR_JSON,
    form: Form::Type("Parameters"),
    example: Some(include_str!("examples/meta.json")),
}];
