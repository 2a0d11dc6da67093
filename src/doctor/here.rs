//! What this machine has to offer: the store's file and its disk, the server's address, and who may show the
//! connector page.
//!
//! The store itself is left alone, for a connector may have it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use super::{Finding, Step};
use crate::config::server::ServerSettings;
use crate::config::{Serving, StoreSettings};
use crate::outbound::{http_for, in_full};

/// What every SQLite file begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A disk with less room than this will be full before anybody looks.
const LITTLE: u64 = 1 << 30;

/// With less than this, the store stops soon.
const HARDLY_ANY: u64 = 64 << 20;

/// How long an answer from this machine, or from an origin, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at what stands here: store, disk, address, origins, and what is legal and cannot work.
pub async fn here(serving: &Serving) -> Vec<Finding> {
    let mut findings = vec![store(&serving.store.path)];
    findings.extend(disk(&serving.store));
    findings.push(listen(serving.server.listen).await);
    findings.extend(origins(&serving.server).await);
    // What is said of a channel and its origins has a step of its own.
    let told = ["RoutingOwner", "IsConferenceSupported", "EventCapabilitiesIsRoutingWorkResultSupported"];
    let warnings = serving.warnings().into_iter();
    let more = warnings.filter(|warning| !told.iter().any(|name| warning.key.ends_with(name)));
    findings.extend(more.map(|warning| {
        let advice = "correct the configuration; byoc serve --check reports the same";
        Finding::look(&warning.key, Step::Configuration, warning.problem, advice)
    }));
    findings
}

/// Whether the store can be opened and written, without doing either.
fn store(path: &Path) -> Finding {
    let shown = path.display();
    let problem = |found: String, advice: &str| Finding::problem("store", Step::Store, found, advice);
    let room = "give the user that byoc runs as the right to write in that folder, and free disk space";
    let mut probe = path.as_os_str().to_owned();
    probe.push(".doctor");
    if let Err(error) = File::create_new(&probe).and_then(|_| std::fs::remove_file(&probe)) {
        return problem(format!("cannot create a file beside {shown}: {error}"), room);
    }
    if !path.exists() {
        return Finding::fine("store", Step::Store, format!("{shown} does not exist yet and can be created"));
    }
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) => return problem(format!("cannot read and write {shown}: {error}"), room),
    };
    let mut begin = [0_u8; SQLITE.len()];
    let is_new = file.metadata().is_ok_and(|about| about.len() == 0);
    if !is_new && (file.read_exact(&mut begin).is_err() || begin != *SQLITE) {
        let advice = "name another file in store.path, or restore this one from a copy";
        return problem(format!("{shown} is not a store, or is damaged"), advice);
    }
    let by = if is_held(path) { "a connector is using it" } else { "no connector is using it" };
    if let Some(mode) = open_to_others(path) {
        let advice = format!("chmod 600 {shown}: it holds data about people");
        let found =
            format!("{shown}: {by}; other users of this machine can read or write it (mode {mode:o})");
        return Finding::look("store", Step::Store, found, advice);
    }
    Finding::fine("store", Step::Store, format!("{shown} can be opened, and {by}"))
}

/// The file's mode, where others than its owner may do something with it.
#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// As far as it is known, nothing.
#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}

/// Whether a process has the store's lock. Taken for a moment where nobody has.
fn is_held(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = OpenOptions::new().read(true).write(true).open(PathBuf::from(name));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// How much room there is where the store is.
#[cfg(unix)]
fn disk(settings: &StoreSettings) -> Option<Finding> {
    let folder = settings.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let about = match rustix::fs::statvfs(folder) {
        Ok(about) => about,
        Err(error) => {
            let found = format!("cannot read the free space on the disk of {}: {error}", folder.display());
            return Some(Finding::look("store", Step::Disk, found, "check with df"));
        }
    };
    if about.f_blocks == 0 {
        // What is no disk, such as /proc, has no room to tell of.
        return None;
    }
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let found = format!("{} MB are free on the disk of {}", free >> 20, folder.display());
    let has = std::fs::metadata(&settings.path).map_or(0, |about| about.len());
    let may_grow = settings.max_bytes.map_or(LITTLE, |most| most.saturating_sub(has));
    Some(if free < HARDLY_ANY {
        Finding::problem("store", Step::Disk, found, "free disk space: the store stops when the disk is full")
    } else if free < may_grow {
        let advice = "free disk space, or set store.max_megabytes below that";
        Finding::look("store", Step::Disk, found, advice)
    } else {
        Finding::fine("store", Step::Disk, found)
    })
}

/// Not asked on other systems.
#[cfg(not(unix))]
fn disk(_: &StoreSettings) -> Option<Finding> {
    None
}

/// Whether the server's address can be had, or a connector serves there already.
async fn listen(wanted: SocketAddr) -> Finding {
    const PLACE: &str = "server";
    let Err(error) = TcpListener::bind(wanted) else {
        return Finding::fine(PLACE, Step::Listen, format!("{wanted} is free"));
    };
    if error.kind() == io::ErrorKind::AddrInUse && is_connector(wanted).await {
        return Finding::fine(PLACE, Step::Listen, format!("a connector is already serving on {wanted}"));
    }
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there: stop it, or set another port in server.listen"
        }
        io::ErrorKind::AddrNotAvailable => "it must be an address of this machine",
        io::ErrorKind::PermissionDenied => "it must be a port that this user may open, such as 8080",
        _ => "check server.listen",
    };
    Finding::problem(PLACE, Step::Listen, format!("cannot listen on {wanted}: {error}"), advice)
}

/// Whether what answers there answers as a connector does.
async fn is_connector(at: SocketAddr) -> bool {
    // Whoever listens on all addresses does so on loopback too.
    let host = if at.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], at.port())) } else { at };
    let Ok(url) = Url::parse(&format!("http://{host}/readyz")) else { return false };
    let Ok(http) = http_for(&url).timeout(PATIENCE).build() else { return false };
    let Ok(answer) = http.get(url).send().await else { return false };
    let Ok(body) = answer.bytes().await else { return false };
    serde_json::from_slice::<Value>(&body)
        .is_ok_and(|body| body.get("ready").is_some_and(Value::is_boolean) && body.get("checks").is_some())
}

/// Whether the origins that may show the connector page are there.
async fn origins(server: &ServerSettings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for origin in &server.allowed_origins {
        let place = "server";
        let advice =
            "check the spelling in allowed_origins; if only the reps' browsers can reach it, ignore this";
        findings.push(match answers(origin.as_str()).await {
            Ok(()) => Finding::fine(place, Step::Origins, format!("{origin} answers")),
            Err(error) => {
                Finding::look(place, Step::Origins, format!("{origin} does not answer: {error}"), advice)
            }
        });
    }
    findings
}

async fn answers(origin: &str) -> Result<(), String> {
    let url = Url::parse(origin).map_err(|error| error.to_string())?;
    let http = http_for(&url).timeout(PATIENCE).build().map_err(|error| in_full(&error))?;
    http.head(url).send().await.map(drop).map_err(|error| in_full(&error.without_url()))
}
