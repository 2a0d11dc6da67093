//! A first look at a recording: what is in it at all decides how it is replayed.

use std::io::{self, BufRead};

use memchr::memmem::Finder;

/// What a recording holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scan {
    /// Recorded calls, which can answer calls.
    pub has_exchanges: bool,
    /// Recorded answers of the rep finder.
    pub has_searches: bool,
    /// Recorded events that say what reps did with their offers.
    pub has_work_events: bool,
}

/// Looks for the signs of each, without reading the lines as JSON.
///
/// # Errors
/// Where `input` cannot be read.
pub fn scan(mut input: impl BufRead) -> io::Result<Scan> {
    const CHUNK_OVERLAP: usize = 64;
    let exchanges = Finder::new("\"interaction-service\"");
    let searches = Finder::new("\"rep-finder\"");
    let browser = Finder::new("\"AGENT_WORK_EVENT\"");
    // With its quote, which a channel definition's EventCapabilitiesIsRoutingWorkResultSupported has not.
    let results = Finder::new("\"RoutingWorkResult");
    let mut found = Scan::default();
    let mut window: Vec<u8> = Vec::new();
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() || (found.has_exchanges && found.has_searches && found.has_work_events) {
            return Ok(found);
        }
        let length = chunk.len();
        window.extend_from_slice(chunk);
        input.consume(length);
        found.has_exchanges |= exchanges.find(&window).is_some();
        found.has_searches |= searches.find(&window).is_some();
        found.has_work_events |= browser.find(&window).is_some() || results.find(&window).is_some();
        // A sign may be cut in two by the end of a chunk.
        let keep = window.len().saturating_sub(CHUNK_OVERLAP);
        window.drain(..keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn signs_are_found_wherever_a_chunk_ends() {
        let text = "{\"source\":\"rep-finder\"}\n{\"message\":\"AGENT_WORK_EVENT\"}\n";
        for size in 1..text.len() {
            let found = scan(BufReader::with_capacity(size, text.as_bytes())).unwrap();
            assert_eq!(found, Scan { has_exchanges: false, has_searches: true, has_work_events: true });
        }
    }

    #[test]
    fn each_sign_stands_for_itself() {
        let found = |text: &str| {
            let Scan { has_exchanges, has_searches, has_work_events } = scan(text.as_bytes()).unwrap();
            [has_exchanges, has_searches, has_work_events]
        };
        assert_eq!(found(r#"{"source":"interaction-service"}"#), [true, false, false]);
        assert_eq!(found(r#"{"source":"rep-finder"}"#), [false, true, false]);
        assert_eq!(found(r#"{"message":"AGENT_WORK_EVENT"}"#), [false, false, true]);
        assert_eq!(found(r#"{"Payload__c":"{\"entryType\":\"RoutingWorkResult\"}"}"#), [false, false, true]);
        assert_eq!(found(r#"{"source":"connector-api","message":"GET_CONTACTS"}"#), [false; 3]);
    }

    #[test]
    fn a_channel_that_could_tell_what_reps_do_has_not_told_it() {
        let definition = r#"{"definition":{"EventCapabilitiesIsRoutingWorkResultSupported":true}}"#;
        assert_eq!(scan(definition.as_bytes()).unwrap(), Scan::default());
    }
}
