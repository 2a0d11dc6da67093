//! Goes every way that there is from one state to the next, and checks what must hold on it.

use byoc_connector::emulator::{Act, AnswerFate, Channel, Done, Emission, Settings as Org};
use byoc_connector::events::{self, Decoder};
use byoc_connector::interaction::{TryOutcome, decode};
use byoc_connector::model::call::{Call, Refusal};
use byoc_connector::model::roster::Script;
use byoc_connector::model::words::Availability;
use byoc_connector::rep_finder::choose;
use byoc_connector::routing::{Effects, Input, Order, Policy, Reason, Remark};

use super::*;
use crate::simulation::world::api_request;

impl Explorer {
    pub(super) fn new(small: Small) -> Self {
        let policy = Policy { ring: small.ring, report: small.report, ..Policy::default() };
        let settings = Settings { conference_supported: true, participant_limit: None, policy };
        let rep = |number: usize| Rep {
            id: rep_id(number),
            name: String::new(),
            availability: Availability::Available,
            messaging: true,
            capacity: 10.0,
            capacity_used: 0.0,
            queues: if number == 1 { Vec::new() } else { vec![queue_id(1)] },
            skills: Vec::new(),
            script: Script::Wait,
        };
        let roster = Roster {
            reps: (1..=small.reps + 1).map(rep).collect(),
            queues: vec![Queue {
                id: queue_id(1),
                name: String::new(),
                wait_seconds: None,
                accepted_last_10_minutes: 0,
                reps: Vec::new(),
            }],
            ..Roster::default()
        };
        Self { small, settings, roster, seen: HashSet::new(), steps: 0, endings: BTreeMap::new() }
    }

    fn start(&self) -> State {
        let channel = Channel { routing_work_result_supported: !self.small.browser, ..Channel::default() };
        let mut salesforce = Salesforce::new(1, self.roster.clone(), Org { channel, ..Org::default() });
        let begun = salesforce.act(START, Act::StartConversation { end_user: None, reps: vec![rep_id(1)] });
        let Ok(Done::Started { conversation, .. }) = begun else { panic!("{begun:?}") };
        let target = self.small.target.clone();
        let asked = Act::RequestConference { conversation: conversation.clone(), requester: None, target };
        let asked = salesforce.act(START, asked);
        let Ok(Done::Requested { request }) = asked else { panic!("{asked:?}") };
        let mut state = State {
            now: START,
            conversation: Conversation::new(conversation),
            salesforce,
            request,
            calls: Vec::new(),
            answers: Vec::new(),
            platform: VecDeque::new(),
            browser: VecDeque::new(),
            cancels: self.small.cancels,
            losses: self.small.losses,
            cancelled: false,
            endings: Vec::new(),
            reports: BTreeSet::new(),
            path: Vec::new(),
        };
        self.listen(&mut state);
        // What led to the request has been heard before anything else can happen.
        while let Some((_, events)) = state.platform.pop_front() {
            for event in events {
                self.feed(&mut state, Input::Happened(event.what));
            }
        }
        state
    }

    pub(super) fn explore(&mut self) {
        let mut open = vec![self.start()];
        while let Some(state) = open.pop() {
            let steps = self.steps_of(&state);
            if steps.is_empty() {
                self.check_end(&state);
            }
            for step in steps {
                let mut next = state.clone();
                next.path.push(step);
                self.take(&mut next, step);
                self.steps += 1;
                self.check(&next);
                if self.seen.insert(key(&next)) {
                    open.push(next);
                }
            }
        }
    }

    fn steps_of(&self, state: &State) -> Vec<Step> {
        let mut steps = Vec::new();
        for number in 0..state.calls.len() {
            steps.push(Step::Reaches(number));
            if state.losses > 0 && matches!(state.calls[number].command.order, Order::Call(_)) {
                steps.push(Step::ReachesAndIsLost(number));
            }
        }
        steps.extend((0..state.answers.len()).map(Step::Arrives));
        if !state.platform.is_empty() {
            steps.push(Step::Platform);
        }
        if !state.browser.is_empty() {
            steps.push(Step::Browser);
        }
        if state.cancels > 0 && state.salesforce.request(&state.request).unwrap().is_open() {
            steps.push(Step::Cancel);
        }
        for work in state.salesforce.works().filter(|work| work.state.is_open()) {
            steps.push(Step::Accept(work.id));
            steps.push(Step::Decline(work.id));
        }
        if let Some(deadline) = state.conversation.deadline(&self.settings) {
            let oldest = state.oldest();
            let may_wait_until = |at: Timestamp| oldest.is_none_or(|since| at <= since + LATEST);
            let before = deadline - Duration::from_secs(1);
            if before > state.now && may_wait_until(before) {
                steps.push(Step::Approach(before));
            } else if may_wait_until(deadline) {
                steps.push(Step::Pass(deadline));
            }
        }
        steps
    }

    fn take(&self, state: &mut State, step: Step) {
        match step {
            Step::Reaches(number) => self.reaches(state, number, false),
            Step::ReachesAndIsLost(number) => self.reaches(state, number, true),
            Step::Arrives(number) => {
                let (_, command, come) = state.answers.remove(number);
                let input = match come {
                    Come::Answer(answer) => Input::Answered(command.id, answer),
                    Come::Reps(reps) => Input::Found(command.id, Ok(reps)),
                };
                self.feed(state, input);
            }
            Step::Platform => {
                for event in state.platform.pop_front().unwrap().1 {
                    self.feed(state, Input::Happened(event.what));
                }
            }
            Step::Browser => {
                let (_, event) = state.browser.pop_front().unwrap();
                self.feed(state, Input::Happened(event.what));
            }
            Step::Cancel => {
                let request = state.request.clone();
                state.cancels -= 1;
                state.cancelled = true;
                state.salesforce.act(state.now, Act::CancelRequest { request }).unwrap();
            }
            Step::Accept(work) => drop(state.salesforce.act(state.now, Act::Accept { work }).unwrap()),
            Step::Decline(work) => drop(state.salesforce.act(state.now, Act::Decline { work }).unwrap()),
            Step::Approach(at) => state.now = at,
            Step::Pass(at) => {
                state.now = state.now.max(at);
                self.feed(state, Input::DeadlineReached);
            }
        }
        state.salesforce.advance(state.now);
        self.listen(state);
    }

    fn reaches(&self, state: &mut State, number: usize, lost: bool) {
        let under = state.calls.remove(number);
        let Under { command, lost_before, .. } = under;
        let call = match &command.order {
            Order::Find(query) => {
                let reps = choose(&self.roster, query);
                state.answers.push((state.now, command, Come::Reps(reps)));
                return;
            }
            Order::Call(call) => call.clone(),
        };
        if let Call::ReportResult(_) = call {
            state.reports.insert(command.id.number);
        }
        let request = api_request(&state.salesforce, &command.id, &call);
        let delivery = state.salesforce.deliver(state.now, &request, 0.0);
        let AnswerFate::Answer { response, .. } = delivery else { panic!("{delivery:?}") };
        if lost {
            state.losses -= 1;
            state.calls.push(Under { since: state.now, command, lost_before: true });
            return;
        }
        let answer = match decode(&call, response.status, None, response.body.to_string().as_bytes()) {
            TryOutcome::Done(reply) => Answer::Done(reply),
            TryOutcome::Refused(what) => Answer::Refused(Refusal {
                status: what.status,
                code: what.code,
                message: what.message,
                after_lost_try: lost_before,
            }),
            other => panic!("{other:?}"),
        };
        state.answers.push((state.now, command, Come::Answer(answer)));
    }

    fn feed(&self, state: &mut State, input: Input) {
        let Effects { commands, endings, remarks, .. } =
            state.conversation.handle(&self.settings, state.now, input);
        for remark in remarks {
            assert!(!matches!(remark, Remark::Broken(_)), "{remark:?} {:?}", state.path);
        }
        state.endings.extend(endings);
        let now = state.now;
        state.calls.extend(commands.into_iter().map(|command| Under {
            since: now,
            command,
            lost_before: false,
        }));
    }

    fn listen(&self, state: &mut State) {
        for emitted in state.salesforce.take_events() {
            match emitted.what {
                Emission::Platform { event, .. } => {
                    let decoded = Decoder::default().decode(&event.to_string(), emitted.at, None).unwrap();
                    state.platform.push_back((state.now, decoded.events.into_vec()));
                }
                Emission::AgentWork { rep, work_item_id, work_id, work_event } if self.small.browser => {
                    let (item, work) = (work_item_id.as_str(), work_id.as_str());
                    let decoded = events::agent_work_event(item, work, &work_event, Some(rep)).unwrap();
                    state.browser.extend(decoded.events.into_iter().map(|event| (state.now, event)));
                }
                Emission::AgentWork { .. } => {}
            }
        }
    }

    /// How a state came about, step by step.
    fn tell(&self, state: &State) -> String {
        let mut again = self.start();
        let mut story = format!("{:?}\n", state.endings);
        for step in &state.path {
            let before = again.conversation.clone();
            self.take(&mut again, *step);
            writeln!(
                story,
                "{step:?}: calls {:?}",
                again.calls.iter().map(|it| it.command.id.number).collect::<Vec<_>>()
            )
            .unwrap();
            if again.conversation != before {
                writeln!(story, "    {:?}", again.conversation).unwrap();
            }
        }
        story
    }

    /// What holds at every moment.
    fn check(&self, state: &State) {
        let ringing = state.salesforce.works().filter(|work| work.state.is_open()).count();
        assert!(self.small.ring == Ring::All || ringing <= 1, "5: {ringing} ring: {}", self.tell(state));
        assert!(state.reports.len() <= 1, "2: {:?}: {}", state.reports, self.tell(state));
        assert!(state.endings.len() <= 1, "1: {:?}: {}", state.endings, self.tell(state));
    }

    /// What holds when nothing more can happen.
    fn check_end(&mut self, state: &State) {
        let told = || self.tell(state);
        assert!(state.conversation.is_idle(), "1: it is stuck: {}", told());
        let [ending] = state.endings.as_slice() else { panic!("1: {}", told()) };
        assert!(state.salesforce.works().all(|work| !work.state.is_open()), "3: {}", told());
        assert_eq!(state.salesforce.psrs().count(), 0, "4: {}", told());
        let inside = state.salesforce.conversation(state.conversation.id()).unwrap();
        let joined: Vec<RepId> = inside.reps().filter(|rep| *rep != rep_id(1)).collect();
        match ending.reason {
            Reason::Joined(rep) => assert_eq!(joined, [rep], "{}", told()),
            _ => assert_eq!(joined, [], "{}", told()),
        }
        assert!(ending.reason != Reason::RequesterCancelled || state.cancelled, "{}", told());
        let answered = state.salesforce.request(&state.request).unwrap().answered;
        assert!(answered.is_some() || state.cancelled, "2: no answer: {}", told());
        *self.endings.entry(ending.outcome).or_default() += 1;
    }
}
