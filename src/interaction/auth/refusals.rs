//! What Salesforce says as it refuses a login, what that means, and what an administrator does about it, in
//! either kind of app: an External Client App, or a connected app from before Spring '26.
//!
//! From Salesforce's "OAuth 2.0 Authorization Errors", and from what people report of each. The words are ours.
//! `docs/errors/login.md` is written from here.

use reqwest::Url;

/// A way in which a login is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRefusal {
    /// OAuth's errors that it comes as; any, where there are none.
    pub errors: &'static [&'static str],
    /// Words of Salesforce's description, in lower case, one of which it has; any, where there are none.
    pub says: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
    /// What to do, where the app is an External Client App; or whatever it is, where `connected` is empty.
    pub external: &'static str,
    /// What to do instead, where it is a connected app.
    pub connected: &'static str,
}

/// All of them; the first that fits counts.
pub const ALL: &[KnownRefusal] = &[
    KnownRefusal {
        errors: &["app_not_found"],
        says: &["app is not installed", "app_not_found"],
        meaning: "This org has no External Client App with that consumer key; or the login went to the wrong \
                  host, such as login.salesforce.com or test.salesforce.com.",
        external: "set audience and token_url to the org's My Domain; check consumer_key; a new sandbox may not \
                   have the app: create it there, or install its package",
        connected: "",
    },
    KnownRefusal {
        errors: &["invalid_client_id", "invalid_client", "unauthorized_client"],
        says: &["client identifier invalid", "invalid client"],
        meaning: "No app with that consumer key is known, or not yet: a new one can take about 10 minutes to become \
                  active.",
        external: "check consumer_key: External Client App Manager, the app, Settings, OAuth Settings, Consumer Key \
                   and Secret; a sandbox's app has a different one than production's",
        connected: "App Manager, the app, View, Manage Consumer Details",
    },
    KnownRefusal {
        errors: &["invalid_app_access"],
        says: &["approved"],
        meaning: "The user is not approved for the app. Salesforce also says this if the login reached the host \
                  of another org.",
        external: "External Client App Manager, the app, Policies, Edit: set Permitted Users to Admin approved users \
                   are pre-authorized, and add the user's profile, or a permission set of the user's that has no \
                   Salesforce API Integration licence; the scopes must have refresh_token beside api and \
                   interaction_api; check username; where all of that is right, set token_url to the org's My Domain",
        connected: "App Manager, the app, Manage, Edit Policies: the same, then Manage Profiles or Manage Permission \
                    Sets",
    },
    KnownRefusal {
        errors: &[],
        says: &["ip restricted", "ip address", "login hours"],
        meaning: "The user may not log in from this address, or not at this hour. The JWT bearer flow always enforces \
                  the profile's Login IP Ranges, even with the app's IP Relaxation.",
        external: "add the address from which this machine reaches Salesforce to the Login IP Ranges of the user's \
                   profile, and check its Login Hours",
        connected: "",
    },
    KnownRefusal {
        errors: &[],
        says: &["audience"],
        meaning: "The assertion's audience (`aud`) is not accepted by this host. External Client Apps reportedly need \
                  the org's My Domain; connected apps need https://login.salesforce.com, in a sandbox \
                  https://test.salesforce.com.",
        external: "set audience to the org's My Domain, such as https://acme.my.salesforce.com",
        connected: "https://login.salesforce.com, or https://test.salesforce.com for a sandbox",
    },
    KnownRefusal {
        errors: &["inactive_user"],
        says: &["inactive user", "user is inactive", "user is not active"],
        meaning: "The integration user is deactivated or frozen.",
        external: "activate or unfreeze the user in Setup, Users, or name another in username",
        connected: "",
    },
    KnownRefusal {
        errors: &["inactive_org"],
        says: &["inactive org"],
        meaning: "The org is locked, suspended, or has ended.",
        external: "ask Salesforce, or name another org",
        connected: "",
    },
    KnownRefusal {
        errors: &[],
        says: &["not supported on this domain"],
        meaning: "The org forbids logins at login.salesforce.com and test.salesforce.com.",
        external: "set token_url to the org's My Domain, such as \
                   https://acme.my.salesforce.com/services/oauth2/token",
        connected: "",
    },
    KnownRefusal {
        errors: &["unsupported_grant_type"],
        says: &["grant type not supported"],
        meaning: "The app, or the server at token_url, does not support the JWT bearer flow.",
        external: "External Client App Manager, the app, Settings, OAuth Settings: select Enable JWT Bearer Flow; \
                   check that token_url ends in /services/oauth2/token",
        connected: "App Manager, the app, Edit: select Use digital signatures",
    },
    KnownRefusal {
        errors: &["invalid_scope"],
        says: &["scope"],
        meaning: "The app does not have the scopes for a login without a person.",
        external: "External Client App Manager, the app, Settings, OAuth Settings: select the scopes api, \
                   refresh_token (offline_access) and interaction_api",
        connected: "App Manager, the app, Edit, Selected OAuth Scopes: the same",
    },
    KnownRefusal {
        errors: &[],
        says: &["expired"],
        meaning: "The assertion's time is wrong.",
        external: "set this machine's clock, best by NTP",
        connected: "",
    },
    KnownRefusal {
        errors: &["invalid_assertion"],
        says: &["assertion", "signature", "certificate"],
        meaning: "The assertion is not signed by the key whose certificate the app has, or that certificate has \
                  expired.",
        external: "check private_key_file: External Client App Manager, the app, Settings, OAuth Settings, Enable JWT \
                   Bearer Flow must have the certificate of this key, under 4 KB",
        connected: "App Manager, the app, Edit, Use digital signatures",
    },
    KnownRefusal {
        errors: &["app_blocked", "oauth_app_blocked"],
        says: &["app_blocked", "blocked by admin", "app is blocked"],
        meaning: "An administrator has blocked the app.",
        external: "Setup, Connected Apps OAuth Usage: unblock the app",
        connected: "",
    },
];

/// What is said of a refusal that is not among them.
const UNKNOWN: &str = "see Login History in Setup for details";

/// How a token was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenAttempt<'a> {
    pub(super) audience: &'a str,
    pub(super) token_url: &'a Url,
    /// The org's My Domain, where it is known.
    pub(super) my_domain: Option<&'a str>,
}

/// The known refusal that an answer is.
pub(super) fn known(error: &str, description: &str) -> Option<&'static KnownRefusal> {
    let error = error.to_ascii_lowercase();
    let description = description.to_ascii_lowercase();
    let by_name = ALL.iter().find(|known| known.errors.contains(&error.as_str()));
    by_name.or_else(|| ALL.iter().find(|known| known.says.iter().any(|says| description.contains(says))))
}

/// What to do about a refusal.
pub(super) fn advice(error: &str, description: &str, asked: TokenAttempt<'_>) -> String {
    let Some(known) = known(error, description) else { return UNKNOWN.to_owned() };
    if known.says.contains(&"audience") {
        return asked.other_audience();
    }
    let mut advice = known.external.to_owned();
    if !known.connected.is_empty() {
        advice = format!("{advice}; in a connected app: {}", known.connected);
    }
    let wants_my_domain =
        known.errors.contains(&"app_not_found") || advice.contains("token_url to the org's");
    if let Some(my_domain) = asked.my_domain.filter(|_| wants_my_domain && asked.is_common()) {
        advice = format!("{advice}; the org's My Domain is {my_domain}");
    }
    advice
}

/// What to do where what answers is no token endpoint.
pub(super) fn not_an_endpoint(asked: TokenAttempt<'_>, redirected_to: Option<&Url>) -> String {
    let host = redirected_to
        .filter(|to| to.host() != asked.token_url.host())
        .map(|to| to.origin().ascii_serialization());
    match host.as_deref().or(asked.my_domain) {
        Some(host) => format!(
            "set token_url to {host}/services/oauth2/token, if it is not that already; otherwise look for a proxy or \
             firewall between this machine and Salesforce that answers in its place"
        ),
        None => "set token_url to https://{my-domain}.my.salesforce.com/services/oauth2/token; else look for a proxy \
                 or firewall between this machine and Salesforce that answers in its place"
            .to_owned(),
    }
}

impl TokenAttempt<'_> {
    /// Whether the login went to the host of all orgs.
    fn is_common(self) -> bool {
        is_common(self.audience) || self.token_url.host_str().is_some_and(is_common_host)
    }

    /// The audience to try instead.
    fn other_audience(self) -> String {
        if is_common(self.audience) {
            let my_domain = self.my_domain.unwrap_or("https://{my-domain}.my.salesforce.com");
            let common = if self.audience.contains("//test.") {
                "for a connected app of a production org it is https://login.salesforce.com"
            } else {
                "for a connected app of a sandbox it is https://test.salesforce.com"
            };
            return format!(
                "audience is {}; set it to the org's My Domain, {my_domain}, as External Client Apps need it; {common}",
                self.audience
            );
        }
        let mine = self.my_domain.unwrap_or(self.audience);
        let is_sandbox = mine.contains(".sandbox.") || mine.contains("--");
        let (first, second, kind) = if is_sandbox {
            ("https://test.salesforce.com", "https://login.salesforce.com", "a production org")
        } else {
            ("https://login.salesforce.com", "https://test.salesforce.com", "a sandbox")
        };
        if mine != self.audience {
            return format!(
                "audience is {}, which is not the org's My Domain; set it to {mine} (External Client App), or to {first} \
                 (connected app; for {kind} {second})",
                self.audience
            );
        }
        format!(
            "audience is {mine}; set it to {first}, or for {kind} to {second}, and leave token_url at the org's My Domain"
        )
    }
}

fn is_common(url: &str) -> bool {
    Url::parse(url).ok().is_some_and(|url| url.host_str().is_some_and(is_common_host))
}

fn is_common_host(host: &str) -> bool {
    host == "login.salesforce.com" || host == "test.salesforce.com"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: &str, description: &str, audience: &str) -> String {
        let token_url = Url::parse(&format!("{audience}/services/oauth2/token")).unwrap();
        let my_domain = Some("https://acme.my.salesforce.com");
        advice(error, description, TokenAttempt { audience, token_url: &token_url, my_domain })
    }

    #[test]
    fn a_sandbox_is_told_of_its_own_login_first() {
        let sandbox = "https://acme--uat.sandbox.my.salesforce.com";
        let token_url = Url::parse(&format!("{sandbox}/services/oauth2/token")).unwrap();
        let asked = TokenAttempt { audience: sandbox, token_url: &token_url, my_domain: Some(sandbox) };
        let told = advice("invalid_grant", "audience is invalid", asked);
        assert!(told.contains("set it to https://test.salesforce.com, or for a production org"), "{told}");
    }

    #[test]
    fn each_refusal_has_its_own_advice() {
        for (error, description, words) in [
            ("app_not_found", "External client app is not installed in this org", "is https://acme.my.sales"),
            ("invalid_client_id", "client identifier invalid", "check consumer_key"),
            ("invalid_client", "invalid client credentials", "Manage Consumer Details"),
            ("invalid_app_access", "user is not admin approved to access this app", "Permitted Users"),
            ("invalid_grant", "user hasn't approved this consumer", "API Integration licence"),
            ("invalid_grant", "ip restricted", "Login IP Ranges"),
            ("invalid_grant", "ip restricted or invalid login hours", "Login Hours"),
            ("invalid_grant", "expired authorization code", "clock"),
            ("invalid_grant", "invalid assertion", "private_key_file"),
            ("invalid_assertion", "", "private_key_file"),
            ("invalid_grant", "request not supported on this domain", "set token_url"),
            ("inactive_user", "user is inactive", "activate"),
            ("invalid_grant", "inactive user", "activate"),
            ("inactive_org", "", "another org"),
            ("unsupported_grant_type", "grant type not supported", "Enable JWT Bearer Flow"),
            ("invalid_request", "refresh token scope is required", "refresh_token"),
            ("invalid_grant", "authentication failure", "Login History"),
            ("something_new", "", "Login History"),
        ] {
            let told = told(error, description, "https://login.salesforce.com");
            assert!(told.contains(words), "{error}, {description}: {told}");
        }
    }

    #[test]
    fn an_audience_that_is_not_taken_names_the_other_ones() {
        for description in ["audience is invalid", "Audience validation failed"] {
            for (audience, others) in [
                (
                    "https://login.salesforce.com",
                    ["set it to the org's My Domain, https://acme.my.salesforce.com", "https://test.sal"],
                ),
                ("https://test.salesforce.com", ["https://acme.my.salesforce.com", "https://login.sales"]),
                ("https://acme.my.salesforce.com", ["set it to https://login.sales", "https://test.sales"]),
                (
                    "https://acme--uat.sandbox.my.salesforce.com",
                    ["not the org's My Domain; set it to https://acme.my.sales", "or to https://login.sales"],
                ),
            ] {
                let told = told("invalid_grant", description, audience);
                for other in others {
                    assert!(told.contains(other), "{audience}: {told}");
                }
            }
        }
    }
}
