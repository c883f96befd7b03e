//! The engine and the validator of octofhir, in this process.

use crate::answer::{Answer, Shown};
use crate::examples::Example;
use fhir::json;
use octofhir_fhirpath::core::ModelProvider;
use octofhir_fhirpath::{
    Collection, EvaluationContext, FhirPathEngine, FhirPathValue, create_function_registry,
};
use octofhir_fhirschema::embedded::{FhirVersion, get_schemas};
use octofhir_fhirschema::{EmbeddedSchemaProvider, FhirValidator};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// The engine, and the validator that uses it.
pub struct Octofhir {
    runtime: Runtime,
    model: Arc<dyn ModelProvider + Send + Sync>,
    engine: Arc<FhirPathEngine>,
    validator: FhirValidator,
}

impl Octofhir {
    /// With the model of R4 that it brings.
    pub fn new() -> Result<Octofhir, String> {
        let runtime = Builder::new_current_thread().build().map_err(|error| error.to_string())?;
        let model: Arc<dyn ModelProvider + Send + Sync> = Arc::new(EmbeddedSchemaProvider::r4());
        let registry = Arc::new(create_function_registry());
        let engine = runtime
            .block_on(FhirPathEngine::new(registry, Arc::clone(&model)))
            .map_err(|error| error.to_string())?;
        let engine = Arc::new(engine);
        let schemas = get_schemas(FhirVersion::R4).clone();
        let validator = FhirValidator::from_schemas(schemas, Some(engine.clone()));
        Ok(Octofhir { runtime, model, engine, validator })
    }

    /// Its answers about an example.
    pub fn answers<'e>(
        &self,
        example: &Example,
        expressions: impl Iterator<Item = &'e str>,
    ) -> Result<Vec<Answer>, String> {
        let resource = read(&example.text)?;
        self.runtime.block_on(async {
            let model = Some(Arc::clone(&self.model));
            let root = Collection::from_json_resource(resource, model).await;
            let root = root.map_err(|error| format!("{}: {error}", example.name))?;
            let mut answers = Vec::new();
            for expression in expressions {
                let model = Arc::clone(&self.model);
                let context = EvaluationContext::new(root.clone(), model, None, None, None);
                answers.push(match self.engine.evaluate(expression, &context).await {
                    Ok(found) => found.value.iter().map(shown).collect(),
                    Err(error) => Err(error.to_string()),
                });
            }
            Ok(answers)
        })
    }

    /// Why it refuses a resource; nothing if it does not.
    pub fn refuses(&self, text: &str) -> Result<Option<String>, String> {
        let resource = read(text)?;
        let kind = resource.get("resourceType").and_then(|kind| kind.as_str());
        let kinds = kind.map(|kind| vec![kind.to_owned()]).unwrap_or_default();
        let result = self.runtime.block_on(self.validator.validate(&resource, kinds));
        let why = result.errors.first().map(|error| {
            format!("{} {}", error.error_type, error.message.as_deref().unwrap_or_default())
        });
        Ok(why)
    }
}

/// Whether the engine can answer an expression: it resolves references over the network only.
pub fn can_answer(expression: &str) -> bool {
    !expression.contains("resolve()")
}

fn read(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn shown(item: &FhirPathValue) -> Result<Shown, String> {
    let info = item.type_info();
    let namespace = info.namespace.as_deref().unwrap_or("System");
    let name = match info.name.as_deref().unwrap_or(&info.type_name) {
        "datetime" => "dateTime",
        // It names nested elements by their paths.
        path if path.contains('.') => "Element",
        name => name,
    };
    let text = match item {
        FhirPathValue::Quantity { value, unit, code, system, .. } if namespace == "FHIR" => {
            let number = value.to_string();
            let number: serde_json::Value = read(&number)?;
            let members = serde_json::json!({
                "value": number, "unit": unit, "code": code, "system": system,
            });
            let members = members.as_object().into_iter().flatten();
            let written: serde_json::Map<_, _> = members
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            serde_json::to_string(&written)
        }
        other => serde_json::to_string(other),
    };
    let text = text.map_err(|error| error.to_string())?;
    let value = json::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(Shown::new(&format!("{namespace}.{name}"), &value))
}
