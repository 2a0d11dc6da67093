//! Whatever is written is read again the same, and whatever is damaged is named.

use byoc_connector::model::event::SkillRequirement;
use byoc_connector::model::roster::Roster;
use byoc_connector::recording::{AgentWork, Config, Problem};
use proptest::prelude::*;

use super::*;

// -- properties ------------------------------------------------------------------------------------------

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    let object = prop::collection::btree_map("[a-zA-Z_]{1,12}", value, 0..5);
    object.prop_map(|fields| Json::of(&fields).expect("it is JSON"))
}

fn any_id<T>(prefix: &'static str) -> impl Strategy<Value = T>
where
    T: std::str::FromStr<Err = ids::Error> + std::fmt::Debug,
{
    "[0-9A-Za-z]{12}".prop_map(move |rest| format!("{prefix}{rest}").parse().expect("it has the shape"))
}

fn any_headers() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[A-Z][a-zA-Z]{2,9}", any::<String>(), 0..3)
}

fn any_exchange() -> impl Strategy<Value = Source> {
    let response = (100_u16..600, any_headers(), prop::option::of(any_json()))
        .prop_map(|(status, headers, body)| Response { status, headers, body });
    let request = ("[A-Z]{3,6}", "/[a-zA-Z/]{0,20}", any_headers(), prop::option::of(any_json()));
    (request, prop::option::of(response)).prop_map(|((method, path, headers, body), response)| {
        Source::Exchange(Box::new(Exchange {
            method: method.into(),
            path: path.into(),
            headers,
            body,
            response,
        }))
    })
}

fn any_rep_finder() -> impl Strategy<Value = Source> {
    let skill =
        ("[a-z0-9]{1,15}", any::<Option<i32>>(), any::<bool>()).prop_map(|(id, level, additional)| {
            SkillRequirement { id: id.parse().expect("an id"), level, priority: level, additional }
        });
    let reps = || prop::collection::vec(any_id::<ids::RepId>("005"), 0..3);
    (prop::option::of(any_id("00G")), prop::collection::vec(skill, 0..3), reps(), reps()).prop_map(
        |(queue, skills, exclude, reps)| {
            Source::RepFinder(Box::new(RepFinder { queue, skills, exclude, reps }))
        },
    )
}

fn any_config() -> impl Strategy<Value = Source> {
    let rep = (any_id::<ids::RepId>("005"), any::<String>()).prop_map(|(id, name)| {
        serde_json::from_value::<Rep>(json!({"id": id, "name": name, "script": {"does": "ignore"}}))
            .expect("a rep")
    });
    (prop::collection::vec(rep, 0..3), prop::option::of(any_json())).prop_map(|(reps, routing)| {
        Source::Config(Box::new(Config { roster: Roster { reps, ..Roster::default() }, routing }))
    })
}

fn any_source() -> impl Strategy<Value = Source> {
    let event =
        (any::<String>(), any::<Option<String>>(), any_json()).prop_map(|(topic, replay_id, event)| {
            Source::PlatformEvent { topic: topic.into(), replay_id: replay_id.map(Into::into), event }
        });
    let work =
        (any::<[String; 3]>(), prop::option::of(any_id("005"))).prop_map(|([item, work, event], rep)| {
            Source::AgentWork(Box::new(AgentWork {
                work_item_id: item.into(),
                work_id: work.into(),
                work_event: event.into(),
                rep,
            }))
        });
    let contacts = (prop::option::of(any_json()), prop::option::of(any_id("0Mw")))
        .prop_map(|(filter, work_item)| Source::GetContacts { filter, work_item });
    let definition = any_json().prop_map(Source::ChannelDefinition);
    prop_oneof![event, work, contacts, any_rep_finder(), any_exchange(), definition, any_config()]
}

/// What becomes of a line's bytes.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Splice(usize, Vec<u8>),
    Repeat(usize, usize, usize),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let place = || any::<prop::sample::Index>().prop_map(|index| index.index(4_096));
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        Just(b"99999999999999999999999999e999".to_vec()),
        Just(vec![b'['; 5_000]),
        Just(br#"{"a":"#.repeat(1_000)),
        Just(br"\ud800".to_vec()),
        Just(b"null".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"\n".to_vec()),
    ];
    prop_oneof![
        place().prop_map(Damage::Cut),
        (place(), any::<u8>()).prop_map(|(at, with)| Damage::Flip(at, with)),
        (place(), piece).prop_map(|(at, with)| Damage::Splice(at, with)),
        (place(), 1_usize..200, 1_usize..4).prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
    ]
}

fn damage(line: &mut Vec<u8>, damage: &Damage) {
    let place = |at: usize| at % line.len().max(1);
    match damage {
        Damage::Cut(at) => line.truncate(place(*at)),
        Damage::Flip(at, with) => {
            let at = place(*at);
            if let Some(byte) = line.get_mut(at) {
                *byte ^= with;
            }
        }
        Damage::Splice(at, with) => {
            let at = place(*at).min(line.len());
            line.splice(at..at, with.iter().copied());
        }
        Damage::Repeat(at, length, times) => {
            let (start, end) = (place(*at).min(line.len()), (place(*at) + length).min(line.len()));
            let part = line[start..end].repeat(*times);
            line.splice(end..end, part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_is_written_is_read_again(
        sources in prop::collection::vec((0_i64..100_000, any_source()), 0..8)
    ) {
        let mut at = 1_780_300_800_000;
        let lines: Vec<Line> = (1..).zip(sources).map(|(number, (later, source))| {
            at += later;
            Line { at: Timestamp::from_millis(at), number, source }
        }).collect();
        let text = written(&lines);
        let read: Result<Vec<Line>, Error> = Reader::new("x.jsonl", &*text).collect();
        prop_assert_eq!(read.expect("what was written is whole"), lines);
    }

    #[test]
    fn no_damage_to_a_line_panics_and_both_readers_agree_on_it(
        fixture in any::<prop::sample::Index>(),
        line in any::<prop::sample::Index>(),
        damages in prop::collection::vec(any_damage(), 1..4),
    ) {
        let files = fixtures();
        let text = std::fs::read(fixture.get(&files)).expect("readable");
        let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let at = line.index(lines.len() - 1);
        for one in &damages {
            damage(&mut lines[at], one);
        }
        let text = lines.join(&b'\n');
        let read: Vec<_> = Reader::new("x.jsonl", &*text).collect();
        let fed = items("x.jsonl", &text);
        prop_assert_eq!(read.len(), fed.len());
        for (line, item) in read.iter().zip(&fed) {
            match (line, item) {
                (Ok(line), Ok(item)) => prop_assert_eq!(line, &item.line),
                (Err(one), Err(other)) => prop_assert_eq!(one.to_string(), other.to_string()),
                (Ok(line), Err(error)) => {
                    prop_assert!(matches!(*error.problem, Problem::Event(_)), "{error}");
                    prop_assert_eq!(error.line, line.number);
                }
                (Err(error), Ok(_)) => prop_assert!(false, "only the plain reader says {error}"),
            }
        }
    }
}
