//! Asks other people's engines what ours is asked, and tells where the answers differ.
//!
//! `cargo xtask oracles` runs it. `differences.txt` lists every difference with the reason; one that is not
//! listed fails, and so does a line that no longer holds.

mod answer;
mod differences;
mod examples;
mod expressions;
#[path = "../../crates/fhir/tests/mutation/mod.rs"]
#[expect(dead_code, reason = "its samples are for the tests of the crate")]
mod mutation;
mod node;
mod octofhir;
mod random;
mod validation;

use answer::Answer;
use differences::Differences;
use examples::Example;
use expressions::Asked;
use node::Node;
use octofhir::Octofhir;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The second engine is asked of one example in so many, since it takes its time.
const ONE_IN: usize = 4;

fn run() -> Result<(), String> {
    let (examples, left_out) = examples::examples()?;
    println!("{} examples; {left_out} large ones and ones alike left out", examples.len());
    let mut differences = Differences::default();
    let mut published = expressions::search_parameters()?;
    published.extend(expressions::invariants()?);
    let first = examples.get(..1).unwrap_or_default();
    let (elements, values) = (random::over_elements(), random::over_values());
    let sets = [
        ("of R4", &published, &examples[..]),
        ("over elements", &elements, &examples[..]),
        ("over values", &values, first),
    ];
    for (what, asked, examples) in sets {
        let mut node = Node::start(asked.iter().map(|asked| asked.text.as_str()))?;
        let mut ask = |example: &Example, numbers: &[usize]| node.answers(example, numbers);
        compare(("fhirpath.js", what), asked, examples.iter(), &mut ask, &mut differences)?;
        node.finish()?;
    }
    let octofhir = Octofhir::new()?;
    let asked = published.into_iter().filter(|asked| octofhir::can_answer(&asked.text));
    let asked: Vec<Asked> = asked.collect();
    let mut ask = |example: &Example, numbers: &[usize]| {
        octofhir.answers(example, numbers.iter().map(|number| asked[*number].text.as_str()))
    };
    let some = examples.iter().step_by(ONE_IN);
    compare(("octofhir", "of R4"), &asked, some, &mut ask, &mut differences)?;
    validation::compare(&octofhir, &examples, &mut differences)?;
    differences.judge()
}

/// Asks every expression of every example it is for, and says how many answers there were.
fn compare<'e>(
    (oracle, what): (&str, &str),
    asked: &[Asked],
    examples: impl Iterator<Item = &'e Example>,
    oracles: &mut dyn FnMut(&Example, &[usize]) -> Result<Vec<Answer>, String>,
    into: &mut Differences,
) -> Result<(), String> {
    let (mut count, before) = (0, into.count());
    for example in examples {
        let numbers: Vec<usize> =
            (0..asked.len()).filter(|number| asked[*number].is_for(example)).collect();
        let theirs = oracles(example, &numbers)?;
        if theirs.len() != numbers.len() {
            return Err(format!("{oracle}: {} answers of {}", theirs.len(), numbers.len()));
        }
        for (number, theirs) in numbers.iter().zip(theirs) {
            let asked = &asked[*number];
            let (ours, theirs) = (asked.compared(asked.answer(example)), asked.compared(theirs));
            count += 1;
            if let Some(kind) = answer::difference(&ours, &theirs) {
                into.add(oracle, &asked.name, kind, || {
                    let (ours, theirs) = answer::apart(&ours, &theirs);
                    let name = &example.name;
                    format!("{name}: {}\n    ours   {ours}\n    theirs {theirs}", asked.text)
                });
            }
        }
    }
    let (asked, differ) = (asked.len(), into.count() - before);
    println!("{oracle}: {asked} expressions {what}, {count} answers, {differ} differ");
    Ok(())
}
