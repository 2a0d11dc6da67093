//! Names are found as people type them, which is not as a directory has them.

use byoc_connector::contacts::{ConversationView, Index, Query};
use byoc_connector::model::contact::{ContactsFilter, ListType};
use proptest::prelude::*;
use proptest::sample::{Index as Draw, select};
use serde_json::json;

/// As directories have them: with the marks, spaces and invisible characters that came with a copied text.
const NAMES: [&str; 14] = [
    "Siobhán O’Brien",
    "Işık İnal",
    "Jürgen Weiß",
    "محمد علی",
    "مُحَمَّد علي",
    "  Ann  Lee 100% _test_ ",
    "👩\u{200d}💻 Dev Desk",
    "Andre\u{301} Nuñez",
    "李\u{3000}明",
    "O'Neill \"Red\" Pat",
    "Jean\u{2011}Luc\u{a0}Picard",
    "Kahoʻolawe Ka\u{ad}mehameha",
    "ジョン・スミス",
    "Josh Anker",
];

fn index<'a>(names: impl IntoIterator<Item = &'a str>) -> Index {
    let reps = names.into_iter().enumerate();
    let reps: Vec<_> = reps.map(|(n, name)| json!({"id": format!("005{n:012}"), "name": name})).collect();
    let roster: byoc_connector::model::roster::Roster =
        serde_json::from_value(json!({ "reps": reps })).unwrap();
    Index::build(roster)
}

fn found(index: &Index, typed: &str) -> Vec<String> {
    let filter = ContactsFilter { contains: Some(typed.to_owned()), ..ContactsFilter::default() };
    let conversation = ConversationView::of_channel(true);
    let query = Query { filter, list: ListType::All, conversation, work_item: None };
    index.search(&query).contacts.into_iter().map(|contact| contact.name).collect()
}

#[test]
fn what_is_typed_finds_who_is_meant_and_nobody_else() {
    let index = index(NAMES);
    let mohammeds = ["محمد علی", "مُحَمَّد علي"];
    let rows: &[(&str, &[&str])] = &[
        ("o'brien", &["Siobhán O’Brien"]),
        ("O’Brien", &["Siobhán O’Brien"]),
        ("obrien", &["Siobhán O’Brien"]),
        ("o brien", &["Siobhán O’Brien"]),
        ("o`brien", &["Siobhán O’Brien"]),
        ("oneill", &["O'Neill \"Red\" Pat"]),
        ("o’neill red", &["O'Neill \"Red\" Pat"]),
        ("isik", &["Işık İnal"]),
        ("IŞIK", &["Işık İnal"]),
        ("ışık", &["Işık İnal"]),
        ("inal", &["Işık İnal"]),
        ("jurgen weiss", &["Jürgen Weiß"]),
        ("محمد", &mohammeds),
        ("محمد علي", &["مُحَمَّد علي"]),
        ("ann lee", &["  Ann  Lee 100% _test_ "]),
        ("annlee", &[]),
        ("100%", &["  Ann  Lee 100% _test_ "]),
        ("%", &["  Ann  Lee 100% _test_ "]),
        ("_", &["  Ann  Lee 100% _test_ "]),
        ("\"", &["O'Neill \"Red\" Pat", "Siobhán O’Brien"]),
        ("-", &["Jean\u{2011}Luc\u{a0}Picard"]),
        ("–", &["Jean\u{2011}Luc\u{a0}Picard"]),
        ("#", &[]),
        ("👩‍💻", &["👩\u{200d}💻 Dev Desk"]),
        ("andré", &["Andre\u{301} Nuñez"]),
        ("nunez", &["Andre\u{301} Nuñez"]),
        ("李 明", &["李\u{3000}明"]),
        ("李明", &[]),
        ("jean-luc picard", &["Jean\u{2011}Luc\u{a0}Picard"]),
        ("jean luc", &["Jean\u{2011}Luc\u{a0}Picard"]),
        ("JEANLUC", &["Jean\u{2011}Luc\u{a0}Picard"]),
        ("kaho'olawe", &["Kahoʻolawe Ka\u{ad}mehameha"]),
        ("kahoolawe kamehameha", &["Kahoʻolawe Ka\u{ad}mehameha"]),
        ("ジョンスミス", &["ジョン・スミス"]),
        ("ジョン スミス", &["ジョン・スミス"]),
        ("shanker", &[]),
        ("hank", &[]),
    ];
    for (typed, expected) in rows {
        let mut expected = expected.to_vec();
        let mut found = found(&index, typed);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{typed:?}");
    }
}

const WORDS: [&str; 16] = [
    "Siobhán",
    "Brien",
    "Jean",
    "Luc",
    "Weiß",
    "Ögmundur",
    "Αθηνά",
    "Пётр",
    "محمد",
    "דוד",
    "जॉन",
    "ジョン",
    "李",
    "明",
    "한국",
    "สมชาย",
];
const MARKS: [&str; 18] = [
    "'", "’", "‘", "ʼ", "ʻ", "`", "´", "′", "-", "\u{2010}", "\u{2011}", "–", "—", "\u{2212}", ".", "·",
    "・", "_",
];
const SPACES: [&str; 6] = [" ", "\u{a0}", "\u{2009}", "\u{202f}", "\u{3000}", "\t"];
const INVISIBLE: [&str; 8] = ["", "", "\u{ad}", "\u{200b}", "\u{200d}", "\u{2060}", "\u{feff}", "\u{202a}"];

/// A word, and what joins it to the next: as the directory has it, and as it is typed.
fn piece() -> impl Strategy<Value = (&'static str, String, String)> {
    let mark = select(&MARKS[..]);
    let space = select(&SPACES[..]);
    let typed_mark = prop_oneof![Just(""), select(&MARKS[..]), select(&SPACES[..])];
    let typed_space = prop_oneof![select(&MARKS[..]), select(&SPACES[..])];
    let joint = prop_oneof![(mark, typed_mark), (space, typed_space)];
    (select(&WORDS[..]), joint, select(&INVISIBLE[..]), any::<bool>()).prop_map(
        |(word, joint, unseen, before)| {
            let (had, typed) = joint;
            let had = if before { format!("{unseen}{had}") } else { format!("{had}{unseen}") };
            (word, had, typed.to_owned())
        },
    )
}

/// A name of some words, as it is had, and as it is typed.
fn typed_name() -> impl Strategy<Value = (Vec<&'static str>, String, String)> {
    prop::collection::vec(piece(), 1..5).prop_map(|pieces| {
        let (mut had, mut typed) = (String::new(), String::new());
        let words = pieces.iter().map(|(word, ..)| *word).collect();
        for (n, (word, had_joint, typed_joint)) in pieces.iter().enumerate() {
            had += word;
            typed += word;
            if n + 1 < pieces.len() {
                had += had_joint;
                typed += typed_joint;
            }
        }
        (words, had, typed)
    })
}

fn in_another_case(text: &str, upper: bool) -> String {
    if upper { text.to_uppercase() } else { text.to_lowercase() }
}

proptest! {
    #[test]
    fn a_name_typed_back_with_any_mark_left_out_or_swapped_is_found(
        (_, had, typed) in typed_name(),
        upper in any::<bool>(),
    ) {
        let index = index([had.as_str()]);
        prop_assert_eq!(found(&index, &typed), [had.as_str()]);
        prop_assert_eq!(found(&index, &in_another_case(&typed, upper)), [had.as_str()]);
    }

    #[test]
    fn who_has_none_of_the_words_is_not_found((words, had, _) in typed_name(), other in select(&WORDS[..])) {
        prop_assume!(!words.contains(&other));
        prop_assert_eq!(found(&index([had.as_str()]), other), [""; 0]);
    }

    #[test]
    fn letters_of_two_words_are_no_word(first in select(&WORDS[..]), second in select(&WORDS[..]), at in any::<Draw>()) {
        prop_assume!(first != second);
        let last = first.chars().next_back().unwrap();
        let next: String = second.chars().take(1 + at.index(second.chars().count())).collect();
        let across = format!("{last}{next}");
        let alone = index([first, second]);
        prop_assume!(found(&alone, &across).is_empty());
        let name = format!("{first} {second}");
        prop_assert_eq!(found(&index([name.as_str()]), &across), [""; 0]);
    }
}
