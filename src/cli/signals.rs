//! Being told to stop, by ctrl-c or by SIGTERM, and to read the configuration again, by SIGHUP.

use crate::host::Host;
use crate::service::Reload as _;

/// Listens from now on, so that a signal that comes before the answer is awaited counts too; ready when ctrl-c is
/// pressed or SIGTERM comes. To be called inside of the runtime, before anybody is told that the command runs.
#[cfg(unix)]
pub(super) fn asked_to_stop() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    // Without a handler the signal ends the process by itself: nothing is to be waited for then.
    async fn next(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
    let (interrupted, terminated) =
        (signal(SignalKind::interrupt()).ok(), signal(SignalKind::terminate()).ok());
    async {
        tokio::select! {
            () = next(interrupted) => {}
            () = next(terminated) => {}
        }
    }
}

/// Ready when ctrl-c is pressed.
#[cfg(not(unix))]
pub(super) async fn asked_to_stop() {
    // Without a handler ctrl-c ends the process by itself: nothing is to be waited for then.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The signals that ask to read the configuration again.
#[cfg(unix)]
pub(super) struct ReloadSignals(Option<tokio::signal::unix::Signal>);

/// The same where there is no such signal.
#[cfg(not(unix))]
pub(super) struct ReloadSignals;

/// Listens from now on for SIGHUP, which ends the process where nobody listens. To be called inside of the runtime.
#[cfg(unix)]
pub(super) fn asked_to_reload() -> ReloadSignals {
    ReloadSignals(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok())
}

/// Listens for nothing.
#[cfg(not(unix))]
pub(super) fn asked_to_reload() -> ReloadSignals {
    ReloadSignals
}

impl ReloadSignals {
    /// Reads the configuration again at each signal. What is wrong with it is in the log.
    #[cfg(unix)]
    pub(super) async fn each(mut self, host: Host) {
        while let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            tracing::info!("SIGHUP: reading the configuration again");
            // The host has logged what came of it.
            host.reload().await.ok();
        }
    }

    /// Never does anything.
    #[cfg(not(unix))]
    pub(super) async fn each(self, _: Host) {}
}
