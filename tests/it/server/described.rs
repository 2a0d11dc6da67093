//! Every answer is one that `openapi/connector.yaml` describes, and what it describes is there.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::rig::{Rig, loopback};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    serde_yaml_ng::from_str(include_str!("../../../openapi/connector.yaml")).expect("it is YAML")
});

/// What every operation can answer, without each saying so.
const EVERYWHERE: [u16; 5] = [400, 405, 414, 500, 503];

fn paths() -> impl Iterator<Item = (&'static String, &'static Value)> {
    DESCRIPTION["paths"].as_object().unwrap().iter()
}

/// The path as described, `/v1/reps/{id}` for `/v1/reps/005…`.
fn described(path: &str) -> Option<&'static Value> {
    let path: axum::http::Uri = path.parse().unwrap();
    let path = path.path();
    paths()
        .find(|(known, _)| {
            let (known, path): (Vec<_>, Vec<_>) = (known.split('/').collect(), path.split('/').collect());
            known.len() == path.len()
                && known
                    .iter()
                    .zip(&path)
                    .all(|(known, part)| known == part || (known.starts_with('{') && !part.is_empty()))
        })
        .map(|(_, operations)| operations)
}

fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => DESCRIPTION.pointer(pointer).expect("references lead somewhere"),
        None => value,
    }
}

fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let whole = json!({"allOf": [schema], "components": DESCRIPTION["components"]});
    let validator = jsonschema::validator_for(&whole).expect("the description's schemas are valid");
    validator.iter_errors(value).map(|error| format!("{} at '{}'", error, error.instance_path())).collect()
}

/// Every way in which a value is not what that schema of the description wants.
pub(super) fn schema_problems(name: &str, value: &Value) -> Vec<String> {
    problems(&json!({ "$ref": format!("#/components/schemas/{name}") }), value)
}

/// Fails where an answer is not as described. `body` is none where it is not JSON.
pub(super) fn assert_described(
    method: &Method,
    path: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) {
    let at = format!("{method} {path}: {status}");
    let kind = headers.get("content-type").map(|kind| kind.to_str().unwrap().split(';').next().unwrap());
    let json = || serde_json::from_slice::<Value>(body).unwrap_or_else(|error| panic!("{at}: {error}"));
    let operation = described(path).and_then(|operations| operations.get(method.as_str().to_lowercase()));
    let response = operation.and_then(|operation| operation["responses"].get(status.as_str()));
    let Some(response) = response else {
        let everywhere = EVERYWHERE.contains(&status.as_u16());
        assert!(everywhere || (status == 404 && described(path).is_none()), "{at} is not described");
        assert_eq!(schema_problems("Error", &json()), [""; 0], "{at} with {}", json());
        return;
    };
    let content = resolve(response)["content"].as_object().expect("answers have content");
    let kind = kind.unwrap_or_else(|| panic!("{at} has no content type"));
    let described = content.get(kind).unwrap_or_else(|| panic!("{at} is not described as {kind}"));
    if kind == "application/json" {
        let problems = problems(&described["schema"], &json());
        assert!(problems.is_empty(), "{at} with {}:\n{}", json(), problems.join("\n"));
    }
}

#[tokio::test]
async fn every_operation_that_is_described_exists() {
    let rig = Rig::new(loopback()).await;
    let mut found = BTreeSet::new();
    for (path, operations) in paths() {
        for (method, _) in
            operations.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters")
        {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", "005000000000001");
            let answer = rig.ask(method.clone(), &path).body("").send().await;
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(
                answer.status != 404 || answer.body["field"] != Value::Null,
                "{method} {path}: {}",
                answer.body
            );
            found.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(found.len(), 36, "{found:?}");
}

#[tokio::test]
async fn a_method_that_is_not_described_is_not_taken() {
    let rig = Rig::new(loopback()).await;
    for (path, operations) in paths() {
        let path = path.replace("{id}", "005000000000001");
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            if operations.get(method.as_str().to_lowercase()).is_some() {
                continue;
            }
            let answer = rig.ask(method.clone(), &path).send().await;
            assert_eq!(answer.status, 405, "{method} {path}");
            let allowed = answer.headers.get("allow").expect("it says which").to_str().unwrap();
            for (known, _) in operations.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
            {
                assert!(allowed.contains(&known.to_uppercase()), "{path}: {allowed}");
            }
        }
    }
}

#[test]
fn every_example_is_as_described() {
    let mut checked = 0;
    let mut check = |at: &str, content: &'static Value| {
        for (kind, media) in content.as_object().into_iter().flatten() {
            if kind == "application/json" {
                let example = media.get("example").unwrap_or_else(|| panic!("{at} has no example"));
                let problems = problems(&media["schema"], example);
                assert!(problems.is_empty(), "{at}: {}", problems.join("\n"));
                checked += 1;
            }
        }
    };
    for (path, operations) in paths() {
        for (method, operation) in operations.as_object().unwrap() {
            check(&format!("{method} {path}"), &operation["requestBody"]["content"]);
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                check(&format!("{method} {path}: {status}"), &resolve(response)["content"]);
            }
        }
    }
    assert!(checked > 50, "only {checked} were found");
}

#[test]
fn every_operation_says_who_may_call_it() {
    let open = ["/healthz", "/readyz", "/connector", "/connector/connector.js", "/connector/connector.css"];
    for (path, operations) in paths() {
        for (method, operation) in
            operations.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters")
        {
            let says = operation.get("security").is_some();
            assert_eq!(says, !open.contains(&path.as_str()), "{method} {path}");
            assert_eq!(operation["responses"].get("401").is_some(), says, "{method} {path}");
            assert!(
                operation["operationId"].is_string() && operation["summary"].is_string(),
                "{method} {path}"
            );
        }
    }
}
