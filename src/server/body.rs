//! Reads what a request brings: a JSON body, the query. Whatever is wrong with it is named by its field.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_path_to_error::Segment;

use super::refused::Refused;
use crate::local::is_json;

/// How many bytes a request's body may have. The largest that anybody sends is a platform event, and
/// Salesforce's own limit for one is 1 MB.
pub const BODY_LIMIT: usize = 1 << 20;

const WANTED: &str = "see openapi/connector.yaml for the format and an example";

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

/// The query.
pub(super) struct Params<T>(pub(super) T);

/// The id in the path.
pub(super) struct Id(pub(super) String);

/// A body that is a JSON object, as it came.
pub(super) struct RawObject(pub(super) String);

/// A JSON object, and no list: to serde a struct may also be the list of its values.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Read(PhantomData)).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        parse(&whole(request).await?).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for RawObject {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refused> {
        let bytes = whole(request).await?;
        // That it is one object; what is in it is for whoever takes it to say.
        parse::<serde::de::IgnoredAny>(&bytes)?;
        match String::from_utf8(bytes.into()) {
            Ok(text) => Ok(Self(text)),
            Err(_) => Err(Refused::bad_request("the body is not UTF-8", WANTED)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Query::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(|error| {
            let text = error.body_text();
            let problem = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            // The parameter stands before the first colon, where one is to blame.
            match problem.split_once(": ").filter(|(name, _)| !name.contains(' ')) {
                Some((name, problem)) => refuse(problem, name, "the query"),
                None => refuse(problem, "", "the query"),
            }
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        read.map(|Path(id)| Self(id)).map_err(|_| {
            let error = "the id in the path is not UTF-8";
            Refused::bad_request(error, "Salesforce ids have only letters and digits").field("id")
        })
    }
}

/// The whole body, when it says that it is JSON.
async fn whole(request: Request) -> Result<Bytes, Refused> {
    // A page of another origin can post any form, and no JSON.
    if !is_json(request.headers()) {
        return Err(Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be UTF-8 JSON with the header Content-Type: application/json",
            "Content-Type: application/json",
        )
        .field("Content-Type"));
    }
    let told = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if told.is_some_and(|bytes: u64| bytes > BODY_LIMIT as u64) {
        return Err(too_large());
    }
    Bytes::from_request(request, &()).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Refused::bad_request("the body ended too early", "send it again"),
    })
}

fn too_large() -> Refused {
    Refused::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body has more than {BODY_LIMIT} bytes"),
        "no request needs more",
    )
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let Object(read) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let segments: Vec<String> = error.path().iter().filter_map(segment).collect();
        refuse(&error.inner().to_string(), &segments.join("."), "the body")
    })?;
    json.end().map_err(|error| refuse(&error.to_string(), "", "the body"))?;
    Ok(read)
}

fn segment(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    }
}

/// Says what serde stumbled over. A field that is missing or not known stands between the first two
/// backticks of its message, and below the path where it was noticed.
fn refuse(problem: &str, path: &str, what: &str) -> Refused {
    let named = ["missing field `", "unknown field `", "duplicate field `"].into_iter().find_map(|start| {
        let (_, rest) = problem.split_once(start)?;
        rest.split_once('`').map(|(name, _)| name)
    });
    let field = match (path, named) {
        (path, Some(name)) if path.is_empty() || path == name => name.to_owned(),
        (path, Some(name)) if path.ends_with(&format!(".{name}")) => path.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    };
    let refused = Refused::bad_request(format!("{what}: {problem}"), WANTED);
    if field.is_empty() { refused } else { refused.field(field) }
}
