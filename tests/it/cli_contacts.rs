//! `byoc contacts` and the frame around every command, as a user runs them.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use insta::assert_snapshot;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/byoc.toml");

/// The command in a directory of its own, with nothing of ours in the environment.
fn byoc_in(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("byoc").unwrap();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("BYOC_") || name.starts_with("CLICOLOR") || name == "COLUMNS" {
            command.env_remove(&*name);
        }
    }
    command.current_dir(directory).args(args).output().unwrap()
}

fn byoc(args: &[&str]) -> Output {
    byoc_in(tempfile::tempdir().unwrap().path(), args)
}

fn contacts(args: &[&str]) -> Output {
    byoc(&[&["contacts", "--config", SAMPLE], args].concat())
}

/// Stdout of a call that went well.
fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", complaint(output));
    assert_eq!(complaint(output), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Stderr of a call that was wrong: one line, exit code 2, nothing on stdout.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    let complaint = complaint(output);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

#[test]
fn the_table_is_made_for_reading() {
    assert_snapshot!(said(&contacts(&[])), @r"
    NAME                   TYPE   LIST  STATE      DETAIL         WAIT        ID
    Ada Lovelace           Agent  All   available  3 of 10 used               005Hs00000Ada01
    Billing                Queue  All                             1 min 35 s  00GHs000000Bill
    Claims & Réclamations  Queue  All                                         00GHs0000Claims
    José Álvarez           Agent  All   available  0.5 of 5 used              005Hs00000Jose2
    Nguyễn Thị Hà          Agent  All   busy       8 of 8 used                005Hs00000Nguy4
    Route by language      Flow   All                                         300Hs00000Route
    Søren Straßmann        Agent  All   busy       4 of 4 used                005Hs00000Soren
    contacts 1 to 7
    ");
}

#[test]
fn the_conference_list_leaves_out_who_cannot_join() {
    let ada = "005Hs00000Ada01";
    assert_snapshot!(said(&contacts(&["--list", "conference", "--present", ada])), @r"
    NAME                   TYPE   LIST  STATE      DETAIL         WAIT        ID
    Billing                Queue  All                             1 min 35 s  00GHs000000Bill
    Claims & Réclamations  Queue  All                                         00GHs0000Claims
    José Álvarez           Agent  All   available  0.5 of 5 used              005Hs00000Jose2
    Nguyễn Thị Hà          Agent  All   busy       8 of 8 used                005Hs00000Nguy4
    Route by language      Flow   All                                         300Hs00000Route
    Søren Straßmann        Agent  All   busy       4 of 4 used                005Hs00000Soren
    contacts 1 to 6
    ");
    let full = [
        "--list",
        "conference",
        "--present",
        ada,
        "--present",
        "005Hs00000Jose2",
        "--present",
        "005Hs00000Soren",
    ];
    assert_snapshot!(said(&contacts(&full)), @"No contacts: the conversation is full.");
}

#[test]
fn a_search_narrows_and_turns_pages() {
    assert_snapshot!(said(&contacts(&["--contains", "STRASSMANN"])), @r"
    NAME             TYPE   LIST  STATE  DETAIL       ID
    Søren Straßmann  Agent  All   busy   4 of 4 used  005Hs00000Soren
    contacts 1 to 1
    ");
    assert_snapshot!(said(&contacts(&["--types", "agent,AVAILABLE"])), @r"
    NAME          TYPE   LIST  STATE      DETAIL         ID
    Ada Lovelace  Agent  All   available  3 of 10 used   005Hs00000Ada01
    José Álvarez  Agent  All   available  0.5 of 5 used  005Hs00000Jose2
    contacts 1 to 2
    ");
    assert_snapshot!(said(&contacts(&["--limit", "2", "--offset", "3"])), @r"
    NAME           TYPE   LIST  STATE      DETAIL         ID
    José Álvarez   Agent  All   available  0.5 of 5 used  005Hs00000Jose2
    Nguyễn Thị Hà  Agent  All   busy       8 of 8 used    005Hs00000Nguy4
    contacts 4 to 5; there may be more: --offset 5
    ");
    assert_snapshot!(said(&contacts(&["--contains", "nobody"])), @"No contact matches.");
    assert_snapshot!(said(&contacts(&["--offset", "90"])), @"No contact matches beyond the first 90.");
}

#[test]
fn json_is_one_contacts_result_and_nothing_else() {
    let output = said(&contacts(&["--json", "--types", "QUEUE", "--work-item", "0Mw000000000001"]));
    assert_eq!(output.lines().count(), 1);
    let result: serde_json::Value = serde_json::from_str(&output).unwrap();
    insta::assert_json_snapshot!(result, @r#"
    {
      "contactTypes": [
        "Queue",
        "Agent",
        "Flow"
      ],
      "contacts": [
        {
          "id": "00GHs000000Bill",
          "listType": "All",
          "name": "Billing",
          "queue": "00GHs000000Bill",
          "queueWaitTime": "95",
          "recordId": "00GHs000000Bill",
          "type": "Queue"
        },
        {
          "id": "00GHs0000Claims",
          "listType": "All",
          "name": "Claims & Réclamations",
          "queue": "00GHs0000Claims",
          "recordId": "00GHs0000Claims",
          "type": "Queue"
        }
      ]
    }
    "#);
}

#[test]
fn colour_is_for_terminals_and_for_who_asks() {
    assert!(!said(&contacts(&[])).contains('\u{1b}'));
    assert!(said(&contacts(&["--color", "always"])).contains("\u{1b}[36mAda Lovelace"));
    assert!(!said(&contacts(&["--color", "always", "--json"])).contains('\u{1b}'));
}

#[test]
fn without_a_channel_definition_conferences_are_off_and_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let config = "[[reps]]\nid = '005000000000001'\nname = 'Bo'\n";
    std::fs::write(directory.path().join("byoc.toml"), config).unwrap();
    let seen = |list: &str| said(&byoc_in(directory.path(), &["contacts", "--list", list]));
    assert_snapshot!(seen("conference"), @"No contacts: the configuration has no channel definition, so conferences are off.");
    assert!(seen("all").contains("Transfer"), "{}", seen("all"));
}

#[test]
fn the_transfer_list_has_everybody_who_can_take_over() {
    assert_snapshot!(said(&contacts(&["--list", "transfer"])), @"
    NAME                   TYPE   LIST  STATE      DETAIL         WAIT        ID
    Ada Lovelace           Agent  All   available  3 of 10 used               005Hs00000Ada01
    Billing                Queue  All                             1 min 35 s  00GHs000000Bill
    Claims & Réclamations  Queue  All                                         00GHs0000Claims
    José Álvarez           Agent  All   available  0.5 of 5 used              005Hs00000Jose2
    Nguyễn Thị Hà          Agent  All   busy       8 of 8 used                005Hs00000Nguy4
    Route by language      Flow   All                                         300Hs00000Route
    Søren Straßmann        Agent  All   busy       4 of 4 used                005Hs00000Soren
    contacts 1 to 7
    ");
}

#[test]
fn a_recording_says_who_is_in_the_conversation_and_whether_there_is_room() {
    let file = |name: &str| format!("{}/fixtures/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let joined = file("conference-queue");
    let seen = |args: &[&str]| said(&byoc(&[&["contacts", "--recording"], args].concat()));
    let of_channel = seen(&[&joined, "--list", "conference"]);
    assert!(of_channel.contains("Bo Nyström") && of_channel.contains("Anna Björk"), "{of_channel}");
    let of_conversation = seen(&[&joined, "--list", "conference", "--work-item", "0MwgL00000VSH84"]);
    assert!(!of_conversation.contains("Bo Nyström"), "Bo has joined: {of_conversation}");
    assert!(!of_conversation.contains("Anna Björk"), "Anna was in it: {of_conversation}");
    assert!(of_conversation.contains("Berths"), "{of_conversation}");
    let full = file("limit-reached");
    let text = std::fs::read_to_string(&full).unwrap();
    let work_item = &text[text.find("0MwgL").unwrap()..][..15];
    let nobody = "No contacts: the conversation is full.\n";
    assert_eq!(seen(&[&full, "--list", "conference", "--work-item", work_item]), nobody);
    let other = byoc(&["contacts", "--recording", &joined, "--work-item", work_item]);
    assert!(refused(&other).ends_with("has no conversation with that work item\n"), "{}", complaint(&other));
}

#[test]
fn wrong_use_is_one_line_and_exit_code_2() {
    assert_snapshot!(refused(&contacts(&["--present", "00G000000000001"])), @"error: invalid value '00G000000000001' for '--present <005…>': '00G000000000001' is not a valid rep id: those start with 005; try '--help'");
    assert_snapshot!(refused(&contacts(&["--work-item", "0Mw"])), @"error: invalid value '0Mw' for '--work-item <0Mw…>': '0Mw' is not a valid work item id: it has 3 characters, not 15 or 18; try '--help'");
    assert_snapshot!(refused(&contacts(&["--types", "AGENT,SWARM"])), @"error: invalid value 'SWARM' for '--types <TYPE,…>' [possible values: AGENT, QUEUE, CONTACT, DIRECTORY, FLOW, AVAILABLE]; try '--help'");
    assert_snapshot!(refused(&contacts(&["--list", "both"])), @"error: invalid value 'both' for '--list <LIST>' [possible values: transfer, conference, all]; try '--help'");
    assert_snapshot!(refused(&contacts(&["--limit", "501"])), @"error: invalid value '501' for '--limit <COUNT>': 501 is not in 1..=500; try '--help'");
    assert_snapshot!(refused(&contacts(&["--offset", "-1"])), @"error: invalid value '-1' for '--offset <COUNT>': -1 is not in 0..=4294967295; try '--help'");
    assert_snapshot!(refused(&byoc(&["contacts"])), @"error: there is no byoc.toml in this directory; name a configuration with --config FILE or BYOC_CONFIG; see fixtures/serve.toml in the source for an example");
    assert_snapshot!(refused(&byoc(&["contacts", "--config", "no-such.toml"])), @"error: cannot read the configuration no-such.toml: No such file or directory (os error 2)");
    assert_snapshot!(refused(&byoc(&["dial"])), @"error: unrecognized subcommand 'dial'; try '--help'");
}

#[test]
fn each_mistake_in_a_configuration_is_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let config = "[[reps]]\nid = '005'\n[[queues]]\nid = '00G000000000001'\nwait_seconds = 'long'\n";
    std::fs::write(directory.path().join("byoc.toml"), config).unwrap();
    let output = byoc_in(directory.path(), &["contacts"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
    assert_snapshot!(complaint(&output), @r#"
    error: byoc.toml, line 2, reps[0].id: '005' is not a valid rep id: it has 3 characters, not 15 or 18
    error: byoc.toml, line 5, queues[0].wait_seconds: invalid type: string "long", expected a whole number, 0 or more
    "#);
    std::fs::write(directory.path().join("byoc.toml"), "[[reps]\n").unwrap();
    assert_snapshot!(refused(&byoc_in(directory.path(), &["contacts"])), @"error: byoc.toml, line 1: this is not TOML: unclosed array table, expected `]`");
    std::fs::write(directory.path().join("byoc.toml"), b"name = \"\xff\"\n").unwrap();
    assert_snapshot!(refused(&byoc_in(directory.path(), &["contacts"])), @"error: cannot read the configuration byoc.toml: stream did not contain valid UTF-8");
}

#[test]
fn help_shows_every_option_and_examples() {
    assert_snapshot!(said(&byoc(&["contacts", "--help"])), @r"
    Show who a rep can invite to a conference

    Usage: byoc contacts [OPTIONS]

    Options:
          --config <FILE>     The configuration [default: byoc.toml in this directory] [env:
                              BYOC_CONFIG]
          --json              Print JSON, for machines: one value, or one a line
          --color <WHEN>      When to use colour: auto, always or never; auto honours `NO_COLOR`
                              [default: auto]
          --recording <FILE>  Take people, channel and conversation from a recording, as they stand at
                              its end
          --list <LIST>       Which list the rep has open [default: all] [possible values: transfer,
                              conference, all]
          --contains <TEXT>   Only those with this in their name or phone number; case and accents do
                              not matter
          --types <TYPE,…>    Only these types; AVAILABLE keeps only those reps who are available
                              [possible values: AGENT, QUEUE, CONTACT, DIRECTORY, FLOW, AVAILABLE]
          --limit <COUNT>     How many contacts a page has at most [default: 50]
          --offset <COUNT>    How many contacts are skipped first [default: 0]
          --work-item <0Mw…>  The messaging session that help is sought with; with --recording it says
                              which conversation is meant
          --present <005…>    A rep who is in the conversation already; may be given several times
      -h, --help              Print help

    Examples:
      byoc contacts
      byoc contacts --list conference --present 005Hs00000Ada01
      byoc contacts --recording fixtures/conference-queue.jsonl --work-item 0MwgL00000VSH84
          what the rep would see when the recording ends
      byoc contacts --contains jose --types AGENT,AVAILABLE
      byoc contacts --limit 20 --offset 20 --json
    ");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = std::process::Command::new(assert_cmd::cargo::cargo_bin("byoc"))
        .args(["completions", "bash"])
        .stdout(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn completions_are_a_script_or_json() {
    assert!(said(&byoc(&["completions", "bash"])).starts_with("_byoc() {"));
    let json: serde_json::Value =
        serde_json::from_str(&said(&byoc(&["completions", "zsh", "--json"]))).unwrap();
    assert_eq!(json["shell"], "zsh");
    assert!(json["script"].as_str().unwrap().starts_with("#compdef byoc"));
}
