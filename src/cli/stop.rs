//! Being told to stop, by ctrl-c or by SIGTERM.

/// Ready when ctrl-c is pressed or SIGTERM comes.
pub(super) async fn asked_to_stop() {
    let interrupted = async {
        // Without a handler the signal ends the process by itself: nothing is to be waited for then.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut stream) => drop(stream.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
