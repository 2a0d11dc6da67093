//! Checks exchanges against `openapi/interaction-service.yaml`. A path is the one on the wire, such as
//! `/api/v1/route`.

use std::sync::LazyLock;

use serde_json::{Value, json};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_yaml_ng::from_str(include_str!("../../../openapi/interaction-service.yaml")).expect("it is YAML")
});

/// Our description of the Interaction Service.
pub(crate) fn description() -> &'static Value {
    &DESCRIPTION
}

/// Fails with every way in which the body is not what the operation takes.
pub(crate) fn assert_request_conforms(method: &str, path: &str, body: &Value) {
    let problems = request_problems(method, path, body);
    assert!(problems.is_empty(), "{method} {path} with {body}:\n{}", problems.join("\n"));
}

/// Every way in which the body is not what the operation takes.
pub(crate) fn request_problems(method: &str, path: &str, body: &Value) -> Vec<String> {
    match body_schema(operation(method, path)) {
        Some(schema) => problems(schema, body),
        None => vec![format!("{method} {path} is not described")],
    }
}

/// The schema of an operation's JSON: its body, or the part `json` of its form.
pub(crate) fn body_schema(operation: &'static Value) -> Option<&'static Value> {
    let content = &operation["requestBody"]["content"];
    content.pointer("/application~1json/schema").or_else(|| {
        let form = resolve(content.pointer("/multipart~1form-data/schema")?);
        form.pointer("/properties/json")
    })
}

/// Fails with every way in which the body is not what the operation answers with that status.
pub(crate) fn assert_response_conforms(method: &str, path: &str, status: u16, body: &Value) {
    let responses = &operation(method, path)["responses"];
    let response = responses.get(status.to_string()).unwrap_or(&responses["default"]);
    let response = resolve(response);
    let schema = response.pointer("/content/application~1json/schema").expect("responses have a schema");
    let problems = problems(schema, body);
    assert!(problems.is_empty(), "{status} of {method} {path} with {body}:\n{}", problems.join("\n"));
}

/// The headers that the operation requires, each with the schema of its value. `Authorization` is not
/// among them: it is the description's security.
pub(crate) fn required_headers(method: &str, path: &str) -> Vec<(String, Value)> {
    let parameters = operation(method, path)["parameters"].as_array().expect("operations have parameters");
    let required = parameters.iter().map(resolve).filter(|p| p["in"] == "header" && p["required"] == true);
    required.map(|p| (p["name"].as_str().expect("names are text").to_owned(), p["schema"].clone())).collect()
}

/// Every way in which a value is not what a schema of the description wants.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let whole = json!({"allOf": [schema], "components": description()["components"]});
    let validator = jsonschema::validator_for(&whole).expect("the description's schemas are valid");
    validator.iter_errors(value).map(|error| format!("{} at '{}'", error, error.instance_path())).collect()
}

fn operation(method: &str, path: &str) -> &'static Value {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    &description()["paths"][path][method.to_lowercase()]
}

fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => description().pointer(pointer).expect("references lead somewhere"),
        None => value,
    }
}
