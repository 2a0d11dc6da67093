//! Avro by its own words: what `apache-avro` writes is read, and nothing from outside takes more than its bytes.

#![cfg(feature = "emulator")]

use apache_avro::types::Value as Avro;
use apache_avro::writer::datum::GenericDatumWriter;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::schema::{DEEPEST, LARGEST_FIXED, MOST_NODES};
use super::*;

const SCHEMA: &str = r#"{"type":"record","name":"Chat__e","namespace":"com.sforce.eventbus","fields":[
    {"name":"CreatedDate","type":"long","doc":"CreatedDate:DateTime"},
    {"name":"CreatedById","type":"string","doc":"CreatedBy:EntityId"},
    {"name":"EventType__c","type":["null","string"],"default":null},
    {"name":"Payload__c","type":["null","string"],"default":null}]}"#;

/// Zigzag 7 is 14; a string is its length and its bytes; a union's branch is its number.
const EVENT: &[u8] = b"\x0e\x06005\x02\x16Interaction\x00";

/// What an event says that has one field `x` of that type.
fn read_one(kind: &Value, bytes: &[u8]) -> Result<Value, String> {
    let schema = json!({"type": "record", "name": "E", "fields": [{"name": "x", "type": kind}]});
    let schema = EventSchema::parse(&schema.to_string()).map_err(|error| error.to_string())?;
    let read = schema.to_json(bytes, "").map_err(|error| error.to_string())?;
    Ok(serde_json::from_str::<Value>(&read).unwrap_or_else(|error| panic!("{error}: {read}"))["x"].take())
}

fn refused(schema: &str) -> String {
    EventSchema::parse(schema).expect_err("the schema is refused").to_string()
}

#[test]
fn unions_are_written_plainly_and_the_id_becomes_a_field() {
    let schema = EventSchema::parse(SCHEMA).unwrap();
    assert_eq!(
        schema.to_json(EVENT, "e58d").unwrap(),
        r#"{"EventUuid":"e58d","CreatedDate":7,"CreatedById":"005","EventType__c":"Interaction","Payload__c":null}"#
    );
    assert!(!schema.to_json(EVENT, "").unwrap().contains("EventUuid"));
    assert_eq!(schema.names(), ["CreatedDate", "CreatedById", "EventType__c", "Payload__c"]);
}

#[test]
fn bytes_that_are_not_what_the_schema_says_are_named_so() {
    let schema = EventSchema::parse(SCHEMA).unwrap();
    for cut in 0..EVENT.len() {
        assert!(schema.to_json(&EVENT[..cut], "").is_err(), "cut after {cut} bytes");
    }
    let long = [EVENT, b"\x00"].concat();
    assert_eq!(schema.to_json(&long, "").unwrap_err().to_string(), "1 bytes left after its fields");
    let plain = EventSchema::parse(r#""string""#).unwrap();
    assert_eq!(plain.to_json(b"\x02a", "").unwrap_err().to_string(), "its schema is not a record");
    assert!(EventSchema::parse("{}").is_err());
}

#[test]
fn a_schema_without_an_end_is_refused() {
    let recursive = include_str!("../../../../fixtures/cases/avro/recursive.avsc");
    assert!(refused(recursive).contains("a record that contains itself"), "{}", refused(recursive));
    let in_a_circle = r#"{"type":"record","name":"A","fields":[{"name":"b","type":
        {"type":"record","name":"B","fields":[{"name":"a","type":["A"]}]}}]}"#;
    assert!(refused(in_a_circle).contains("contains itself"));
    let by_default = r#"{"type":"record","name":"A","fields":[{"name":"a","type":"A","default":{}}]}"#;
    assert!(refused(by_default).contains("contains itself"));
    // Through a union, a list or a map it may end.
    for way in [r#"["null","A"]"#, r#"{"type":"array","items":"A"}"#, r#"{"type":"map","values":"A"}"#] {
        let schema = format!(r#"{{"type":"record","name":"A","fields":[{{"name":"a","type":{way}}}]}}"#);
        let schema = EventSchema::parse(&schema).unwrap();
        assert!(schema.to_json(b"\x00", "").is_ok(), "{way}");
        // A million records in each other, each of which says that there is one more.
        let deep = schema.to_json(&vec![2; 1_000_000], "");
        assert!(deep.is_err(), "{way}");
    }
}

#[test]
fn a_schema_is_bounded_in_size_and_depth() {
    let huge = include_str!("../../../../fixtures/cases/avro/fixed-huge.avsc");
    assert!(refused(huge).contains("a fixed has no size, or one above"), "{}", refused(huge));
    for size in [json!(-1), json!(LARGEST_FIXED + 1), json!(1e300), json!("12"), json!(null)] {
        refused(&json!({"type": "fixed", "name": "F", "size": size}).to_string());
    }
    let nested = |depth: usize| {
        let open = r#"{"type":"array","items":"#.repeat(depth);
        format!("{open}\"int\"{}", "}".repeat(depth))
    };
    assert!(EventSchema::parse(&nested(DEEPEST)).is_ok());
    assert!(refused(&nested(DEEPEST + 1)).contains("deep"));
    refused(&nested(1_000_000 / 32));
    let many = |count: usize| {
        let fields: Vec<Value> =
            (0..count).map(|n| json!({"name": format!("f{n}"), "type": "int"})).collect();
        json!({"type": "record", "name": "R", "fields": fields}).to_string()
    };
    assert!(EventSchema::parse(&many(MOST_NODES - 1)).is_ok());
    assert!(refused(&many(MOST_NODES)).contains("more than"));
    assert!(refused(&" ".repeat(2 << 20)).contains("bytes"));
}

#[test]
fn a_record_takes_no_more_than_its_bytes() {
    let nulls = json!({"type": "array", "items": "null"});
    // 2^62 nulls, which take no bytes; the least and the greatest count that there are.
    for count in
        [&b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"[..], &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]]
    {
        let told = read_one(&nulls, &[count, &[0, 0]].concat()).unwrap_err();
        assert!(told.contains("more values than bytes") || told.contains("in the middle"), "{told}");
    }
    assert_eq!(read_one(&nulls, &[6, 0]), Ok(json!([null, null, null])));
    // A block with its size in bytes in front: three ints.
    assert_eq!(
        read_one(&json!({"type": "array", "items": "int"}), &[5, 6, 2, 4, 6, 0]),
        Ok(json!([1, 2, 3]))
    );
    for kind in [json!("string"), json!("bytes")] {
        // 2^61, and -1.
        for length in [&[128, 128, 128, 128, 128, 128, 128, 128, 64][..], &[1]] {
            assert!(read_one(&kind, length).is_err(), "{kind}");
        }
    }
    assert!(read_one(&json!({"type": "fixed", "name": "F", "size": 1000}), &[0; 999]).is_err());
    // Each record has two of the next: 2^30 of the last, which take no bytes.
    let mut kind = json!("null");
    for n in 0..30 {
        let name = format!("R{n}");
        let second = if n == 0 { json!("null") } else { json!(format!("R{}", n - 1)) };
        kind = json!({"type": "record", "name": name, "fields": [{"name": "a", "type": kind}, {"name": "b", "type": second}]});
    }
    let told = read_one(&kind, b"").unwrap_err();
    assert!(told.contains("more values than bytes"), "{told}");
}

#[test]
fn what_json_cannot_say_is_no_reason_to_lose_an_event() {
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(read_one(&json!("double"), &odd.to_le_bytes()), Ok(Value::Null));
    }
    assert_eq!(read_one(&json!("float"), &0.5_f32.to_le_bytes()), Ok(json!(0.5)));
    assert_eq!(read_one(&json!("string"), b"\x04a\xff"), Ok(json!("a\u{fffd}")));
    assert_eq!(read_one(&json!("bytes"), b"\x04a\xff"), Ok(json!("aÿ")));
    // A logical type is what it is on the wire.
    assert_eq!(read_one(&json!({"type": "string", "logicalType": "uuid"}), b"\x02x"), Ok(json!("x")));
    assert_eq!(read_one(&json!({"type": "long", "logicalType": "timestamp-millis"}), b"\x0e"), Ok(json!(7)));
}

#[test]
fn a_name_is_found_in_its_namespace() {
    let schema = json!({"type": "record", "name": "a.b.Outer", "fields": [
        {"name": "one", "type": {"type": "fixed", "name": "F", "size": 1}},
        {"name": "two", "type": "F"},
        {"name": "three", "type": "a.b.F"},
        {"name": "four", "type": {"type": "record", "name": "Inner", "namespace": "c", "fields": [
            {"name": "five", "type": "a.b.F"}]}},
        {"name": "six", "type": ["null", "c.Inner"]}]});
    let schema = EventSchema::parse(&schema.to_string()).unwrap();
    let read: Value = serde_json::from_str(&schema.to_json(b"abcd\x02e", "").unwrap()).unwrap();
    let five = |text: &str| json!({ "five": text });
    assert_eq!(read, json!({"one": "a", "two": "b", "three": "c", "four": five("d"), "six": five("e")}));
    assert!(
        refused(r#"{"type":"record","name":"A","fields":[{"name":"a","type":"B"}]}"#)
            .contains("names no type B")
    );
}

/// A type, a value of it, and that value as JSON.
fn typed() -> impl Strategy<Value = (Value, Avro, Value)> {
    let leaf = prop_oneof![
        Just((json!("null"), Avro::Null, Value::Null)),
        any::<bool>().prop_map(|it| (json!("boolean"), Avro::Boolean(it), json!(it))),
        any::<i32>().prop_map(|it| (json!("int"), Avro::Int(it), json!(it))),
        any::<i64>().prop_map(|it| (json!("long"), Avro::Long(it), json!(it))),
        (-1e9..1e9).prop_map(|it: f64| (json!("double"), Avro::Double(it), json!(it))),
        any::<String>().prop_map(|it| (json!("string"), Avro::String(it.clone()), json!(it))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0_usize..4).prop_map(|((kind, value, json), count)| (
                json!({"type": "array", "items": kind}),
                Avro::Array(vec![value; count]),
                Value::Array(vec![json; count])
            )),
            (inner.clone(), any::<String>()).prop_map(|((kind, value, json), key)| (
                json!({"type": "map", "values": kind}),
                Avro::Map([(key.clone(), value)].into()),
                Value::Object([(key, json)].into_iter().collect())
            )),
            inner
                .prop_filter("no union stands in a union", |(kind, ..)| !kind.is_array() && kind != "null")
                .prop_map(|(kind, value, json)| (
                    json!(["null", kind]),
                    Avro::Union(1, Box::new(value)),
                    json
                )),
        ]
    })
}

proptest! {
    /// `apache-avro` writes, this module reads.
    #[test]
    fn what_another_writer_wrote_is_read_as_it_was_meant((kind, value, json) in typed()) {
        let schema = json!({"type": "record", "name": "E", "fields": [{"name": "x", "type": kind}]});
        let theirs = apache_avro::Schema::parse_str(&schema.to_string()).unwrap();
        let writer = GenericDatumWriter::builder(&theirs).build().unwrap();
        let record = Avro::Record(vec![("x".to_owned(), value)]);
        let bytes = writer.write_value_to_vec(record).unwrap();
        prop_assert_eq!(read_one(&kind, &bytes), Ok(json));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let schema = EventSchema::parse(SCHEMA).unwrap();
        drop(schema.to_json(&bytes, ""));
    }
}
