//! Plans without a store: what is found in the write, what is looked up, what a plan that is not adopted leaves.

use super::*;
use crate::model::ids::OrgId;
use crate::store::record::ChannelKey;

fn key() -> ChannelKey {
    ChannelKey { org: OrgId::parse("00D000000000001").unwrap(), channel: "chat".into() }
}

fn turn<'t>(channel: &'t ChannelKey, name: &'t ConversationId, facts: usize) -> Turn<'t> {
    let change = Outline {
        conversation: name,
        began: false,
        ended: false,
        facts,
        state: None,
        endings: 0,
        tellings: 0,
    };
    Turn {
        channel,
        epoch: Epoch(1),
        at: Timestamp::from_millis(1_780_000_000_000),
        cause: None,
        position: None,
        change: Some(Ok(change)),
    }
}

fn begun<'t>(channel: &'t ChannelKey, name: &'t ConversationId, facts: usize) -> Turn<'t> {
    let mut turn = turn(channel, name, facts);
    turn.change.as_mut().unwrap().as_mut().unwrap().began = true;
    turn
}

const STORED: Result<Appended, Error> = Ok(Appended::Stored { wants_state: false });

#[test]
fn what_is_found_in_the_write_is_planned_around_and_leaves_no_row() {
    let (key, name) = (key(), ConversationId::parse("a").unwrap());
    let mut planner = Planner::default();
    planner.open(&key, (7, Epoch(1)), 0, 1);
    let cause = Cause::named("again").unwrap();
    let again = Turn { cause: Some(&cause), ..turn(&key, &name, 1) };
    let turns = [begun(&key, &name, 1), again, turn(&key, &name, 1)];
    let mut plans = 0;
    let plan = planner.settle(&turns, |plan| {
        plans += 1;
        let mut found = Found::default();
        found.seen.extend(plan.causes.iter().map(|row| (row.channel, row.cause.clone())));
        Ok::<_, ()>(found)
    });
    let plan = plan.unwrap();
    assert_eq!(plans, 2, "one round trip more for what was found");
    assert_eq!(plan.answers, [STORED, Ok(Appended::Duplicate), Err(Error::Superseded)]);
    assert_eq!((plan.turns.len(), plan.causes.len(), plan.conversations.len()), (1, 0, 1));
    assert_eq!(plan.channels[&7].next_turn, Some(plan.turns[0].id + 1));
}

#[test]
fn a_channel_that_somebody_else_has_loaded_is_refused_and_no_other() {
    let (key, name) = (key(), ConversationId::parse("a").unwrap());
    let other = ChannelKey { channel: "mail".into(), ..key.clone() };
    let mut planner = Planner::default();
    planner.open(&key, (1, Epoch(1)), 0, 1);
    planner.open(&other, (2, Epoch(1)), 0, 1);
    let turns = [begun(&key, &name, 1), begun(&other, &name, 1)];
    let found = |plan: &Plan<'_>| {
        let superseded = plan.channels.keys().copied().filter(|id| *id == 1).collect();
        Ok::<_, ()>(Found { superseded, ..Found::default() })
    };
    let plan = planner.settle(&turns, found).unwrap();
    assert_eq!(plan.answers, [Err(Error::Superseded), STORED]);
    assert_eq!(plan.channels.keys().collect::<Vec<_>>(), [&2]);
}

#[test]
fn a_plan_that_is_not_adopted_changes_nothing() {
    let (key, name) = (key(), ConversationId::parse("a").unwrap());
    let mut planner = Planner::default();
    planner.open(&key, (1, Epoch(1)), 0, 1);
    let first = planner.plan(&[begun(&key, &name, 1)], &Found::default());
    assert_eq!(planner.unknown(&[turn(&key, &name, 1)]), [(1, &name)]);
    let second = planner.plan(&[begun(&key, &name, 1)], &Found::default());
    assert_eq!(first.turns[0].id, second.turns[0].id, "numbers of what was not stored are given again");
    planner.adopt(second.into_parts().0);
    assert!(planner.unknown(&[turn(&key, &name, 1)]).is_empty());
    let third = planner.plan(&[turn(&key, &name, 1)], &Found::default());
    assert_eq!(third.turns[0].id, first.turns[0].id + 1);
}

#[test]
fn only_what_goes_on_is_looked_up_and_each_once() {
    let (key, a, b) = (key(), ConversationId::parse("a").unwrap(), ConversationId::parse("b").unwrap());
    let mut planner = Planner::default();
    planner.open(&key, (1, Epoch(1)), 0, 1);
    let turns = [begun(&key, &a, 1), turn(&key, &a, 1), turn(&key, &b, 1), turn(&key, &b, 1)];
    assert_eq!(planner.unknown(&turns), [(1, &b)]);
}

#[test]
fn a_turn_of_another_epoch_is_refused_and_leaves_no_row() {
    let (key, name) = (key(), ConversationId::parse("a").unwrap());
    let mut planner = Planner::default();
    planner.open(&key, (1, Epoch(2)), 0, 1);
    for (epoch, answer) in [(1, Err(Error::Superseded)), (2, STORED), (3, Err(Error::Superseded))] {
        let turn = Turn { epoch: Epoch(epoch), ..begun(&key, &name, 1) };
        let plan = planner.plan(&[turn], &Found::default());
        assert_eq!(plan.turns.len(), usize::from(answer.is_ok()));
        assert_eq!(plan.answers, [answer], "{epoch}");
    }
}

#[test]
fn a_state_is_wanted_after_so_many_facts_and_counts_them_anew() {
    let (key, name) = (key(), ConversationId::parse("a").unwrap());
    let mut planner = Planner::default();
    planner.open(&key, (1, Epoch(1)), 0, 1);
    let mut with_state = turn(&key, &name, 1);
    with_state.change.as_mut().unwrap().as_mut().unwrap().state = Some(false);
    let group = [
        begun(&key, &name, FACTS_BEFORE_STATE - 1),
        turn(&key, &name, 1),
        with_state,
        turn(&key, &name, FACTS_BEFORE_STATE - 1),
        turn(&key, &name, 1),
    ];
    let wanted = [false, true, false, false, true];
    let answers = wanted.map(|wants_state| Ok(Appended::Stored { wants_state }));
    assert_eq!(planner.plan(&group, &Found::default()).answers, answers);
}
