//! TLS for the emulator: an authority of its own that is made at the start, and a certificate that it issues
//! for the emulator's names. Both live as long as the process. Nobody trusts that authority who is not told
//! to, by its certificate.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the emulator shows, and who vouches for it.
#[derive(Clone)]
pub struct Tls {
    pub(super) acceptor: TlsAcceptor,
    authority: String,
}

/// No certificate can be made for these names.
#[derive(Debug, thiserror::Error)]
#[error("no certificate can be made for {names}: {why}")]
pub struct BadNames {
    names: String,
    why: String,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// A new authority, and a certificate of it for these host names and addresses.
    ///
    /// # Errors
    /// Where one of them is neither a host name nor an address.
    pub fn new(names: &[String]) -> Result<Self, BadNames> {
        let bad = |why: String| BadNames { names: names.join(", "), why };
        let issuer = authority().map_err(|error| bad(error.to_string()))?;
        let acceptor = acceptor(names, &issuer).map_err(bad)?;
        Ok(Self { acceptor, authority: issuer.pem() })
    }

    /// The certificate of the authority, in PEM: for whoever is to trust this emulator.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "byoc emulator");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn acceptor(names: &[String], issuer: &CertifiedIssuer<'_, KeyPair>) -> Result<TlsAcceptor, String> {
    let sign = || {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, issuer)?;
        Ok::<_, rcgen::Error>((key, certificate))
    };
    let (key, certificate) = sign().map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)
        })
        .map_err(|error| error.to_string())?;
    // gRPC clients ask for the first; the second is for everybody else.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
