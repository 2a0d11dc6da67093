//! A login that is refused: each answer is called what it is, with what to set, in either kind of app.

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::doctor::{findings, only_problem, world};

/// What answers where tokens are asked for.
async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn refusal(error: &str, description: &str) -> ResponseTemplate {
    let body = serde_json::json!({ "error": error, "error_description": description });
    ResponseTemplate::new(400).set_body_json(body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_is_named_with_what_to_do_in_either_kind_of_app() {
    let world = world().await;
    let instance = format!("http://{}", world.address());
    let app = "External Client App Manager";
    for (error, description, words) in [
        ("app_not_found", "External client app is not installed in this org", ["set audience", "My Domain"]),
        ("invalid_client_id", "client identifier invalid", [app, "in a connected app"]),
        ("invalid_app_access", "user is not admin approved to access this app", [app, "Permitted Users"]),
        ("invalid_grant", "user hasn't approved this consumer", [app, "Manage Permission Sets"]),
        ("invalid_grant", "ip restricted", ["Login IP Ranges", "profile"]),
        ("invalid_grant", "audience is invalid", [instance.as_str(), "https://test.salesforce.com"]),
        ("invalid_grant", "invalid assertion", ["Enable JWT Bearer Flow", "Use digital signatures"]),
        ("inactive_user", "user is inactive", ["activate or unfreeze", "username"]),
        ("unsupported_grant_type", "grant type not supported", [app, "in a connected app"]),
        ("invalid_grant", "request not supported on this domain", ["set token_url", "My Domain"]),
    ] {
        let server = answering(refusal(error, description)).await;
        let url = [("BYOC_ORG_TOKEN_URL", &*format!("{}/token", server.uri()))];
        let wanted = [&words[..], &[error, description]].concat();
        only_problem(&world, &url, "token", &wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_token_endpoint_is_called_what_it_is() {
    let world = world().await;
    let page = |status| ResponseTemplate::new(status).set_body_raw("<html>Log in</html>", "text/html");
    let to = "https://acme.my.salesforce.com/services/oauth2/token";
    for (answer, words) in [
        (page(200), ["HTTP 200, with an HTML page", "set token_url"]),
        (page(403), ["HTTP 403, with an HTML page", "a proxy or firewall"]),
        (ResponseTemplate::new(403), ["HTTP 403, without a body", "set token_url"]),
        (
            ResponseTemplate::new(302).insert_header("location", to),
            ["it redirects (HTTP 302) to https://acme", to],
        ),
        (page(503), ["HTTP 503, with an HTML page", "check audience and token_url"]),
    ] {
        let server = answering(answer).await;
        let url = [("BYOC_ORG_TOKEN_URL", &*format!("{}/token", server.uri()))];
        only_problem(&world, &url, "token", &words);
        let all = findings(&world, &url);
        assert!(all.iter().all(|(.., told)| !told.contains(": :") && !told.contains(": >")), "{all:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_connector_says_it_too() {
    let world = world().await;
    let server = answering(refusal("invalid_grant", "audience is invalid")).await;
    let serve = world.serve_with(&[("BYOC_ORG_TOKEN_URL", &format!("{}/token", server.uri()))]);
    let told = serve.until_said("token", "audience is invalid").await;
    assert!(told.contains(&format!("My Domain, http://{}", world.address())), "{told}");
}
