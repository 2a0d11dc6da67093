//! Which additional skills may be dropped, and in which order.
//!
//! Salesforce drops them by priority value, the highest number first, all of one value together, and
//! those with 0 or none last (Salesforce Help: "Add a Skill Requirement Action").

use crate::model::event::SkillRequirement;

/// How many groups of additional skills there are: how often something can be dropped.
pub(super) fn groups(skills: &[SkillRequirement]) -> u8 {
    u8::try_from(priorities(skills).len()).unwrap_or(u8::MAX)
}

/// The skills that are left when the given number of groups has been dropped.
pub(super) fn without(skills: &[SkillRequirement], dropped: u8) -> Vec<SkillRequirement> {
    let gone = priorities(skills);
    let gone = gone.get(..usize::from(dropped)).unwrap_or(&gone);
    skills
        .iter()
        .filter(|skill| !(skill.additional && gone.contains(&skill.priority.unwrap_or(0))))
        .cloned()
        .collect()
}

/// The priority values of the additional skills, in the order in which they are dropped.
fn priorities(skills: &[SkillRequirement]) -> Vec<i32> {
    let mut values: Vec<i32> =
        skills.iter().filter(|skill| skill.additional).map(|skill| skill.priority.unwrap_or(0)).collect();
    values.sort_unstable_by(|a, b| b.cmp(a));
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::SkillId;

    fn skill(id: &str, priority: Option<i32>, additional: bool) -> SkillRequirement {
        SkillRequirement { id: SkillId::parse(id).unwrap(), level: None, priority, additional }
    }

    fn names(skills: &[SkillRequirement]) -> Vec<&str> {
        skills.iter().map(|skill| skill.id.as_str()).collect()
    }

    #[test]
    fn the_highest_number_goes_first_and_equal_numbers_go_together() {
        let skills = [
            skill("french", None, false),
            skill("hardware", Some(0), true),
            skill("mouse", Some(1), true),
            skill("keyboard", Some(1), true),
            skill("canada", Some(2), true),
        ];
        assert_eq!(groups(&skills), 3);
        assert_eq!(names(&without(&skills, 0)), ["french", "hardware", "mouse", "keyboard", "canada"]);
        assert_eq!(names(&without(&skills, 1)), ["french", "hardware", "mouse", "keyboard"]);
        assert_eq!(names(&without(&skills, 2)), ["french", "hardware"]);
        assert_eq!(names(&without(&skills, 3)), ["french"]);
        assert_eq!(names(&without(&skills, 9)), ["french"]);
    }
}
