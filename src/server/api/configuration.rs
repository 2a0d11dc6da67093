//! An operator has the configuration read again.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;

use crate::server::Server;
use crate::server::access::Operator;
use crate::server::refused::Refused;
use crate::service::Difference;

/// Reads the configuration again and applies what has changed, or nothing of it.
pub(in crate::server) async fn reload(
    _: Operator,
    State(server): State<Server>,
) -> Result<Answer<Difference>, Refused> {
    let Some(reload) = server.reload() else {
        let hint = "only byoc serve and byoc demo have a configuration to read";
        return Err(Refused::new(StatusCode::CONFLICT, "there is no configuration to read again", hint));
    };
    match reload.reload().await {
        Ok(difference) => Ok(Answer(difference)),
        Err(mistakes) => {
            let hint = "nothing has changed; byoc serve --check names all mistakes";
            Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, mistakes.join("; "), hint))
        }
    }
}
