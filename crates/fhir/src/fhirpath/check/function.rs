//! What functions take and give.

use super::{Checker, Known, Result, error, known_type, narrowed, ordered};
use crate::fhirpath::model::{Kind, well_known};
use crate::fhirpath::syntax::{Call, Function, Term};

const TEXT: &[Kind] = &[Kind::STRING];
const NUMBER: &[Kind] = &[Kind::INTEGER, Kind::DECIMAL, Kind::QUANTITY];
const TRUTH: &[Kind] = &[Kind::BOOLEAN];
const WHOLE: &[Kind] = &[Kind::INTEGER];

impl Checker {
    pub(super) fn call(&self, call: &Call, this: &Known) -> Result<Known> {
        let input = self.term(&call.input, this)?;
        let name = call.function.name();
        use Function as F;
        match call.function {
            F::Where | F::Select | F::All | F::Exists | F::Repeat | F::Sort | F::Aggregate => {
                self.looping(call, &input)
            }
            F::Iif => self.iif(call, &input),
            F::Trace => {
                for (index, term) in call.arguments.iter().enumerate() {
                    self.term(term, if index == 0 { this } else { &input })?;
                }
                Ok(input)
            }
            F::Is => {
                call.of_type.as_ref().map_or(Ok(()), known_type)?;
                self.boolean(call, this)
            }
            F::As | F::OfType => {
                if call.function == F::As && input.many && input.kinds.is_some() {
                    return Err(error("`as()` takes one item: use `ofType()`".to_owned()));
                }
                match &call.of_type {
                    Some(wanted) => narrowed(&input, wanted),
                    None => Ok(input),
                }
            }
            F::First | F::Last | F::Tail | F::Skip | F::Take => {
                ordered(&input, name)?;
                self.arguments(call, this, WHOLE, 1)?;
                let one = matches!(call.function, F::First | F::Last);
                Ok(Known { many: input.many && !one, ..input })
            }
            F::Single => Ok(input.item()),
            F::Union | F::Combine => {
                let mut all = input;
                for argument in &call.arguments {
                    all = all.with(self.term(argument, this)?);
                }
                Ok(all)
            }
            F::Distinct | F::Exclude | F::Intersect | F::CheckModifiers => {
                self.arguments(call, this, &[], 8)?;
                Ok(input)
            }
            F::Children | F::Descendants => Ok(Known { kinds: None, many: true, ordered: false }),
            F::Extension => {
                self.arguments(call, this, TEXT, 1)?;
                Ok(Known { many: true, ..Known::one(well_known().extension) })
            }
            F::Resolve => Ok(Known { kinds: None, ..input }),
            F::GetValue => {
                let kinds = input.system();
                Ok(Known { kinds, ..input })
            }
            _ => self.scalar(call, &input, this),
        }
    }

    /// Functions that are read for each item.
    fn looping(&self, call: &Call, input: &Known) -> Result<Known> {
        let item = input.item();
        let mut first = Known::none();
        for (index, term) in call.arguments.iter().enumerate() {
            // A key with a minus before it sorts backwards, whatever its type.
            let term = match term {
                Term::Negative(key) if call.function == Function::Sort => key,
                other => other,
            };
            let known = self.term(term, &item)?;
            if index == 0 {
                first = known;
            }
        }
        Ok(match call.function {
            Function::Where => input.clone(),
            Function::Sort => Known { ordered: true, ..input.clone() },
            Function::Select => Known {
                many: first.many || input.many,
                ordered: first.ordered && input.ordered,
                ..first
            },
            Function::Repeat => {
                let again = call.arguments.first().map(|term| self.term(term, &first.item()));
                match again {
                    Some(Ok(again)) => first.with(again),
                    _ => Known { many: true, ..first },
                }
            }
            Function::Aggregate => Known::any(),
            _ => Known::one(Kind::BOOLEAN),
        })
    }

    fn iif(&self, call: &Call, input: &Known) -> Result<Known> {
        let this = input.item();
        let mut results = Known::none();
        for (index, term) in call.arguments.iter().enumerate() {
            if index == 0 {
                self.needs(term, &this, TRUTH, "iif")?;
            } else {
                results = results.with(self.term(term, &this)?);
            }
        }
        Ok(results)
    }

    /// Checks the first arguments for these types, any if there are none, and the rest.
    fn arguments(&self, call: &Call, this: &Known, wanted: &[Kind], first: usize) -> Result<()> {
        for (index, term) in call.arguments.iter().enumerate() {
            if index < first && !wanted.is_empty() {
                self.needs(term, this, wanted, call.function.name())?;
            } else {
                self.term(term, this)?;
            }
        }
        Ok(())
    }

    fn boolean(&self, call: &Call, this: &Known) -> Result<Known> {
        self.arguments(call, this, &[], 0)?;
        Ok(Known::one(Kind::BOOLEAN))
    }

    /// Functions that take one value and give values of a type that only the function says.
    fn scalar(&self, call: &Call, input: &Known, this: &Known) -> Result<Known> {
        use Function as F;
        let function = call.function;
        let (takes, argument, gives): (&[Kind], &[Kind], Kind) = match function {
            F::Count => (&[], &[], Kind::INTEGER),
            F::Type => (&[], &[], Kind::TYPE_INFO),
            F::IndexOf | F::LastIndexOf => (TEXT, TEXT, Kind::INTEGER),
            F::Length => (TEXT, &[], Kind::INTEGER),
            F::Substring => (TEXT, WHOLE, Kind::STRING),
            F::StartsWith | F::EndsWith | F::Contains | F::Matches | F::MatchesFull => {
                (TEXT, TEXT, Kind::BOOLEAN)
            }
            F::Upper | F::Lower | F::ToChars | F::Trim => (TEXT, &[], Kind::STRING),
            F::Replace | F::ReplaceMatches | F::Split | F::Join => (TEXT, TEXT, Kind::STRING),
            F::Encode | F::Decode | F::Escape | F::Unescape => (TEXT, TEXT, Kind::STRING),
            F::Ceiling | F::Floor | F::Truncate => (NUMBER, &[], Kind::INTEGER),
            F::Abs | F::Round | F::Power | F::LowBoundary | F::HighBoundary => {
                let takes =
                    if matches!(function, F::LowBoundary | F::HighBoundary) { &[] } else { NUMBER };
                self.takes(call, input, takes)?;
                self.arguments(call, this, NUMBER, 1)?;
                return Ok(Known { kinds: input.system(), many: false, ordered: true });
            }
            F::Exp | F::Ln | F::Log | F::Sqrt => (NUMBER, NUMBER, Kind::DECIMAL),
            F::Precision => (&[], &[], Kind::INTEGER),
            F::ToInteger => (&[], &[], Kind::INTEGER),
            F::ToDecimal => (&[], &[], Kind::DECIMAL),
            F::ToString => (&[], &[], Kind::STRING),
            F::ToDate | F::Today => (&[], &[], Kind::DATE),
            F::ToDateTime | F::Now => (&[], &[], Kind::DATE_TIME),
            F::ToTime | F::TimeOfDay => (&[], &[], Kind::TIME),
            F::ToQuantity => (&[], TEXT, Kind::QUANTITY),
            F::MemberOf | F::ConformsTo => (&[], TEXT, Kind::BOOLEAN),
            _ => (&[], &[], Kind::BOOLEAN),
        };
        self.takes(call, input, takes)?;
        self.arguments(call, this, argument, 2)?;
        let many = matches!(function, F::Split | F::ToChars);
        Ok(Known { many, ..Known::one(gives) })
    }

    fn takes(&self, call: &Call, input: &Known, wanted: &[Kind]) -> Result<()> {
        if wanted.is_empty() || input.may_be(wanted) {
            return Ok(());
        }
        Err(error(format!("`{}` does not take {}", call.function.name(), input.names())))
    }
}
