//! A private key as people have it becomes the PEM that a login is signed with.
//!
//! Knows text, PEM and as much of DER as tells one kind of key from another. Must never know where a key came
//! from, or print any of it.
//!
//! Taken are RSA keys of 2,048 bits or more in PKCS#1 or PKCS#8, in PEM: with any line ends, on one line, with
//! `\n` as two characters, in quotes, behind a certificate, and all of that in base64. Everything else is
//! refused, each with its own reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::SecretString;

/// What Salesforce takes at least.
const FEWEST_BITS: usize = 2048;

/// How an RSA key and others name themselves in PKCS#8 (RFC 3279, RFC 8410).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const EDWARDS: &[u8] = &[0x2b, 0x65];

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NAME: u8 = 0x06;

/// Why a text is no key that a login can be signed with. Reads behind "it is".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoKey {
    #[error("empty; it must be an RSA private key in PEM")]
    Empty,
    #[error("encrypted with a passphrase; remove it: openssl pkey -in key.pem -out plain.pem")]
    Encrypted,
    #[error("in DER, the binary form; convert it to PEM: openssl pkey -inform DER -in key.der -out key.pem")]
    Der,
    #[error("in UTF-16, as PowerShell writes text; save it as ASCII or UTF-8")]
    Utf16,
    #[error("an elliptic-curve key; Salesforce accepts only RSA: openssl genrsa -out key.pem 2048")]
    Elliptic,
    #[error("a key in OpenSSH format; convert it to PEM: ssh-keygen -p -m PEM -f key")]
    OpenSsh,
    #[error(
        "an RSA key of {0} bits; Salesforce needs {FEWEST_BITS} or more: openssl genrsa -out key.pem 2048"
    )]
    Short(usize),
    #[error("a public key; use the private key")]
    Public,
    #[error(
        "a certificate without a key; the certificate belongs in the app in Salesforce, the private key here"
    )]
    Certificate,
    #[error("cut off: there is no -----END …----- line")]
    CutOff,
    #[error("a key that is not RSA")]
    Other,
    #[error(
        "not a valid PEM RSA key; it must begin with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----"
    )]
    NotPem,
    #[error("a damaged RSA key ({0}); copy it again")]
    Damaged(String),
}

/// Brings a key into the form that signs.
///
/// # Errors
/// With what it is instead.
pub(crate) fn pem(given: &[u8]) -> Result<SecretString, NoKey> {
    if given.first() == Some(&SEQUENCE) && given.get(1).is_some_and(|byte| *byte >= 0x80) {
        return Err(NoKey::Der);
    }
    if matches!(given, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(NoKey::Utf16);
    }
    let text = std::str::from_utf8(given).map_err(|_| NoKey::NotPem)?;
    let text = plain(text);
    if text.contains("-----BEGIN ") { first_key(&text) } else { from_base64(&text) }
}

/// Without the marks that editors, shells and `.env` files put around it, and with its line ends as line ends.
fn plain(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim();
    let text = text.trim_matches(|c| c == '"' || c == '\'');
    text.replace("\\r", "\n").replace("\\n", "\n")
}

/// What is in base64, once more.
fn from_base64(text: &str) -> Result<SecretString, NoKey> {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if packed.is_empty() {
        return Err(NoKey::Empty);
    }
    let inside = STANDARD.decode(packed).map_err(|_| NoKey::NotPem)?;
    let is_pem = std::str::from_utf8(&inside).is_ok_and(|text| text.contains("-----BEGIN "));
    match inside.first() {
        Some(_) if is_pem => pem(&inside),
        Some(&SEQUENCE) => Err(NoKey::Der),
        _ => Err(NoKey::NotPem),
    }
}

/// One part of a PEM file.
struct Block {
    label: String,
    body: String,
}

/// The parts of a PEM file, however their lines are broken; a part that does not end ends the list.
fn blocks(mut text: &str) -> (Vec<Block>, bool) {
    let mut found = Vec::new();
    while let Some((_, rest)) = text.split_once("-----BEGIN ") {
        let Some((label, rest)) = rest.split_once("-----") else { return (found, true) };
        let Some((body, rest)) = rest.split_once(&format!("-----END {label}-----")) else {
            return (found, true);
        };
        found.push(Block { label: label.to_owned(), body: body.to_owned() });
        text = rest;
    }
    (found, false)
}

/// The first RSA key of a PEM file; without one, what there is instead.
fn first_key(text: &str) -> Result<SecretString, NoKey> {
    let (blocks, is_cut_off) = blocks(text);
    let mut instead = if is_cut_off { NoKey::CutOff } else { NoKey::NotPem };
    for Block { label, body } in &blocks {
        let read = match label.as_str() {
            "PRIVATE KEY" | "RSA PRIVATE KEY" if body.contains("ENCRYPTED") => Err(NoKey::Encrypted),
            "PRIVATE KEY" | "RSA PRIVATE KEY" => signing_key(label, body),
            "ENCRYPTED PRIVATE KEY" => Err(NoKey::Encrypted),
            "EC PRIVATE KEY" | "EC PARAMETERS" => Err(NoKey::Elliptic),
            "OPENSSH PRIVATE KEY" => Err(NoKey::OpenSsh),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(NoKey::Public),
            "CERTIFICATE" => Err(NoKey::Certificate),
            _ => Err(NoKey::Other),
        };
        match read {
            Ok(key) => return Ok(key),
            // What is said of a key counts more than that there is a certificate beside it.
            Err(reason) if instead == NoKey::NotPem || instead == NoKey::Certificate => instead = reason,
            Err(_) => {}
        }
    }
    Err(instead)
}

/// Writes the key anew, and signs with it, once: whatever is wrong with a key, it cannot do that.
fn signing_key(label: &str, body: &str) -> Result<SecretString, NoKey> {
    let packed: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(&packed).map_err(|_| NoKey::Damaged("it is not base64".to_owned()))?;
    let bits = bits(&der, label == "RSA PRIVATE KEY")?;
    if bits < FEWEST_BITS {
        return Err(NoKey::Short(bits));
    }
    let mut lines = String::with_capacity(packed.len().saturating_add(packed.len() / 64).saturating_add(1));
    for (n, c) in packed.chars().enumerate() {
        if n > 0 && n % 64 == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    let pem = format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n");
    let signed = EncodingKey::from_rsa_pem(pem.as_bytes())
        .and_then(|key| jsonwebtoken::encode(&Header::new(Algorithm::RS256), &(), &key));
    signed.map(|_| SecretString::from(pem)).map_err(|error| NoKey::Damaged(error.to_string()))
}

/// How many bits the modulus of an RSA key has.
fn bits(der: &[u8], is_pkcs1: bool) -> Result<usize, NoKey> {
    let damaged = || NoKey::Damaged("its DER breaks off".to_owned());
    let inside = |tag, der| element(tag, der).ok_or_else(damaged);
    let (mut key, _) = inside(SEQUENCE, der)?;
    if !is_pkcs1 {
        // PrivateKeyInfo: version, algorithm, the key in octets (RFC 5208).
        let (_, rest) = inside(INTEGER, key)?;
        let (algorithm, rest) = inside(SEQUENCE, rest)?;
        let (name, _) = inside(NAME, algorithm)?;
        match name {
            RSA => {}
            ELLIPTIC => return Err(NoKey::Elliptic),
            name if name.starts_with(EDWARDS) => return Err(NoKey::Elliptic),
            _ => return Err(NoKey::Other),
        }
        let (octets, _) = inside(OCTETS, rest)?;
        (key, _) = inside(SEQUENCE, octets)?;
    }
    // RSAPrivateKey: version, modulus, and what follows from them (RFC 8017).
    let (_, rest) = inside(INTEGER, key)?;
    let (modulus, _) = inside(INTEGER, rest)?;
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    let unused = modulus.get(leading).map_or(0, |byte| byte.leading_zeros());
    let bytes = modulus.len().saturating_sub(leading);
    Ok(bytes.saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or_default()))
}

/// The content of the element that stands first, where it has that tag, and what stands behind it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (length, rest) = match *first {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7f).min(9))?;
            let length = length
                .iter()
                .try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?;
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_der_end_without_a_panic() {
        for der in [&[][..], &[0x30], &[0x30, 0x89], &[0x30, 0xff, 1, 2], &[0x30, 0x82, 0xff, 0xff, 2, 1, 0]]
        {
            for is_pkcs1 in [true, false] {
                assert!(matches!(bits(der, is_pkcs1), Err(NoKey::Damaged(_))), "{der:?}");
            }
        }
        assert_eq!(element(INTEGER, &[2, 1, 7, 9]), Some((&[7][..], &[9][..])));
        assert_eq!(element(INTEGER, &[2, 0x81, 1, 7]), Some((&[7][..], &[][..])));
    }
}
