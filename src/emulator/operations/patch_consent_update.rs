//! `PATCH /consent`: the partner, where it owns consent, says what the end user has agreed to.

use serde_json::json;

use super::super::body::Fields;
use super::super::exchange::ApiResponse;
use super::super::refusal::{Refusal, shown};
use super::super::salesforce::Salesforce;
use crate::model::ids::Subject;
use crate::model::time::Timestamp;
use crate::model::words::{ConsentOwner, ConsentStatus};

impl Salesforce {
    /// What is refused is answered in the shape of an answer (`ConsentResponse`), with the status of an error.
    pub(super) fn update_consent(&mut self, now: Timestamp, body: Fields<'_>) -> ApiResponse {
        self.set_consent_by(now, body).unwrap_or_else(|refusal| {
            let ApiResponse { status, body: detail, .. } = refusal.into_response();
            ApiResponse::json(status, json!({ "success": false, "errorDetail": detail }))
        })
    }

    fn set_consent_by(&mut self, now: Timestamp, body: Fields<'_>) -> Result<ApiResponse, Refusal> {
        let name = body.text("consentStatus")?.unwrap_or_default();
        let status = ConsentStatus::from_name(name)
            .ok_or_else(|| Refusal::new(10021, format!("'{}' is no consent status", shown(name))))?;
        self.known_channel(body)?;
        if self.settings.channel.consent_owner != ConsentOwner::Partner {
            return Err(Refusal::new(10022, "the channel's ConsentOwner is not Partner"));
        }
        if self.settings.channel.supports_keywords {
            return Err(Refusal::new(10023, "the channel asks for consent by keywords"));
        }
        let name = body.required_text("endUserClientId")?;
        let known = |end_user: &Subject| self.conversations.values().any(|it| it.end_user == *end_user);
        let end_user = Subject::parse(name)
            .ok()
            .filter(known)
            .ok_or_else(|| Refusal::new(10020, format!("the org has no end user '{}'", shown(name))))?;
        self.set_consent(now, end_user, status);
        Ok(ApiResponse::json(200, json!({ "success": true })))
    }
}
