//! An event that ends the process, again and again: it is found out, set aside and kept.

use byoc_connector::events::quarantine::Quarantine;

use super::*;

/// What a process leaves behind that ended while it read these, for the second time or the first.
fn ended_while_reading(folder: &tempfile::TempDir, names: &[String], died_before: bool) {
    let before: Value = names.iter().filter(|_| died_before).map(|name| (name.clone(), json!(1))).collect();
    let left = json!({ "reading": names, "deaths": before });
    std::fs::write(folder.path().join("byoc.db-reading"), format!("{left}\n")).unwrap();
}

fn aside(folder: &tempfile::TempDir) -> Quarantine {
    Quarantine::beside(&folder.path().join("byoc.db")).unwrap()
}

fn kept(folder: &tempfile::TempDir) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path().join("byoc.db-set-aside.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_event_that_has_ended_the_process_twice_is_set_aside_and_kept() {
    let org = Org::start(patient()).await;
    org.publish(2);
    let ids = org.ids();
    let names: Vec<String> =
        ids.iter().map(|id| format!("{} {} {id}", OrgSettings::default().org, topic())).collect();
    let folder = tempfile::tempdir().unwrap();
    let pubsub = org.connect(org.settings());
    let subscribe = || pubsub.subscribe_remembering(&topic(), Start::Earliest, aside(&folder));
    // Once: it may have been any of those that came together, and each is read.
    ended_while_reading(&folder, &names[..3], false);
    let mut source = subscribe();
    assert_eq!(events(&mut source, 4).await, ids);
    drop(source);
    assert_eq!(kept(&folder), Vec::<Value>::new());
    // And it was none of them: what has been read is not remembered.
    let mut source = subscribe();
    assert_eq!(events(&mut source, 4).await, ids);
    drop(source);
    // Twice.
    ended_while_reading(&folder, &names[1..2], true);
    let mut source = subscribe();
    assert_eq!(event(&mut source).await.replay_id, ids[0]);
    let StreamItem::Unreadable { replay_id, reason, .. } = next(&mut source).await else {
        panic!("it is read")
    };
    assert_eq!((&replay_id, reason.as_str()), (&ids[1], "the process crashed 2 times while reading it"));
    assert_eq!(events(&mut source, 2).await, ids[2..]);
    assert_eq!(source.health().state().set_aside, 1);
    let [line] = kept(&folder).try_into().unwrap();
    assert_eq!((&line["source"], &line["replayId"]), (&json!("set-aside"), &json!(ids[1].to_string())));
    assert_eq!(line["topic"], json!(topic()));
    assert!(line["payload"].as_str().is_some_and(|payload| payload.len() > 20), "{line}");
    org.stops().await;
}

#[tokio::test]
async fn a_schema_that_has_ended_the_process_twice_is_not_read_a_third_time() {
    let org = Org::start(patient()).await;
    org.publish(1);
    let folder = tempfile::tempdir().unwrap();
    ended_while_reading(&folder, &[format!("schema {}", org.emulator.schema_id())], true);
    let pubsub = org.connect(org.settings());
    let mut source = pubsub.subscribe_remembering(&topic(), Start::Earliest, aside(&folder));
    for _ in 0..2 {
        let StreamItem::Unreadable { reason, .. } = next(&mut source).await else { panic!("it is read") };
        assert!(reason.contains("crashed the process 2 times"), "{reason}");
    }
    assert_eq!(kept(&folder).len(), 2);
    org.stops().await;
}
