//! Slashes at the end of an address do not matter, and audience and token URL are two settings.

use std::sync::Arc;

use byoc_connector::interaction::{JwtBearer, JwtSettings, TokenSource as _};
use byoc_connector::model::time::SystemClock;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{fixture, org};

#[test]
fn slashes_at_the_end_of_an_orgs_addresses_do_not_matter() {
    let lines = "instance_url = 'https://acme.my.salesforce.com/'\n\
                 interaction_url = 'https://acme.my.salesforce-scrt.com//'\n\
                 pubsub_endpoint = 'https://api.pubsub.salesforce.com:7443/'\n\
                 audience = 'https://acme.my.salesforce.com/ '\n\
                 token_url = 'https://acme.my.salesforce.com/services/oauth2/token/'\n\
                 private_key_file = 'keys/sample-private-key.pem'";
    let org = org(lines, &[]).unwrap();
    let urls = [&org.instance_url, &org.interaction_url].into_iter().cloned();
    let more = [org.pubsub_endpoint, org.audience, org.token_url].into_iter().flatten();
    assert_eq!(
        urls.chain(more).collect::<Vec<_>>(),
        [
            "https://acme.my.salesforce.com",
            "https://acme.my.salesforce-scrt.com",
            "https://api.pubsub.salesforce.com:7443",
            "https://acme.my.salesforce.com",
            "https://acme.my.salesforce.com/services/oauth2/token"
        ]
    );
}

#[tokio::test]
async fn a_token_is_asked_for_where_token_url_says_and_for_the_audience_that_is_set() {
    let server = MockServer::start().await;
    let granted = ResponseTemplate::new(200).set_body_json(json!({ "access_token": "t" }));
    Mock::given(method("POST"))
        .and(path("/services/oauth2/token"))
        .respond_with(granted)
        .mount(&server)
        .await;
    let key = std::fs::read_to_string(fixture("keys/sample-private-key.pem")).unwrap();
    let settings = JwtSettings {
        audience: "https://acme.my.salesforce.com/".into(),
        token_url: Some(format!("{}/services/oauth2/token/", server.uri())),
        ..JwtSettings::new("key", "user@acme.example", key.into())
    };
    JwtBearer::new(settings, Arc::new(SystemClock)).unwrap().token().await.unwrap();
    let asked = server.received_requests().await.unwrap();
    let form = format!("http://localhost/?{}", std::str::from_utf8(&asked[0].body).unwrap());
    let form = reqwest::Url::parse(&form).unwrap();
    let (_, assertion) = form.query_pairs().find(|(name, _)| name == "assertion").unwrap();
    let claims =
        jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(assertion.as_ref()).unwrap().claims;
    assert_eq!(claims["aud"], "https://acme.my.salesforce.com");
}
