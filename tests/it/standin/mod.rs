//! What the stand-in Salesforce does as the org does, held against what is published.

mod rig;

mod published_events;
