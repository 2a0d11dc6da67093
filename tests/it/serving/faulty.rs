//! What goes wrong around it is said on `/readyz`, is over when its cause is, and loses nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use byoc_connector::emulator::http::StreamFault;
use byoc_connector::emulator::{Act, LedgerEvent};
use byoc_connector::model::event::Target;
use byoc_connector::model::ids::{EventId, QueueId, RepId};
use byoc_connector::model::roster::Roster;
use byoc_connector::store::{Options, OutcomeId, OutcomeRecord, Sqlite, Store as _};
use serde_json::{Value, json};

use super::world::{Serve, World};
use crate::support::books::{assert_same, joined, said_to_have_joined};

const QUEUE: &str = "00G000000000001";
const REQUESTER: &str = "005000000000001";

fn roster() -> Roster {
    serde_json::from_value(json!({
        "queues": [{ "id": QUEUE }],
        "reps": [
            { "id": REQUESTER, "capacity": 100_000 },
            { "id": "005000000000002", "capacity": 100_000, "queues": [QUEUE],
              "script": { "does": "accept", "afterMilliseconds": 20 } },
        ]
    }))
    .unwrap()
}

async fn start() -> (World, Serve) {
    let world = World::start(roster(), "[routing]\nring_seconds = 3\n").await;
    let serve = world.serve();
    serve.until_ready().await;
    (world, serve)
}

/// So many conferences are asked for.
fn ask(world: &World, count: usize) -> Vec<EventId> {
    let ask = |_| {
        let conversation = world.conversation(RepId::parse(REQUESTER).unwrap());
        world.ask(&conversation, Target::Queue(QueueId::parse(QUEUE).unwrap()))
    };
    (0..count).map(ask).collect()
}

/// Waits until a rep has joined for each of them.
fn until_joined(world: &World, requests: &[EventId]) {
    world.until("a rep joins for each request", |world| {
        world.emulator.with(|salesforce, _| {
            let missing = requests.iter().filter(|request| {
                !salesforce.books().entries().iter().any(|entry| {
                    matches!(&entry.what, LedgerEvent::RequestEnded { request: ended, .. } if ended == *request)
                })
            });
            match missing.count() {
                0 => Ok(()),
                count => Err(format!("{count} of {} are missing", requests.len())),
            }
        })
    });
}

/// Stops it, and checks that each request ended once, by a rep who joined.
async fn check(world: &World, serve: Serve, requests: &[EventId]) {
    serve.until_idle().await;
    assert_eq!(serve.owed().await, json!([]));
    let (code, took) = serve.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "stopping took {took:?}");
    let store = Sqlite::open(Options::new(world.path("byoc.db"))).await.unwrap();
    let outcomes = store.outcomes(OutcomeId::START, 100_000).await.unwrap();
    store.close().await.unwrap();
    let mut ended: Vec<&EventId> = outcomes.iter().map(OutcomeRecord::request).collect();
    ended.sort();
    let mut asked: Vec<&EventId> = requests.iter().collect();
    asked.sort();
    assert_eq!(ended, asked, "each request has one outcome");
    world.emulator.with(|salesforce, _| {
        let offers = salesforce.books().count(|booked| matches!(booked, LedgerEvent::OfferCreated { .. }));
        assert_eq!(offers, requests.len(), "one offer a request");
        assert_eq!(salesforce.psrs().count(), 0);
        assert_same(&said_to_have_joined(&outcomes), &joined(salesforce));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_cut_delayed_refused_and_forgotten_loses_nothing() {
    let (world, serve) = start().await;
    let mut requests = ask(&world, 5);
    for fault in [
        StreamFault::Unavailable,
        StreamFault::End,
        StreamFault::CutAfter { events: 3 },
        StreamFault::ChangeSchema,
        StreamFault::Delay { milliseconds: 150 },
        StreamFault::Delay { milliseconds: 0 },
        StreamFault::RefuseSubscribe { times: 2 },
        StreamFault::Unavailable,
    ] {
        world.emulator.stream_fault(fault);
        requests.extend(ask(&world, 5));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    until_joined(&world, &requests);
    // Every replay id is forgotten: all that is kept comes again, under other ids. Nothing may come under such
    // an id before the stream is cut, or the connector would know a place to go on from.
    serve.until_idle().await;
    let mut streams = world.emulator.streams();
    let begun = streams.borrow().begun;
    world.emulator.stream_fault(StreamFault::ForgetReplayIds);
    world.emulator.stream_fault(StreamFault::Unavailable);
    streams.wait_for(|streams| streams.open == 0 || streams.begun > begun).await.unwrap();
    requests.extend(ask(&world, 5));
    until_joined(&world, &requests);
    serve.until_counted("byoc_stream_gaps{", |gaps| gaps > 0.0).await;
    serve.until_ready().await;
    check(&world, serve, &requests).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn salesforce_out_of_reach_is_said_and_over_when_it_is_back() {
    let (mut world, serve) = start().await;
    let mut requests = ask(&world, 3);
    until_joined(&world, &requests);
    world.go_dark().await;
    let problem = serve.until_not_ready("stream").await;
    assert!(problem["problem"].as_str().is_some_and(|problem| !problem.is_empty()), "{problem}");
    assert_eq!(serve.status("/healthz").await, 200, "it lives");
    // The org goes on while nobody hears it.
    requests.extend(ask(&world, 3));
    world.come_back().await;
    serve.until_ready().await;
    until_joined(&world, &requests);
    check(&world, serve, &requests).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_is_replaced_and_a_login_that_fails_is_said() {
    let (world, serve) = start().await;
    let mut requests = ask(&world, 3);
    world.emulator.with(|salesforce, _| salesforce.revoke_tokens(None));
    requests.extend(ask(&world, 3));
    until_joined(&world, &requests);
    world.emulator.refuse_logins(true);
    world.emulator.with(|salesforce, _| salesforce.revoke_tokens(None));
    world.emulator.stream_fault(StreamFault::Unavailable);
    let problem = serve.until_not_ready("token").await;
    assert!(
        problem["problem"].as_str().is_some_and(|problem| problem.contains("invalid_grant")),
        "{problem}"
    );
    requests.extend(ask(&world, 3));
    world.emulator.refuse_logins(false);
    serve.until_ready().await;
    until_joined(&world, &requests);
    check(&world, serve, &requests).await;
}

/// A small file system of its own, which a test can fill and lock. Needs the right to mount.
struct Disk<'a>(&'a std::path::Path);

impl Disk<'_> {
    fn mount<'a>(path: &'a std::path::Path, size: &str) -> Disk<'a> {
        std::fs::create_dir_all(path).unwrap();
        let disk = Disk(path);
        assert!(disk.command(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]), "mounting a disk");
        disk
    }

    fn command(&self, arguments: &[&str]) -> bool {
        Command::new("mount").args(arguments).arg(self.0).status().is_ok_and(|status| status.success())
    }

    fn become_as(&self, options: &str) {
        assert!(self.command(&["-o", &format!("remount,{options}")]), "remount,{options}");
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0).status().ok();
    }
}

fn may_mount() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "tmpfs"])
        .arg(folder.path())
        .output()
        .is_ok_and(|it| it.status.success());
    if mounted {
        Command::new("umount").arg(folder.path()).status().unwrap();
    }
    mounted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
async fn a_disk_that_is_full_is_said_and_over_when_it_is_not() {
    if !may_mount() {
        println!("skipped: this user may not mount a disk to fill");
        return;
    }
    let world = World::start(roster(), "[routing]\nring_seconds = 3\n").await;
    let path = world.path("disk");
    let disk = Disk::mount(&path, "2m");
    let serve = world.serve_with(&[("BYOC_STORE_PATH", "disk/byoc.db")]);
    serve.until_ready().await;
    let mut requests = ask(&world, 3);
    until_joined(&world, &requests);

    let filler = path.join("filler");
    fill(&filler);
    requests.extend(ask(&world, 20));
    let problem = serve.until_not_ready("store").await;
    assert!(problem["problem"].as_str().is_some_and(|problem| problem.contains("full")), "{problem}");
    std::fs::remove_file(&filler).unwrap();
    disk.become_as("size=64m");
    serve.until_ready().await;
    until_joined(&world, &requests);

    serve.until_idle().await;
    let (code, _) = serve.stop();
    assert_eq!(code, Some(0));
    std::fs::copy(path.join("byoc.db"), world.path("byoc.db")).unwrap();
    drop(disk);
    let store = Sqlite::open(Options::new(world.path("byoc.db"))).await.unwrap();
    let outcomes = store.outcomes(OutcomeId::START, 100_000).await.unwrap();
    assert_eq!(outcomes.len(), requests.len(), "each request has one outcome");
    store.close().await.unwrap();
}

/// A disk in a file, which can fail and be put right. Needs the right to mount it.
struct Broken<'a> {
    image: PathBuf,
    at: &'a Path,
}

impl<'a> Broken<'a> {
    fn mount(image: PathBuf, at: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        std::fs::File::create(&image).unwrap().set_len(24 << 20).unwrap();
        let disk = Self { image, at };
        (run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), disk.image.as_os_str()]) && disk.attach())
            .then_some(disk)
    }

    fn attach(&self) -> bool {
        run("mount", &["-o".as_ref(), "loop".as_ref(), self.image.as_os_str(), self.at.as_os_str()])
    }

    /// The file system gives itself up, and is read-only from now on.
    fn fail(&self) {
        assert!(
            run("mount", &["-o".as_ref(), "remount,abort".as_ref(), self.at.as_os_str()]),
            "failing a disk"
        );
    }

    /// Another disk with the same on it takes its place.
    fn replace(&mut self) {
        assert!(run("umount", &["-l".as_ref(), self.at.as_os_str()]), "taking a disk away");
        let copy = self.image.with_extension("copy");
        std::fs::copy(&self.image, &copy).unwrap();
        self.image = copy;
        Command::new("e2fsck").arg("-fy").arg(&self.image).output().unwrap();
        assert!(self.attach(), "putting a disk in");
    }
}

impl Drop for Broken<'_> {
    fn drop(&mut self) {
        run("umount", &["-l".as_ref(), self.at.as_os_str()]);
    }
}

fn run(program: &str, arguments: &[&OsStr]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
async fn a_disk_that_is_read_only_is_said_and_over_when_it_is_put_right() {
    let world = World::start(roster(), "[routing]\nring_seconds = 3\n").await;
    let at = world.path("disk");
    let Some(mut disk) = Broken::mount(world.path("image"), &at) else {
        println!("skipped: this user may not mount a disk to break");
        return;
    };
    let serve = world.serve_with(&[("BYOC_STORE_PATH", "disk/byoc.db")]);
    serve.until_ready().await;
    let mut requests = ask(&world, 3);
    until_joined(&world, &requests);
    serve.until_idle().await;

    disk.fail();
    requests.extend(ask(&world, 3));
    let problem = serve.until_not_ready("store").await;
    assert!(
        // Which of the two is met first depends on what was being written.
        problem["problem"].as_str().is_some_and(|problem| {
            problem.contains("may not be written to") || problem.contains("disk failed")
        }),
        "{problem}"
    );
    disk.replace();
    serve.until_ready().await;
    until_joined(&world, &requests);
    serve.until_idle().await;
    assert_eq!(serve.stop().0, Some(0));
    let outcomes = outcomes_in(&at.join("byoc.db")).await;
    assert_eq!(outcomes, requests.len(), "each request has one outcome");
}

async fn outcomes_in(path: &Path) -> usize {
    let store = Sqlite::open(Options::new(path)).await.unwrap();
    let outcomes = store.outcomes(OutcomeId::START, 100_000).await.unwrap();
    store.close().await.unwrap();
    outcomes.len()
}

/// Writes until nothing more fits.
fn fill(path: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    let block = [0_u8; 4096];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&block[..64]).is_ok() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_tells_what_the_stream_does_not() {
    let world = World::start_without_work_results(roster(), "").await;
    let serve = world.serve();
    serve.until_ready().await;
    let requests = ask(&world, 1);
    let known: Value =
        json!({ "workItemId": "0Mw000000000001", "workId": "0Bz000000000001", "workEvent": "ACCEPTED" });
    assert_eq!(serve.post("/v1/agent-work", &known).await, 404, "no conversation has that work item yet");
    world.forward_agent_work(&serve).await;
    until_joined(&world, &requests);
    world.forward_agent_work(&serve).await;
    serve.until_ended(&requests[0], "joined").await;
    assert_eq!(serve.stop().0, Some(0));
    let serve = world.serve();
    serve.until_ended(&requests[0], "joined").await;
    let act = Act::SetPresence {
        rep: RepId::parse(REQUESTER).unwrap(),
        availability: byoc_connector::model::words::Availability::Busy,
    };
    world.emulator.with(|salesforce, now| salesforce.act(now, act)).unwrap();
    assert_eq!(serve.stop().0, Some(0));
}
