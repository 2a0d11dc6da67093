//! What end users have agreed to, and what is refused before they have.

use byoc_connector::emulator::OptIn;
use byoc_connector::model::words::{ConsentOwner, ConsentStatus};

use super::refusals::changed;
use super::*;

fn asking(opt_in: OptIn) -> Settings {
    let mut settings = telling();
    settings.channel.opt_in = opt_in;
    settings
}

impl Org {
    fn consents(&mut self, status: ConsentStatus) {
        let answer = self.call(START, "PATCH", "/api/v1/consent", &self.consent_body(status.as_str()));
        assert_eq!((answer.status, answer.body), (200, json!({ "success": true })), "{status}");
    }

    /// The codes of a route and of an offer, where they are refused.
    fn refused(&mut self, request: &EventId) -> [Option<u32>; 2] {
        let route = self.route_body(&json!({ "queueId": queue() }));
        let offer = self.offer_body(BO, request);
        [("route", route), ("agentWork", offer)]
            .map(|(name, body)| self.call(START, "POST", &format!("/api/v1/{name}"), &body).code())
    }
}

#[test]
fn nothing_is_routed_before_the_end_user_has_opted_in_as_far_as_the_channel_asks() {
    use ConsentStatus::{DoublyOptedIn, ExplicitlyOptedIn, ImplicitlyOptedIn};
    let table = [
        (OptIn::Implicit, [false, false, false]),
        (OptIn::Explicit, [true, false, false]),
        (OptIn::Double, [true, true, false]),
    ];
    for (opt_in, waits) in table {
        for (status, waits) in [ImplicitlyOptedIn, ExplicitlyOptedIn, DoublyOptedIn].into_iter().zip(waits) {
            let mut org = Org::with(asking(opt_in), roster());
            let request = org.asks_for(START, Target::Queue(queue()));
            if status != ImplicitlyOptedIn {
                org.consents(status);
            }
            let code = waits.then_some(15103);
            assert_eq!(org.refused(&request), [code; 2], "{opt_in:?} {status}");
        }
    }
}

#[test]
fn who_opts_out_ends_their_session() {
    let mut org = Org::new();
    let request = org.asks_for(START, Target::Queue(queue()));
    org.consents(ConsentStatus::OptedOut);
    assert!(org.salesforce.conversation(&org.conversation).unwrap().is_over());
    assert!(org.ending(&request).is_some());
    org.consents(ConsentStatus::ExplicitlyOptedIn);
    let end_user = org.salesforce.conversation(&org.conversation).unwrap().end_user.clone();
    assert_eq!(org.salesforce.consent(&end_user), ConsentStatus::ExplicitlyOptedIn);
}

#[test]
fn every_wrong_consent_has_its_code() {
    let mut org = Org::new();
    let good = org.consent_body("ExplicitlyOptedIn");
    let table = [
        (changed(&good, "/consentStatus", json!("OptIn")), 10021),
        (changed(&good, "/consentStatus", Value::Null), 10021),
        (changed(&good, "/channelAddressIdentifier", json!("elsewhere")), 10017),
        (changed(&good, "/endUserClientId", json!("nobody")), 10020),
        (changed(&good, "/endUserClientId", json!("x".repeat(241))), 10020),
        (changed(&good, "/endUserClientId", Value::Null), 10089),
    ];
    for (body, code) in table {
        let answer = org.call(START, "PATCH", "/api/v1/consent", &body);
        assert_eq!((answer.status, answer.code()), (400, Some(code)), "{body}");
    }
    for (owner, keywords, code) in
        [(ConsentOwner::Salesforce, false, 10022), (ConsentOwner::Partner, true, 10023)]
    {
        let mut settings = telling();
        (settings.channel.consent_owner, settings.channel.supports_keywords) = (owner, keywords);
        let mut org = Org::with(settings, roster());
        let body = org.consent_body("ExplicitlyOptedIn");
        assert_eq!(org.call(START, "PATCH", "/api/v1/consent", &body).code(), Some(code));
    }
}
