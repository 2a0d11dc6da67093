//! An emulator that is being served on this machine, with nobody in it.

use std::sync::Arc;
use std::time::Duration;

use byoc_connector::emulator::http::{self, AppSettings, Emulator, Options, Tls};
use byoc_connector::emulator::{BearerRule, Settings};
use byoc_connector::model::roster::Roster;
use byoc_connector::model::time::SystemClock;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Long enough for whoever is slow, and short enough for whoever waits.
pub(crate) const HANGS: Duration = Duration::from_secs(30);

/// It is served until it stops, or is dropped.
pub(crate) struct Served {
    pub(crate) emulator: Emulator,
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Served {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// On `localhost`, with a certificate of that authority.
    pub(crate) async fn start_tls(tls: &Tls) -> Self {
        Self::start_with(Some(tls.clone())).await
    }

    async fn start_with(tls: Option<Tls>) -> Self {
        let options = Options {
            seed: 7,
            roster: Roster::default(),
            settings: Settings { bearer: BearerRule::Granted, ..Settings::default() },
            app: AppSettings::default(),
            fixed_tokens: Vec::new(),
        };
        let emulator = Emulator::new(options, Arc::new(SystemClock)).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = match &tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (org, until) = (emulator.clone(), async move { drop(stopped.await) });
        let task = tokio::spawn(async move {
            match tls {
                Some(tls) => http::serve_tls(listener, &tls, org, until).await,
                None => http::serve(listener, org, until).await,
            }
        });
        Self { emulator, address, stop, task }
    }

    pub(crate) async fn stops(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(HANGS, self.task).await.expect("the server stops").unwrap().unwrap();
    }
}
