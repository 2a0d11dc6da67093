//! Signs what is sent, as Standard Webhooks says, so that the partner knows who sent it and that nothing was changed.
//!
//! Signed is `id.timestamp.body` by HMAC-SHA256. With several secrets there is a signature of each, so that the partner can
//! change to another secret without a moment in which none fits.
//!
//! Invariant: a secret is printed nowhere, not even where it is wrong.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::time::Timestamp;

/// What a secret begins with; the rest is base64.
const PREFIX: &str = "whsec_";

/// How many bytes a secret may have, as the specification says.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The number of the secret that is none, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadSecret(pub(super) usize);

/// Signs with every secret that there is.
#[derive(Clone)]
pub(super) struct Signer(Vec<hmac::Key>);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.0.len()).finish()
    }
}

impl Signer {
    /// Signs with these; `None` where there are none.
    pub(super) fn new(secrets: &[SecretString]) -> Result<Option<Self>, BadSecret> {
        let keys = (1..).zip(secrets).map(|(number, secret)| key(secret).ok_or(BadSecret(number)));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        Ok((!keys.is_empty()).then_some(Self(keys)))
    }

    /// The headers `webhook-timestamp` and `webhook-signature` of something that is sent at that time.
    pub(super) fn headers(&self, id: &str, at: Timestamp, body: &[u8]) -> (String, String) {
        let timestamp = at.as_millis().div_euclid(1_000).to_string();
        let mut signed = format!("{id}.{timestamp}.").into_bytes();
        signed.extend_from_slice(body);
        let signature = |key| format!("v1,{}", STANDARD.encode(hmac::sign(key, &signed)));
        let signatures: Vec<String> = self.0.iter().map(signature).collect();
        (timestamp, signatures.join(" "))
    }
}

fn key(secret: &SecretString) -> Option<hmac::Key> {
    let bytes = STANDARD.decode(secret.expose_secret().strip_prefix(PREFIX)?).ok()?;
    BYTES.contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at() -> Timestamp {
        Timestamp::from_millis(1_614_265_330_999)
    }

    fn signer(secrets: &[&str]) -> Result<Option<Signer>, BadSecret> {
        let secrets: Vec<SecretString> = secrets.iter().map(|&secret| secret.into()).collect();
        Signer::new(&secrets)
    }

    #[test]
    fn the_specifications_own_message_has_its_signature() {
        let signer = signer(&[SECRET]).unwrap().unwrap();
        assert_eq!(signer.headers(ID, at(), BODY), ("1614265330".to_owned(), SIGNATURE.to_owned()));
    }

    #[test]
    fn each_of_several_secrets_signs_in_their_order() {
        let other = format!("{PREFIX}{}", STANDARD.encode([7; 32]));
        let alone = signer(&[&other]).unwrap().unwrap().headers(ID, at(), BODY).1;
        let both = signer(&[SECRET, &other]).unwrap().unwrap().headers(ID, at(), BODY).1;
        assert_eq!(both, format!("{SIGNATURE} {alone}"));
    }

    #[test]
    fn a_secret_is_base64_of_24_to_64_bytes_after_its_prefix_and_is_not_printed() {
        let of = |bytes: usize| format!("{PREFIX}{}", STANDARD.encode(vec![7; bytes]));
        for bytes in [24, 64] {
            assert!(signer(&[&of(bytes)]).unwrap().is_some());
        }
        for wrong in [&*of(23), &of(65), SECRET.strip_prefix(PREFIX).unwrap(), "whsec_", "whsec_&&&", ""] {
            assert_eq!(signer(&[SECRET, wrong]).unwrap_err(), BadSecret(2), "{wrong}");
        }
        assert!(signer(&[]).unwrap().is_none());
        assert_eq!(format!("{:?}", signer(&[SECRET]).unwrap()), "Some(Signer(1))");
    }
}
