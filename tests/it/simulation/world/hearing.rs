//! What Salesforce tells, on its way to the connector.

use std::time::Duration;

use byoc_connector::emulator::{Emission, Emitted};
use byoc_connector::events;
use byoc_connector::model::event::Event;
use byoc_connector::model::ids::{AgentWorkId, ConversationId, RepId, WorkItemId};
use byoc_connector::model::roster::Script;
use byoc_connector::model::time::Timestamp;

use super::{Deed, Due, World};

impl World {
    /// Sends what Salesforce told on its way.
    pub(super) fn listen(&mut self) {
        for emitted in self.salesforce.take_events() {
            self.send_event(emitted);
        }
    }

    pub(super) fn send_event(&mut self, emitted: Emitted) {
        match emitted.what {
            Emission::AgentWork { rep, work_item_id, work_id, work_event } => {
                if work_event == "ASSIGNED" {
                    self.consider(rep, work_id);
                }
                if !self.link.browser {
                    return;
                }
                let told =
                    events::agent_work_event(work_item_id.as_str(), work_id.as_str(), &work_event, Some(rep));
                for event in told.unwrap().events {
                    let at = self.arrival(work_item_id, true);
                    if self.dice.chance(self.link.again) {
                        let again = at + Duration::from_millis(self.dice.between(1, 6_000));
                        self.at(again, Due::Browser(event.clone()));
                    }
                    self.at(at, Due::Browser(event));
                }
            }
            Emission::Platform { event, .. } => {
                let decoded = self.decoder.decode(&event.to_string(), emitted.at, None).unwrap();
                let Some(conversation) = decoded.events.iter().find_map(|it| it.conversation.clone()) else {
                    return;
                };
                let item = self.salesforce.conversation(&conversation).unwrap().work_item;
                let at = self.arrival(item, false);
                self.at(at, Due::Platform(conversation, decoded.events.into_vec()));
            }
        }
    }

    pub(super) fn arrival(&mut self, item: WorkItemId, browser: bool) -> Timestamp {
        let drawn = self.now + Duration::from_millis(self.link.lateness(&mut self.dice));
        let last = self.last.entry((item, browser)).or_insert(drawn);
        *last = drawn.max(*last);
        *last
    }

    /// A rep without a script makes up their mind.
    pub(super) fn consider(&mut self, rep: RepId, work: AgentWorkId) {
        if self.salesforce.rep(rep).is_none_or(|rep| rep.script != Script::Wait) {
            return;
        }
        let mood = self.dice.unit();
        let after = self.dice.between(1, self.habits.think);
        if mood < self.habits.accept {
            self.plan(after, Deed::Answer(work, true));
        } else if mood < self.habits.accept + self.habits.decline {
            self.plan(after, Deed::Answer(work, false));
        }
    }

    pub(super) fn hear_platform(&mut self, conversation: ConversationId, events: Vec<Event>) {
        if self.down {
            self.missed.push((conversation, events));
            return;
        }
        let heard = self.heard.entry(conversation.clone()).or_default();
        heard.push(events.clone());
        // A stream that broke starts again at an event that was processed already.
        let again =
            if self.dice.chance(self.link.again) { self.dice.below(heard.len().min(4)) + 1 } else { 0 };
        let redelivered: Vec<Vec<Event>> = heard[heard.len() - again..].to_vec();
        self.hear(events, "platform");
        self.hear_again(redelivered.into_iter().flatten().collect());
    }

    /// What comes again: routing requests, cancels, sessions, offers, and who came and went when.
    pub(super) fn hear_again(&mut self, events: Vec<Event>) {
        for event in events {
            self.hear(vec![event], "again");
        }
    }
}
