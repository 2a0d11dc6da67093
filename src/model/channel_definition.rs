//! The channel definition: what steers the connector on one partner channel
//! (PROTOCOL: "Channel definition: the fields that steer us").
//!
//! It comes from Salesforce's source format, from a Tooling API query, from TOML of our own, or from
//! a recording; all four spell the same fields, in three ways. Fields that do not steer us are
//! ignored, whatever they hold.
//!
//! Elsewhere: what a limit or an owner means for a request is `routing`'s business.

mod error;
mod raw;
mod read;

use serde::Serialize;

pub use error::{Error, Problem};

use super::words::RoutingOwner;

/// A `ConversationChannelDefinition`, as far as it steers us.
///
/// What a definition leaves out, or sets to null, has Salesforce's own default: Salesforce routes,
/// and conferences are not supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelDefinition {
    /// `{prefix}_{name}`; the `AuthorizationContext` of every call.
    #[serde(rename = "DeveloperName", skip_serializing_if = "Option::is_none")]
    pub developer_name: Option<String>,
    /// Who routes.
    #[serde(rename = "RoutingOwner")]
    pub routing_owner: RoutingOwner,
    /// Who manages consent, as Salesforce spells it.
    #[serde(rename = "ConsentOwner", skip_serializing_if = "Option::is_none")]
    pub consent_owner: Option<String>,
    /// Whether more than two may take part in a conversation.
    #[serde(rename = "IsConferenceSupported")]
    pub is_conference_supported: bool,
    /// How many may take part at most, where the definition says so itself.
    #[serde(rename = "MaxParticipantsForCnfrOverride", skip_serializing_if = "Option::is_none")]
    pub max_participants_override: Option<u32>,
    /// The platform event that Salesforce publishes, e.g. `devorg__Routing__e`.
    #[serde(rename = "CustomPlatformEvent", skip_serializing_if = "Option::is_none")]
    pub custom_platform_event: Option<String>,
    /// Its field with the type of the event, with or without the event's name before it.
    #[serde(rename = "CustomEventTypeField", skip_serializing_if = "Option::is_none")]
    pub custom_event_type_field: Option<String>,
    /// Its field with the payload, with or without the event's name before it.
    #[serde(rename = "CustomEventPayloadField", skip_serializing_if = "Option::is_none")]
    pub custom_event_payload_field: Option<String>,
    /// Whether `RoutingWorkResult` events arrive on the platform event: false unless somebody has set it, and
    /// then only the connector page hears of declines. Older definitions call it `IsRoutingWorkResultEnabled`.
    #[serde(rename = "EventCapabilitiesIsRoutingWorkResultSupported")]
    pub is_routing_work_result_supported: bool,
}

impl Default for ChannelDefinition {
    fn default() -> Self {
        Self {
            developer_name: None,
            routing_owner: RoutingOwner::Salesforce,
            consent_owner: None,
            is_conference_supported: false,
            max_participants_override: None,
            custom_platform_event: None,
            custom_event_type_field: None,
            custom_event_payload_field: None,
            is_routing_work_result_supported: false,
        }
    }
}

impl ChannelDefinition {
    /// How many participants a conversation may have, the end user included; none where neither the
    /// definition nor `platform`, the platform's own limit, tells. Then Salesforce enforces its own.
    pub fn participant_limit(&self, platform: Option<u32>) -> Option<u32> {
        match (self.max_participants_override, platform) {
            (Some(own), Some(platform)) if own > platform => Some(platform),
            (Some(own), _) => Some(own),
            (None, platform) => platform,
        }
    }

    /// The Pub/Sub API topic of the platform event: `/event/{CustomPlatformEvent}`.
    pub fn topic(&self) -> Option<String> {
        self.custom_platform_event.as_ref().map(|event| format!("/event/{event}"))
    }

    /// The name of the event type field alone, as the event's schema has it.
    pub fn event_type_field(&self) -> Option<&str> {
        self.custom_event_type_field.as_deref().map(without_event)
    }

    /// The name of the payload field alone, as the event's schema has it.
    pub fn event_payload_field(&self) -> Option<&str> {
        self.custom_event_payload_field.as_deref().map(without_event)
    }
}

/// `Event__e.Field__c` is `Field__c`.
fn without_event(field: &str) -> &str {
    field.rsplit_once('.').map_or(field, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> ChannelDefinition {
        ChannelDefinition {
            developer_name: Some("Acme_Messaging".into()),
            routing_owner: RoutingOwner::Partner,
            consent_owner: Some("Partner".into()),
            is_conference_supported: true,
            max_participants_override: Some(4),
            custom_platform_event: Some("acme__Routing__e".into()),
            custom_event_type_field: Some("acme__EventType__c".into()),
            custom_event_payload_field: Some("acme__Payload__c".into()),
            is_routing_work_result_supported: true,
        }
    }

    fn fixture(name: &str) -> String {
        format!("{}/fixtures/definitions/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn one_definition_reads_the_same_from_each_format() {
        for name in ["acme.toml", "tooling-query.json"] {
            assert_eq!(ChannelDefinition::from_file(fixture(name)), Ok(acme()), "{name}");
        }
        let meta = fixture("Acme_Messaging.ConversationChannelDefinition-meta.xml");
        let definition = ChannelDefinition::from_file(meta).unwrap();
        assert_eq!(
            definition.custom_event_type_field.as_deref(),
            Some("acme__Routing__e.acme__EventType__c")
        );
        assert_eq!(definition.event_type_field(), Some("acme__EventType__c"));
        assert_eq!(definition.event_payload_field(), Some("acme__Payload__c"));
        let plain = ChannelDefinition {
            custom_event_type_field: acme().custom_event_type_field,
            custom_event_payload_field: acme().custom_event_payload_field,
            ..definition
        };
        assert_eq!(plain, acme());
    }

    #[test]
    fn a_recording_spells_it_as_salesforce_does_and_reads_it_back() {
        let json = serde_json::to_value(acme()).unwrap();
        for field in ["DeveloperName", "RoutingOwner", "ConsentOwner", "IsConferenceSupported"] {
            assert!(json.get(field).is_some(), "{field}");
        }
        assert_eq!(json["MaxParticipantsForCnfrOverride"], 4);
        assert_eq!(json["EventCapabilitiesIsRoutingWorkResultSupported"], true);
        assert_eq!(serde_json::from_value::<ChannelDefinition>(json).unwrap(), acme());
    }

    #[test]
    fn what_is_left_out_null_or_empty_has_salesforces_default() {
        for text in [
            "{}",
            r#"{"RoutingOwner": null, "IsConferenceSupported": null, "MaxParticipantsForCnfrOverride": null}"#,
            r#"{"DeveloperName": "", "Metadata": null, "SomethingNew": [1, {"a": 2}], "EventCapabilities": 5}"#,
        ] {
            let read = serde_json::from_str::<ChannelDefinition>(text).unwrap();
            assert_eq!(read, ChannelDefinition::default(), "{text}");
        }
        let xml = r#"<a:ConversationChannelDefinition xmlns:a="x"><a:maxParticipantsForCnfrOverride/></a:ConversationChannelDefinition>"#;
        assert_eq!(ChannelDefinition::from_meta_xml(xml), Ok(ChannelDefinition::default()));
        assert_eq!(ChannelDefinition::from_toml(""), Ok(ChannelDefinition::default()));
    }

    #[test]
    fn three_spellings_are_one_field() {
        for text in [
            r#"{"IsConferenceSupported": true, "RoutingOwner": "Partner"}"#,
            r#"{"isConferenceSupported": true, "routingOwner": "Partner"}"#,
            r#"{"is_conference_supported": "true", "routing_owner": " Partner "}"#,
            r#"{"Metadata": {"isConferenceSupported": true, "routingOwner": "Partner"}}"#,
        ] {
            let read = serde_json::from_str::<ChannelDefinition>(text).unwrap();
            assert!(read.is_conference_supported && read.routing_owner == RoutingOwner::Partner, "{text}");
        }
    }

    #[test]
    fn both_names_of_the_work_results_are_read_in_each_format_and_the_newer_one_counts() {
        let xml = |field: &str| {
            let root = "ConversationChannelDefinition";
            ChannelDefinition::from_meta_xml(&format!(
                "<{root}><eventCapabilities>{field}</eventCapabilities></{root}>"
            ))
        };
        let json = |text: &str| ChannelDefinition::from_tooling_json(text);
        for (read, supported) in [
            (xml("<isRoutingWorkResultSupported>true</isRoutingWorkResultSupported>"), true),
            (xml("<isRoutingWorkResultEnabled>true</isRoutingWorkResultEnabled>"), true),
            (xml("<isRoutingWorkResultEnabled>false</isRoutingWorkResultEnabled>"), false),
            (xml(""), false),
            (json(r#"{"EventCapabilitiesIsRoutingWorkResultSupported": true}"#), true),
            (json(r#"{"EventCapabilitiesIsRoutingWorkResultEnabled": true}"#), true),
            (json(r#"{"IsRoutingWorkResultEnabled": true}"#), true),
            (json(r#"{"Metadata": {"eventCapabilities": {"isRoutingWorkResultEnabled": true}}}"#), true),
            (json(r#"{"IsRoutingWorkResultSupported": false, "IsRoutingWorkResultEnabled": true}"#), false),
            (
                ChannelDefinition::from_toml("event_capabilities_is_routing_work_result_supported = true"),
                true,
            ),
            (ChannelDefinition::from_toml("is_routing_work_result_enabled = true"), true),
            (ChannelDefinition::from_toml(""), false),
        ] {
            let read = read.unwrap();
            assert_eq!(read.is_routing_work_result_supported, supported, "{read:?}");
        }
    }

    #[test]
    fn xml_may_have_comments_cdata_and_entities() {
        let xml = "<?xml version=\"1.0\"?><!-- ours --><ConversationChannelDefinition>\
            <developerName>A<![CDATA[c]]>m&#101; &amp; Co</developerName></ConversationChannelDefinition>";
        let read = ChannelDefinition::from_meta_xml(xml).unwrap();
        assert_eq!(read.developer_name.as_deref(), Some("Acme & Co"));
    }

    #[test]
    fn the_limit_is_the_override_unless_it_is_above_the_platforms_own() {
        for (own, platform, limit) in [
            (None, None, None),
            (None, Some(6), Some(6)),
            (Some(4), None, Some(4)),
            (Some(4), Some(6), Some(4)),
            (Some(6), Some(6), Some(6)),
            (Some(9), Some(6), Some(6)),
        ] {
            let definition = ChannelDefinition { max_participants_override: own, ..acme() };
            assert_eq!(definition.participant_limit(platform), limit, "{own:?} {platform:?}");
        }
    }

    #[test]
    fn topic_and_field_names_are_as_the_pub_sub_api_wants_them() {
        assert_eq!(acme().topic().as_deref(), Some("/event/acme__Routing__e"));
        assert_eq!(acme().event_type_field(), Some("acme__EventType__c"));
        assert_eq!(ChannelDefinition::default().topic(), None);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn an_error_names_line_and_field_and_what_would_be_right() {
        type Read = fn(&str) -> Result<ChannelDefinition, Error>;
        let toml: Read = ChannelDefinition::from_toml;
        let json: Read = ChannelDefinition::from_tooling_json;
        let xml: Read = ChannelDefinition::from_meta_xml;
        let table = [
            (
                json,
                "{\n\"RoutingOwner\": \"Nobody\"}",
                "line 2, RoutingOwner is 'Nobody'; it must be Partner or Salesforce",
            ),
            (
                toml,
                "\n\nrouting_owner = 'partner'",
                "line 3, routing_owner is 'partner'; it must be Partner or Salesforce",
            ),
            (
                xml,
                "<ConversationChannelDefinition>\n<isConferenceSupported>yes</isConferenceSupported>\n</ConversationChannelDefinition>",
                "line 2, isConferenceSupported is 'yes'; it must be true or false",
            ),
            (
                json,
                r#"{"MaxParticipantsForCnfrOverride": -1}"#,
                "line 1, MaxParticipantsForCnfrOverride is -1; it must be a whole number of participants, 0 or more",
            ),
            (
                json,
                r#"{"MaxParticipantsForCnfrOverride": 2.5}"#,
                "line 1, MaxParticipantsForCnfrOverride is 2.5; it must be a whole number of participants, 0 or more",
            ),
            (json, r#"{"DeveloperName": [1]}"#, "line 1, DeveloperName is a list; it must be a string"),
            (
                json,
                r#"{"records": []}"#,
                "the channel definition is not a channel definition: the query found no record; query one record, by its DeveloperName",
            ),
            (
                json,
                r#"{"records": [{}, {}]}"#,
                "the channel definition is not a channel definition: the query found 2 records; query one record, by its DeveloperName",
            ),
            (
                json,
                r#"{"records": 7}"#,
                "line 1, records is 7; it must be the list of records that a query found",
            ),
            (
                json,
                "[]",
                "the channel definition is not a channel definition: a list; it should be an object with fields like RoutingOwner",
            ),
            (
                xml,
                "\n<CustomObject></CustomObject>",
                "line 2: it is not a channel definition: its root element is <CustomObject>; it should be <ConversationChannelDefinition>",
            ),
            (
                xml,
                "<ConversationChannelDefinition>&lol;</ConversationChannelDefinition>",
                "line 1: it is not XML: it has an undefined entity",
            ),
            (
                xml,
                "<ConversationChannelDefinition>\n",
                "line 2: it is not XML: its root element is not closed",
            ),
        ];
        for (read, text, error) in table {
            assert_eq!(read(text).unwrap_err().to_string(), error, "{text}");
        }
    }

    #[test]
    fn syntax_errors_have_their_line_in_each_format() {
        assert_eq!(ChannelDefinition::from_tooling_json("{\n\n!").unwrap_err().line, Some(3));
        assert_eq!(ChannelDefinition::from_toml("a = 1\nb = ").unwrap_err().line, Some(2));
        let crossed = "<ConversationChannelDefinition>\n<a>\n</b></ConversationChannelDefinition>";
        assert_eq!(ChannelDefinition::from_meta_xml(crossed).unwrap_err().line, Some(3));
        let deep = format!("<ConversationChannelDefinition>{}", "<a>".repeat(100_000));
        assert!(matches!(
            ChannelDefinition::from_meta_xml(&deep).unwrap_err().problem,
            Problem::Syntax { format: "XML", .. }
        ));
    }

    #[test]
    fn a_file_is_named_in_its_error() {
        let missing = ChannelDefinition::from_file(fixture("missing.toml")).unwrap_err();
        assert!(matches!(missing.problem, Problem::File(_)));
        assert!(missing.to_string().contains("missing.toml cannot be read: "), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("broken.json");
        std::fs::write(&broken, "\u{feff}{\n\"RoutingOwner\":\"x\"}").unwrap();
        let error = ChannelDefinition::from_file(&broken).unwrap_err();
        assert_eq!((error.file.as_deref(), error.line), (Some(broken.as_path()), Some(2)));
        let odd = ChannelDefinition::from_file("definition.yaml").unwrap_err();
        assert_eq!(odd.problem, Problem::Format);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "[<>/&;\\[\\]{}:=\"a-zA-Z0-9 \\n\u{e9}!?#-]{0,200}") {
            let inside = format!("<ConversationChannelDefinition>{text}</ConversationChannelDefinition>");
            for result in [
                ChannelDefinition::from_toml(&text),
                ChannelDefinition::from_tooling_json(&text),
                ChannelDefinition::from_meta_xml(&text),
                ChannelDefinition::from_meta_xml(&inside),
            ] {
                if let Err(error) = result {
                    proptest::prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
