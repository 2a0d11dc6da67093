//! Whether Salesforce lets us in, and whether our clock would keep us out.

use std::time::Duration;

use reqwest::header::DATE;

use super::{Finding, Step, words};
use crate::config::Org;
use crate::interaction::{JwtSettings, TokenSource as _};
use crate::model::time::{Clock, Timestamp};
use crate::outbound::{http_for, in_full, secret_worthy_url};
use crate::service::OrgPlan;

/// How far the clocks may be apart. A token is asked for with a claim that is good for three minutes.
const SKEW: Duration = Duration::from_secs(60);

/// How long the token endpoint may take to tell the time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Compares this machine's clock with that of the token endpoint.
pub(super) async fn clock(org: &Org, clock: &dyn Clock) -> Finding {
    let problem = |found: String, advice: &str| Finding::problem(&org.place, Step::Clock, found, advice);
    let url = token_url(org);
    let theirs = match asked_for_the_time(&url).await {
        Ok(theirs) => theirs,
        Err(error) => return problem(format!("{url} does not answer: {error}"), words::TOKEN_URL),
    };
    let Some(theirs) = theirs else {
        return Finding::fine(&org.place, Step::Clock, format!("{url} sends no Date header"));
    };
    let ours = clock.now();
    let (apart, how) =
        if ours > theirs { (ours.since(theirs), "ahead of") } else { (theirs.since(ours), "behind") };
    if apart > SKEW {
        let found = format!("this machine's clock is {} s {how} Salesforce's", apart.as_secs());
        return problem(found, "set the clock (NTP): Salesforce refuses a login with a wrong time");
    }
    Finding::fine(&org.place, Step::Clock, "this machine's clock is correct")
}

async fn asked_for_the_time(url: &str) -> Result<Option<Timestamp>, String> {
    let url = secret_worthy_url(url).map_err(|error| error.to_string())?;
    let http = http_for(&url).timeout(PATIENCE).build().map_err(|error| in_full(&error))?;
    // Whatever it says to this, it says when.
    let answer = http.head(url).send().await.map_err(|error| in_full(&error.without_url()))?;
    let date =
        answer.headers().get(DATE).and_then(|date| jiff::fmt::rfc2822::parse(date.to_str().ok()?).ok());
    Ok(date.map(|date| Timestamp::from_millis(date.timestamp().as_millisecond())))
}

/// Asks for a token.
pub(super) async fn token(org: &Org, plan: &OrgPlan) -> Finding {
    match plan.tokens.token().await {
        Ok(_) => {
            let found = format!("{} gives a token to {}", token_url(org), org.username);
            Finding::fine(&org.place, Step::Token, found)
        }
        Err(error) => {
            let advice = error.advice().unwrap_or(words::TOKEN_URL);
            Finding::problem(&org.place, Step::Token, error.problem(), advice)
        }
    }
}

/// Where tokens are asked for.
fn token_url(org: &Org) -> String {
    org.token_url.clone().unwrap_or_else(|| {
        let usual = JwtSettings::new("", "", String::new().into()).audience;
        let audience = org.audience.as_deref().unwrap_or(&usual);
        format!("{audience}/services/oauth2/token")
    })
}
