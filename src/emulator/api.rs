//! A call as the Interaction Service sees it: path, headers, faults, and which operation answers.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::body::{self, Fields};
use super::exchange::{AnswerFate, ApiRequest, ApiResponse};
use super::fault::{FaultEffect, FaultKind};
use super::ledger::LedgerEvent;
use super::operations::{Operation, TypeHeader};
use super::refusal::{Refusal, shown};
use super::salesforce::Salesforce;
use crate::model::ids::{EventId, OrgId};
use crate::model::time::Timestamp;

impl Salesforce {
    /// Answers a call, with the faults that are planned.
    ///
    /// `draw`, from 0 and below 1, decides about faults that are only likely; see [`SeededRandom`](super::SeededRandom).
    pub fn deliver(&mut self, now: Timestamp, request: &ApiRequest, draw: f64) -> AnswerFate {
        let operation = operation_at(&request.method, &request.path).ok();
        let FaultEffect { after_ms, harm } = self.faults.judge(operation, draw);
        let Some(harm) = harm else {
            return AnswerFate::Answer { after_ms, response: self.handle(now, request) };
        };
        self.advance(now);
        let response = match harm {
            FaultKind::AnswerLost { .. } | FaultKind::Latency { .. } => {
                self.handle(now, request);
                self.books.add(now, LedgerEvent::AnswerDropped);
                return AnswerFate::NoAnswer { after_ms, carried_out: true };
            }
            FaultKind::ConnectionRefused => {
                self.book_spoiled(now, operation, request, None);
                return AnswerFate::NoAnswer { after_ms, carried_out: false };
            }
            FaultKind::RateLimited { retry_after_seconds } => {
                let text = "Interaction request rate limit exceeded";
                let mut response = ApiResponse::json(429, json!({ "code": 429, "message": text }));
                let header = retry_after_seconds.map(|s| ("Retry-After".to_owned(), s.to_string()));
                response.headers.extend(header);
                response
            }
            FaultKind::ServerError { status } => {
                ApiResponse::json(status, json!({ "error": "the service is not well" }))
            }
            FaultKind::ErrorCode { code, status } => {
                Refusal { status, code, message: "planned by the emulator".to_owned() }.into_response()
            }
        };
        self.book_spoiled(now, operation, request, Some(response.status));
        AnswerFate::Answer { after_ms, response }
    }

    /// Answers a call, without faults. What was due before `now` happens first.
    pub fn handle(&mut self, now: Timestamp, request: &ApiRequest) -> ApiResponse {
        self.advance(now);
        let operation = operation_at(&request.method, &request.path);
        let (body, outcome) = match &operation {
            Err(refusal) => (None, Err(refusal.clone())),
            Ok(operation) => self.answer(now, *operation, request),
        };
        let response = outcome.unwrap_or_else(Refusal::into_response);
        let request_id = request.header("RequestId").filter(|id| is_uuid(id)).map(str::to_owned);
        let call = LedgerEvent::Call {
            operation: operation.ok(),
            request_id,
            body,
            status: response.status,
            code: response.code(),
        };
        self.books.add(now, call);
        response
    }

    fn answer(
        &mut self,
        now: Timestamp,
        operation: Operation,
        request: &ApiRequest,
    ) -> (Option<Value>, Result<ApiResponse, Refusal>) {
        if let Err(refusal) = self.check_headers(now, operation, request) {
            return (None, Err(refusal));
        }
        let parsed = match operation {
            Operation::Interactions => {
                body::parse_form(request.header("Content-Type").unwrap_or_default(), &request.body)
            }
            _ => body::parse(&request.body),
        };
        let body = match parsed {
            Ok(body) => body,
            Err(refusal) => return (None, Err(refusal)),
        };
        self.note_request_id(now, operation, request);
        let outcome = Fields::of(&body).and_then(|fields| self.carry_out(now, operation, fields));
        (Some(body), outcome)
    }

    /// PROTOCOL: "Three surfaces", the headers on every call.
    fn check_headers(
        &mut self,
        now: Timestamp,
        operation: Operation,
        request: &ApiRequest,
    ) -> Result<(), Refusal> {
        let bearer = request.header("Authorization").and_then(|value| value.strip_prefix("Bearer "));
        if !bearer.is_some_and(|token| self.takes_token(now, token)) {
            let text = "the Authorization header has no bearer token that is valid now";
            return Err(Refusal::new(10004, text));
        }
        let header = |name: &str| request.header(name).filter(|value| !value.is_empty());
        let wrong = |text: String| Err(Refusal::new(10016, text));
        match header("OrgId") {
            Some(org) if org.len() == 15 && OrgId::parse(org).is_ok() => {
                if org != self.settings.org.as_str() {
                    return Err(Refusal::new(10005, "the token was not issued for the org in OrgId"));
                }
            }
            Some(org) => return wrong(format!("OrgId '{}' is not a 15-character org id", shown(org))),
            None => return wrong("the OrgId header is missing".to_owned()),
        }
        match header("RequestId") {
            Some(id) if is_uuid(id) => {}
            Some(id) => return wrong(format!("RequestId '{}' is not a UUID", shown(id))),
            None => return wrong("the RequestId header is missing".to_owned()),
        }
        let (content, wanted) = (header("Content-Type").unwrap_or_default(), operation.content_type());
        if !content.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted) {
            return wrong(format!("the Content-Type header must be {wanted}"));
        }
        match header("AuthorizationContext") {
            Some(name) if name == self.settings.channel.developer_name => {}
            Some(name) => {
                let text = format!("'{}' is not the org's channel definition", shown(name));
                return Err(Refusal::new(10001, text));
            }
            None => return wrong("the AuthorizationContext header is missing".to_owned()),
        }
        match (header("AuthorizationContextType"), operation.type_header()) {
            (Some(name), TypeHeader::Optional | TypeHeader::Required)
                if !name.eq_ignore_ascii_case("ConversationChannelDefinition") =>
            {
                let text = format!("AuthorizationContextType '{}' is not of this channel", shown(name));
                Err(Refusal::new(10093, text))
            }
            (None, TypeHeader::Required) => wrong(format!(
                "{} /{} needs the AuthorizationContextType header",
                operation.method(),
                operation.resource()
            )),
            _ => Ok(()),
        }
    }

    /// Salesforce promises no idempotency: a `RequestId` that comes again is booked, and carried out.
    fn note_request_id(&mut self, now: Timestamp, operation: Operation, request: &ApiRequest) {
        let Some(id) = request.header("RequestId") else { return };
        let mut hasher = DefaultHasher::new();
        (operation, &request.body).hash(&mut hasher);
        let call = hasher.finish();
        self.calling = Some(id.to_owned());
        if let Some(first) = self.request_ids.get(id) {
            let same_call = *first == call;
            self.books.add(now, LedgerEvent::RequestIdRepeated { request_id: id.to_owned(), same_call });
        } else {
            self.request_ids.insert(id.to_owned(), call);
        }
    }

    /// The routing request that the call is taken for, which names none itself: what was chosen when its
    /// `RequestId` first came, for it is the same call that comes again.
    pub(super) fn taken_for(&mut self, chosen: Option<EventId>) -> Option<EventId> {
        let Some(id) = self.calling.clone() else { return chosen };
        if let Some(before) = self.taken_for.get(&id) {
            return Some(before.clone());
        }
        if let Some(event) = &chosen {
            self.taken_for.insert(id, event.clone());
        }
        chosen
    }

    fn book_spoiled(
        &mut self,
        now: Timestamp,
        operation: Option<Operation>,
        request: &ApiRequest,
        status: Option<u16>,
    ) {
        let request_id = request.header("RequestId").filter(|id| is_uuid(id)).map(str::to_owned);
        self.books.add(now, LedgerEvent::CallSpoiled { operation, request_id, status });
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// The operation of a method and a path; 404 and 405 where there is none.
fn operation_at(method: &str, path: &str) -> Result<Operation, Refusal> {
    let path = path.split_once('?').map_or(path, |(before, _)| before);
    let resource = path.strip_prefix("/api/v1/").unwrap_or("");
    let known = Operation::ALL.iter().copied().filter(|known| known.resource() == resource);
    let methods: Vec<_> = known.clone().map(Operation::method).collect();
    if methods.is_empty() {
        return Err(Refusal::new(404, format!("there is nothing at {}", shown(path))));
    }
    let other_method = || Refusal::new(405, format!("{} takes {}", shown(path), methods.join(" and ")));
    known.clone().find(|known| known.method() == method).ok_or_else(other_method)
}
