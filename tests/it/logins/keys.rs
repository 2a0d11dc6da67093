//! Private keys as people have them: taken in each form, or refused with a reason of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret as _;

use super::{fixture, org};

const URLS: &str = "instance_url = 'https://acme.my.salesforce.com'\ninteraction_url = 'https://acme.my.salesforce-scrt.com'\n";

fn text(name: &str) -> String {
    std::fs::read_to_string(fixture("keys").join(name)).unwrap()
}

/// What a key signs; RSA by PKCS#1 signs the same in the same way.
fn signature(pem: &str) -> String {
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &"claims", &key).unwrap()
}

fn in_variable(key: &str) -> Result<String, String> {
    org(URLS, &[("BYOC_ORG_PRIVATE_KEY", key)]).map(|org| org.private_key.expose_secret().to_owned())
}

fn in_file(name: &str) -> Result<String, String> {
    let lines = format!("{URLS}private_key_file = 'keys/{name}'\n");
    org(&lines, &[]).map(|org| org.private_key.expose_secret().to_owned())
}

#[test]
fn a_key_is_taken_in_each_form_that_people_have_it_in() {
    let sample = text("sample-private-key.pem");
    let (pkcs1, chain) = (text("forms/pkcs1.pem"), text("forms/certificate-before-key.pem"));
    let wrapped: String = STANDARD
        .encode(&sample)
        .as_bytes()
        .chunks(76)
        .fold(String::new(), |all, line| all + std::str::from_utf8(line).unwrap() + "\n");
    for (form, key) in [
        ("as it is", sample.clone()),
        ("with line ends of Windows", sample.replace('\n', "\r\n")),
        ("with \\n as two characters", sample.replace('\n', "\\n")),
        ("with \\r\\n as four characters", sample.replace('\n', "\\r\\n")),
        ("in quotes", format!("\"{}\"", sample.trim().replace('\n', "\\n"))),
        ("on one line", sample.replace('\n', " ")),
        ("with a byte order mark", format!("\u{feff}{sample}")),
        ("indented", sample.replace('\n', "\n    ")),
        ("in base64", STANDARD.encode(&sample)),
        ("in base64 of many lines", wrapped),
        ("PKCS#1", pkcs1.clone()),
        ("PKCS#1 in base64", STANDARD.encode(&pkcs1)),
        ("behind a certificate", chain.clone()),
        ("behind a certificate, with \\n", chain.replace('\n', "\\n")),
        ("behind a certificate, in base64", STANDARD.encode(&chain)),
        ("before a certificate", format!("{sample}{}", text("refused/certificate.pem"))),
    ] {
        let taken = in_variable(&key).unwrap_or_else(|told| panic!("{form}: {told}"));
        assert_eq!(signature(&taken), signature(&sample), "{form}");
    }
    for file in ["sample-private-key.pem", "forms/pkcs1.pem", "forms/certificate-before-key.pem"] {
        assert_eq!(signature(&in_file(file).unwrap()), signature(&sample), "{file}");
    }
}

#[test]
fn a_key_that_cannot_sign_is_refused_with_its_own_reason() {
    for (file, reason) in [
        ("refused/encrypted.pem", "encrypted with a passphrase; remove it: openssl pkey"),
        ("refused/encrypted-pkcs1.pem", "encrypted with a passphrase"),
        ("refused/key.der", "in DER, the binary form; convert it to PEM: openssl pkey -inform DER"),
        ("refused/elliptic.pem", "an elliptic-curve key; Salesforce accepts only RSA"),
        ("refused/elliptic-sec1.pem", "an elliptic-curve key"),
        ("refused/ed25519.pem", "an elliptic-curve key"),
        ("refused/short.pem", "an RSA key of 1024 bits; Salesforce needs 2048 or more"),
        ("refused/public.pem", "a public key; use the private key"),
        ("refused/certificate.pem", "a certificate without a key"),
        ("refused/cut-off.pem", "cut off"),
        ("README.md", "not a valid PEM RSA key; it must begin with -----BEGIN PRIVATE KEY-----"),
    ] {
        let told = in_file(file).unwrap_err();
        let named = format!("org.private_key_file: it is keys/{file}, which is {reason}");
        assert!(told.contains(&named), "{file}: {told}");
        assert!(!told.contains("MII"), "{told}");
    }
    let cut = text("sample-private-key.pem").replacen("MIIE", "MIIF", 1);
    let der = std::fs::read(fixture("keys/refused/key.der")).unwrap();
    for (key, reason) in [
        (" \n", "it is empty"),
        (&cut, "it is a damaged RSA key"),
        (&STANDARD.encode(der), "it is in DER"),
        (&STANDARD.encode("hush"), "it is not a valid PEM RSA key"),
        ("\"\"", "it is empty"),
    ] {
        let told = in_variable(key).unwrap_err();
        assert!(told.starts_with("the variable BYOC_ORG_PRIVATE_KEY: ") && told.contains(reason), "{told}");
    }
}
