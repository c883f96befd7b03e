//! Texts for people: Fluent messages in `texts/nb.ftl`, one message for each thing said.
//!
//! A message that is missing shows its own key; tests see to it that none is.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// Bokmål.
const NB: &str = include_str!("../texts/nb.ftl");

static BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    // The file is part of the binary and a test parses it; what a parser can save is still shown.
    let resource = match FluentResource::try_new(NB.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    let mut bundle = FluentBundle::new_concurrent(vec!["nb".parse().unwrap_or_default()]);
    // The marks around arguments are for mixed writing directions, which Norwegian pages lack.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
});

/// An argument of a message.
pub type Argument<'a> = (&'a str, FluentValue<'a>);

/// The text of a message, or of its attribute where the key is `message.attribute`.
pub fn get(key: &str) -> String {
    with(key, &[])
}

/// The text of a message with arguments.
pub fn with(key: &str, arguments: &[Argument<'_>]) -> String {
    find(key, arguments).unwrap_or_else(|| key.to_owned())
}

/// The text of a message, if there is one and its arguments suffice.
pub fn find(key: &str, arguments: &[Argument<'_>]) -> Option<String> {
    let (id, attribute) = match key.split_once('.') {
        Some((id, attribute)) => (id, Some(attribute)),
        None => (key, None),
    };
    let message = BUNDLE.get_message(id)?;
    let pattern = match attribute {
        Some(name) => message.get_attribute(name)?.value(),
        None => message.value()?,
    };
    let arguments: FluentArgs<'_> = arguments.iter().cloned().collect();
    let mut errors = Vec::new();
    let text = BUNDLE.format_pattern(pattern, Some(&arguments), &mut errors).into_owned();
    errors.is_empty().then_some(text)
}

/// What templates use as `"key"|t`.
pub(crate) mod filters {
    /// The text of a message; a missing one shows its key.
    #[askama::filter_fn]
    pub fn t<T: AsRef<str>>(key: T, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(super::get(key.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_texts_has_no_errors() {
        assert_eq!(
            FluentResource::try_new(NB.to_owned()).map_err(|(_, errors)| errors).err(),
            None
        );
    }

    #[test]
    fn a_message_with_too_few_arguments_is_not_found() {
        assert_eq!(find("time-ago-minutes", &[]), None);
        let one = find("time-ago-minutes", &[("n", 1.into())]);
        assert_eq!(one.as_deref(), Some("for 1 minutt siden"));
    }
}
