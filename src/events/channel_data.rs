//! `channelData`: Salesforce's context of a routing request, JSON inside of a JSON string once more.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Text;
use super::mend::{ExpectedType, MendedFields, mended};
use super::outside_contact::OutsideContactFields;
use crate::model::ids::RepId;

/// What `channelData` may tell us. Everything else in it is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ChannelData<'a> {
    #[serde(borrow)]
    pub(super) event_id: Option<Text<'a>>,
    #[serde(borrow)]
    initiator: Option<Initiator<'a>>,
    #[serde(borrow)]
    work_owner_id: Option<Text<'a>>,
    #[serde(borrow)]
    contact_id: Option<&'a RawValue>,
    #[serde(borrow)]
    external_contact_id: Option<&'a RawValue>,
    #[serde(borrow)]
    external_contact: Option<&'a RawValue>,
    #[serde(borrow)]
    phone_number: Option<&'a RawValue>,
}

/// What the fields that are read should be.
const SHAPE: ExpectedType = ExpectedType::Object(&[
    ("eventId", ExpectedType::Text),
    ("initiator", ExpectedType::Object(&[("subject", ExpectedType::Text)])),
    ("workOwnerId", ExpectedType::Text),
]);

#[derive(Debug, Deserialize)]
struct Initiator<'a> {
    #[serde(borrow, default)]
    subject: Option<Text<'a>>,
}

impl<'a> ChannelData<'a> {
    /// The rep who asked, in the words that Salesforce's `RoutingResult` has for them.
    pub(super) fn requester(&self) -> Option<RepId> {
        let initiator = self.initiator.as_ref().and_then(|initiator| initiator.subject.as_ref());
        initiator.or(self.work_owner_id.as_ref()).and_then(|id| RepId::parse(id).ok())
    }

    pub(super) fn outside(&self) -> OutsideContactFields<'a> {
        OutsideContactFields {
            contact_id: self.contact_id,
            external_contact_id: self.external_contact_id,
            external_contact: self.external_contact,
            phone_number: self.phone_number,
        }
    }

    /// A text that [`Self::read`] can read: the one that there is, or its mended form.
    pub(super) fn mended<'t>(text: &'t str, path: &str, odd: &mut MendedFields) -> Cow<'t, str> {
        if serde_json::from_str::<ChannelData<'_>>(text).is_ok() {
            return Cow::Borrowed(text);
        }
        let Some((mended, found)) = mended(text, path, &SHAPE) else {
            odd.note(path);
            return Cow::Borrowed("{}");
        };
        odd.append(&found);
        Cow::Owned(mended)
    }

    /// Reads it. Where it cannot be read, it says nothing.
    pub(super) fn read(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}
