//! What to do about what was found, in words that an administrator of the org understands.

pub(super) const TOKEN_URL: &str = "check audience and token_url, and that this machine may reach it (firewall, proxy, certificates); then try again";

pub(super) const ADDRESS: &str = "check interaction_url: it is https://{my-domain}.my.salesforce-scrt.com, with the org's own My Domain; and that this \
     machine may reach it";

pub(super) const EVENT: &str = "check custom_platform_event: it is the event's API name with the org's namespace, such as acme__Routing__e; the event \
     must exist in this org, and the user needs read access to it";

pub(super) const PUBSUB: &str =
    "check pubsub_endpoint and instance_url, and that this machine may reach them (port 7443)";

pub(super) const TENANT: &str =
    "check id and instance_url: they must be those of the user's org, with its own My Domain";

pub(super) const SUBSCRIBE: &str = "give the user a permission set with read access to the platform event";

pub(super) const FIELDS: &str = "set custom_event_type_field and custom_event_payload_field to what the channel definition in the org has, with the \
     org's namespace";
