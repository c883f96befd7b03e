//! Asks other people's engines what ours is asked, and tells where the answers differ.
//!
//! `cargo xtask oracles` runs it. `differences.txt` lists every difference with the reason; one that is not
//! listed fails, and so does a line that no longer holds.

mod answer;
mod differences;
mod examples;
mod expressions;
mod node;
mod octofhir;
mod random;

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

fn run() -> Result<(), String> {
    let (examples, left_out) = examples::examples()?;
    println!("{} examples; {left_out} large ones and ones alike left out", examples.len());
    let mut differences = Differences::default();
    let mut published = expressions::search_parameters()?;
    published.extend(expressions::invariants()?);
    ask("of R4", &published, &examples, &mut differences)?;
    ask("over elements", &random::over_elements(), &examples, &mut differences)?;
    ask(
        "over values",
        &random::over_values(),
        examples.get(..1).unwrap_or_default(),
        &mut differences,
    )?;
    differences.judge()
}

/// Asks every expression of every example it is for, and says how many answers there were.
fn ask(
    what: &str,
    asked: &[Asked],
    examples: &[Example],
    into: &mut Differences,
) -> Result<(), String> {
    let before = into.count();
    let count = compare(asked, examples, into)?;
    let (asked, differ) = (asked.len(), into.count() - before);
    println!("fhirpath.js: {asked} expressions {what}, {count} answers, {differ} differ");
    Ok(())
}

fn compare(asked: &[Asked], examples: &[Example], into: &mut Differences) -> Result<usize, String> {
    let mut node = Node::start(asked.iter().map(|asked| asked.text.as_str()))?;
    let mut count = 0;
    for example in examples {
        let numbers: Vec<usize> =
            (0..asked.len()).filter(|number| asked[*number].is_for(example)).collect();
        node.ask(example, &numbers)?;
        let ours: Vec<_> = numbers.iter().map(|number| asked[*number].answer(example)).collect();
        let theirs = node.read()?;
        if theirs.len() != ours.len() {
            return Err(format!("{}: {} answers of {}", example.name, theirs.len(), ours.len()));
        }
        for ((number, ours), theirs) in numbers.iter().zip(ours).zip(theirs) {
            let asked = &asked[*number];
            let (ours, theirs) = (asked.compared(ours), asked.compared(theirs));
            count += 1;
            if let Some(kind) = answer::difference(&ours, &theirs) {
                into.add("fhirpath.js", &asked.name, kind, || {
                    let (ours, theirs) = answer::apart(&ours, &theirs);
                    let name = &example.name;
                    format!("{name}: {}\n    ours   {ours}\n    theirs {theirs}", asked.text)
                });
            }
        }
    }
    node.finish()?;
    Ok(count)
}
