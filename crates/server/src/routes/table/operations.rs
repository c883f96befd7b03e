//! The operations of FHIR on records, codes and any resource.

use axum::routing::on;

use super::parameters::{
    A_META, A_RESOURCE, A_VERSION_OR_NONE, EVERYTHING, EXPAND, FORMS, IN_SET, IN_SYSTEM, LASTN,
    LOOKUP, OVERSIKT, PARAMETERS, STATS, SUBSUMES, TRANSLATE, VALIDATE,
};
use super::{KEEPERS, READERS, SYSTEMS};
use crate::routes::endpoint::Act::Operation;
use crate::routes::endpoint::Verb::{Get, Post};
use crate::routes::endpoint::{Caller, Endpoint, Form, Param};
use crate::routes::fhir::operation;
use crate::routes::fhir::operation::{codes, resource, subscriptions};

const BUNDLE: &[(u16, Form)] = &[(200, Form::Type("Bundle"))];
const ANSWERED: &[(u16, Form)] = &[(200, Form::Type("Parameters"))];
const OUTCOME: &[(u16, Form)] = &[(200, Form::Type("OperationOutcome"))];
const VALUE_SET: &[(u16, Form)] = &[(200, Form::Type("ValueSet"))];
const DEFINITION: &[(u16, Form)] = &[(200, Form::Type("OperationDefinition"))];

const MISSED: &[Param] = &[
    Param::number("eventsSinceNumber", "the first event wanted; 1 where it is left out"),
    Param::number("eventsUntilNumber", "the last event wanted"),
];

/// In the order they are told of.
pub const ROWS: &[Endpoint] = &[
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Patient/{id}/$everything",
        "everything",
        "Everything about a person that the caller may see, the Patient first, in pages",
        |with| on(with, operation::everything),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Patient-everything")])
    .callers(READERS)
    .query(EVERYTHING)
    .takes(PARAMETERS)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Patient/{id}/$oversikt",
        "oversikt",
        "One picture of a person for a situation, from what is kept here and what other sources hold",
        |with| on(with, operation::oversikt),
    )
    .acts(&[Operation("https://fkj.no/fhir/OperationDefinition/oversikt")])
    .callers(READERS)
    .query(OVERSIKT)
    .takes(PARAMETERS)
    .answers(BUNDLE),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/Patient/{id}/$emergency-access",
        "emergency-access",
        "Open what the patient has withheld, in an emergency: `reason`, and `hours`, at most 8",
        |with| on(with, operation::emergency_access),
    )
    .acts(&[Operation("https://fkj.no/fhir/OperationDefinition/emergency-access")])
    .callers(&[Caller::Practitioner])
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/Subscription/{id}/$status",
        "subscription-status",
        "How a subscription of the caller's own is: active or failing, and the number of its last event",
        |with| on(with, subscriptions::status),
    )
    .acts(&[Operation(
        "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status",
    )])
    .callers(SYSTEMS)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/Subscription/{id}/$events",
        "subscription-events",
        "What a subscription of the caller's own has been told of, for whoever missed some",
        |with| on(with, subscriptions::events),
    )
    .acts(&[Operation(
        "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-events",
    )])
    .callers(SYSTEMS)
    .query(MISSED)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Observation/$lastn",
        "lastn",
        "The newest measurements of each code",
        |with| on(with, operation::lastn),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Observation-lastn")])
    .callers(READERS)
    .query(LASTN)
    .takes(PARAMETERS)
    .answers(BUNDLE),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/Observation/$stats",
        "stats",
        "Statistics for each code and unit",
        |with| on(with, operation::stats),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Observation-stats")])
    .callers(READERS)
    .query(STATS)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/{kind}/$validate",
        "validate",
        "What a write would say; nothing is kept",
        |with| on(with, resource::validate),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Resource-validate")])
    .callers(READERS)
    .query(VALIDATE)
    .takes(A_RESOURCE)
    .answers(OUTCOME),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/{kind}/{id}/$validate",
        "validate-one",
        "The same of a stored resource, or of a new version of it",
        |with| on(with, resource::validate),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Resource-validate")])
    .callers(READERS)
    .query(VALIDATE)
    .takes(A_VERSION_OR_NONE)
    .answers(OUTCOME),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/{kind}/{id}/$meta",
        "meta",
        "Profiles, tags and security labels",
        |with| on(with, resource::meta),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Resource-meta")])
    .callers(READERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/{kind}/$meta",
        "meta-of-type",
        "Profiles, tags and security labels in use in one type",
        |with| on(with, resource::meta_in_use),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Resource-meta")])
    .callers(KEEPERS)
    .query(FORMS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/$meta",
        "meta-of-all",
        "Profiles, tags and security labels in use",
        |with| on(with, resource::meta_in_use),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Resource-meta")])
    .callers(KEEPERS)
    .query(FORMS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/{kind}/{id}/$meta-add",
        "meta-add",
        "Add profiles, tags and security labels: a new version",
        |with| on(with, resource::meta_add),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Resource-meta-add")])
    .callers(SYSTEMS)
    .takes(A_META)
    .answers(ANSWERED),
    Endpoint::new(
        &[Post],
        "/{kommune}/fhir/{kind}/{id}/$meta-delete",
        "meta-delete",
        "Remove profiles, tags and security labels: a new version",
        |with| on(with, resource::meta_delete),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/Resource-meta-delete")])
    .callers(SYSTEMS)
    .takes(A_META)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/ValueSet/$expand",
        "expand",
        "The codes of a value set",
        |with| on(with, codes::expand),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/ValueSet-expand")])
    .callers(READERS)
    .query(EXPAND)
    .takes(PARAMETERS)
    .answers(VALUE_SET),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/ValueSet/{id}/$expand",
        "expand-one",
        "The codes of a value set that is kept here",
        |with| on(with, codes::expand),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/ValueSet-expand")])
    .callers(READERS)
    .query(EXPAND)
    .takes(PARAMETERS)
    .answers(VALUE_SET),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/ValueSet/$validate-code",
        "validate-in-set",
        "Whether a code is in a value set",
        |with| on(with, codes::validate_in_set),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code")])
    .callers(READERS)
    .query(IN_SET)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/ValueSet/{id}/$validate-code",
        "validate-in-one-set",
        "Whether a code is in a value set that is kept here",
        |with| on(with, codes::validate_in_set),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code")])
    .callers(READERS)
    .query(IN_SET)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/CodeSystem/$validate-code",
        "validate-in-system",
        "Whether a code is in a code system",
        |with| on(with, codes::validate_in_system),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code")])
    .callers(READERS)
    .query(IN_SYSTEM)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/CodeSystem/{id}/$validate-code",
        "validate-in-one-system",
        "Whether a code is in a code system that is kept here",
        |with| on(with, codes::validate_in_system),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code")])
    .callers(READERS)
    .query(IN_SYSTEM)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/CodeSystem/$lookup",
        "lookup",
        "What is known of a code",
        |with| on(with, codes::lookup),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup")])
    .callers(READERS)
    .query(LOOKUP)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/CodeSystem/$subsumes",
        "subsumes",
        "What one code is to another",
        |with| on(with, codes::subsumes),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes")])
    .callers(READERS)
    .query(SUBSUMES)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/ConceptMap/$translate",
        "translate",
        "What a code is in another system",
        |with| on(with, codes::translate),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/ConceptMap-translate")])
    .callers(READERS)
    .query(TRANSLATE)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get, Post],
        "/{kommune}/fhir/ConceptMap/{id}/$translate",
        "translate-by-one",
        "What a code is in another system, by a map that is kept here",
        |with| on(with, codes::translate),
    )
    .acts(&[Operation("http://hl7.org/fhir/OperationDefinition/ConceptMap-translate")])
    .callers(READERS)
    .query(TRANSLATE)
    .takes(PARAMETERS)
    .answers(ANSWERED),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/OperationDefinition/kommunale-tjenester",
        "definition-of-overview",
        "Definition of `$kommunale-tjenester`",
        |with| on(with, operation::definition_of_overview),
    )
    .query(FORMS)
    .answers(DEFINITION),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/OperationDefinition/oversikt",
        "definition-of-oversikt",
        "Definition of `$oversikt`",
        |with| on(with, operation::definition_of_oversikt),
    )
    .query(FORMS)
    .answers(DEFINITION),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/OperationDefinition/news2",
        "definition-of-news2",
        "Definition of `$news2`",
        |with| on(with, operation::definition_of_news2),
    )
    .query(FORMS)
    .answers(DEFINITION),
    Endpoint::new(
        &[Get],
        "/{kommune}/fhir/OperationDefinition/emergency-access",
        "definition-of-emergency-access",
        "Definition of `$emergency-access`",
        |with| on(with, operation::definition_of_emergency_access),
    )
    .query(FORMS)
    .answers(DEFINITION),
];
