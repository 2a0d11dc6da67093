//! What to do about what was found, in words that an administrator of the org understands.

pub(super) const TOKEN_URL: &str = "check audience and token_url, and that this machine may reach it (firewall, proxy, certificates); then try again";

pub(super) const ADDRESS: &str = "check interaction_url: it is https://{my-domain}.my.salesforce-scrt.com, with the org's own My Domain; and that this \
     machine may reach it";

pub(super) const EVENT: &str = "check custom_platform_event: it is the event's API name with the org's namespace, such as acme__Routing__e; the event \
     must be in this org, and the user must have read access to it";

pub(super) const PUBSUB: &str =
    "check pubsub_endpoint and instance_url, and that this machine may reach them (port 7443)";

pub(super) const TENANT: &str = "check id and instance_url: they must be those of the org that the user belongs to, with its own My Domain";

pub(super) const SUBSCRIBE: &str = "give the user a permission set with read access to the platform event";

pub(super) const FIELDS: &str = "set custom_event_type_field and custom_event_payload_field to what the channel definition in the org has, with the \
     org's namespace";

/// What to do about a login that was refused (Salesforce: "OAuth Authorization Errors").
pub(super) fn of_login(error: &str, description: &str) -> &'static str {
    let description = description.to_ascii_lowercase();
    let says = |word: &str| description.contains(word);
    match error {
        "invalid_client_id" | "invalid_client" | "unauthorized_client" => {
            "check consumer_key: it is that of the connected app in this org; a new app is known after some ten minutes"
        }
        "invalid_app_access" => APPROVE,
        "invalid_grant" if says("approved") => APPROVE,
        "invalid_grant" if says("aud") => {
            "check audience: it is https://login.salesforce.com, for a sandbox https://test.salesforce.com"
        }
        "invalid_grant" if says("expired") => {
            "check this machine's clock: the login seems to come from another time"
        }
        "invalid_grant" if says("assertion") || says("signature") => {
            "check private_key_file: the connected app must have the certificate of this key, under Use Digital Signatures"
        }
        "inactive_user" => "activate the user in Setup, or name another in username",
        "inactive_org" => "the org is locked, suspended or has ended: ask Salesforce, or name another org",
        "unsupported_grant_type" => "allow the JWT bearer flow in the connected app, and check token_url",
        _ => "look the error up under Login History in Setup, where Salesforce says more of it",
    }
}

const APPROVE: &str = "in Setup, have the connected app's users pre-authorized by an administrator, and give the user's profile or a permission \
     set access to the app, with the scopes api, refresh_token and interaction_api; check username as well";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_a_login_has_its_own_advice() {
        for (error, description, advice) in [
            ("invalid_grant", "user hasn't approved this consumer", "pre-authorized"),
            ("invalid_app_access", "user is not admin approved to access this app", "pre-authorized"),
            ("invalid_client_id", "client identifier invalid", "consumer_key"),
            ("invalid_grant", "audience is invalid", "test.salesforce.com"),
            ("invalid_grant", "expired authorization code", "clock"),
            ("invalid_grant", "invalid assertion", "private_key_file"),
            ("inactive_user", "user is inactive", "activate"),
            ("inactive_org", "", "org"),
            ("something_new", "", "Login History"),
        ] {
            assert!(of_login(error, description).contains(advice), "{error}: {description}");
        }
    }
}
