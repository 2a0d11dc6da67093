//! Work that waits for the disk, away from the runtime's own threads.

use crate::store::Error;

/// Waits for the disk on a thread that may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|stopped| Err(Error::Other(stopped.to_string())))
}
