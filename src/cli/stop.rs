//! Being told to stop, by ctrl-c or by SIGTERM.

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
