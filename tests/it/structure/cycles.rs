//! No two files of a room name each other, directly or round a corner.
//!
//! The rule: a file names another where a path in its code leads to something that the other defines: in a `use`, or
//! in the code itself (`child::function()`). Whoever hands a name on (`mod child;`, `pub use child::Thing;`) does not
//! name it, unless it uses the name itself; and who takes a name from where it is handed on names the file that
//! defines it. So a `mod.rs` may hand on all its children, and a child may name what `mod.rs` defines, as long as the
//! other does not need the child. Tests are not counted.

use super::*;

/// A path, by its segments; and the name by which a `use` makes it known.
struct Used {
    path: Vec<String>,
    name: String,
}

/// What a file says of others.
#[derive(Default)]
struct Names {
    /// By `use`, also those inside of functions.
    uses: Vec<Used>,
    /// The paths that the file needs itself.
    needed: Vec<Vec<String>>,
}

/// The files by their modules.
type Rooms = BTreeMap<Vec<String>, Names>;

/// Identifiers, `::`, and every other character by itself; texts between quotes are left out.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let raw =
            rest.strip_prefix('r').map(|rest| rest.trim_start_matches('#')).filter(|it| it.starts_with('"'));
        let length = if let Some(text) = raw {
            let end = format!("\"{}", "#".repeat(rest.len() - text.len() - 1));
            rest.len() - text.len() + 1 + text[1..].find(&end).map_or(text.len() - 1, |at| at + end.len())
        } else if let Some(text) = rest.strip_prefix('"') {
            let mut escaped = false;
            let end = text.find(|c| {
                c == '"' && !escaped || {
                    escaped = c == '\\' && !escaped;
                    false
                }
            });
            end.map_or(rest.len(), |at| at + 2)
        } else if let Some(quote) = ["'\"'", "'\\''", "'\\\"'"].iter().find(|quote| rest.starts_with(*quote))
        {
            quote.len()
        } else {
            match identifier(rest).len() {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                length => length,
            }
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace() && !token.ends_with('"') && raw.is_none() {
            found.push(token);
        }
        rest = after;
    }
    found
}

/// Reads one tree of a `use`, and gives how many tokens it has: to the comma, brace or semicolon after it.
fn read_tree(tokens: &[&str], before: &[String], found: &mut Vec<Used>) -> usize {
    let mut path = before.to_vec();
    let mut at = 0;
    loop {
        match tokens[at] {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens[at] != "}" {
                    at += read_tree(&tokens[at..], &path, found);
                    at += usize::from(tokens[at] == ",");
                }
                return at + 1;
            }
            "as" => {
                found.push(Used { path, name: tokens[at + 1].to_owned() });
                return at + 2;
            }
            "," | "}" | ";" => {
                if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
                    path.pop();
                }
                let name = path.last().cloned().unwrap_or_default();
                found.push(Used { path, name });
                return at;
            }
            segment => {
                path.push(segment.to_owned());
                at += 1;
            }
        }
    }
}

fn names_in(code: &Code) -> Names {
    let text: String = code.statements().flat_map(|(_, line)| [line, "\n"]).collect();
    let tokens = tokens(&text);
    let mut names = Names::default();
    let mut handed_on = Vec::new();
    let mut words = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        let previous = at.checked_sub(1).map_or("", |before| tokens[before]);
        let is_path = !matches!(previous, "::" | "." | "in") && tokens.get(at + 1) == Some(&"::");
        if tokens[at] == "use" && tokens.get(at + 1) != Some(&"<") {
            // `pub` and `pub(crate)` alike: what stands before is `pub` or the closing brace of its brackets.
            let mut trees = Vec::new();
            at += 1 + read_tree(&tokens[at + 1..], &[], &mut trees);
            for used in trees {
                if matches!(previous, "pub" | ")") {
                    handed_on.push((used.path.clone(), used.name.clone()));
                } else {
                    names.needed.push(used.path.clone());
                }
                names.uses.push(used);
            }
        } else if is_path {
            let mut path = vec![tokens[at].to_owned()];
            while tokens.get(at + 1) == Some(&"::")
                && tokens.get(at + 2).is_some_and(|t| !identifier(t).is_empty())
            {
                at += 2;
                path.push(tokens[at].to_owned());
            }
            words.insert(path[0].clone());
            names.needed.push(path);
            at += 1;
        } else {
            words.insert(tokens[at].to_owned());
            at += 1;
        }
    }
    names.needed.extend(handed_on.into_iter().filter(|(_, name)| words.contains(name)).map(|(path, _)| path));
    names
}

/// The module whose file defines what a path leads to, as seen from a module; `None` where it leads out of the crate
/// or to something of the file itself.
fn defined_in(rooms: &Rooms, from: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
    let mut at = from.to_vec();
    let mut rest = path;
    let starts_here = loop {
        match rest.first().map(String::as_str) {
            Some("crate") => at.clear(),
            Some("self") => {}
            Some("super") => drop(at.pop()),
            _ => break rest.len() == path.len(),
        }
        rest = &rest[1..];
    };
    let mut moved = !starts_here;
    while let Some(next) = rest.first() {
        let child = [at.as_slice(), std::slice::from_ref(next)].concat();
        if rooms.contains_key(&child) {
            at = child;
        } else if let Some(used) = rooms.get(&at).and_then(|names| {
            names
                .uses
                .iter()
                .find(|used| used.name == *next && depth < 8 && (used.path != path || at != from))
        }) {
            let whole = [used.path.as_slice(), &rest[1..]].concat();
            return defined_in(rooms, &at, &whole, depth + 1);
        } else {
            break;
        }
        moved = true;
        rest = &rest[1..];
    }
    moved.then_some(at)
}

/// Which files of its own room each file names, each with the paths that lead there.
fn named_within_rooms(code: &[Code]) -> BTreeMap<Vec<String>, BTreeMap<Vec<String>, BTreeSet<String>>> {
    let rooms: Rooms = code.iter().map(|code| (code.module.clone(), names_in(code))).collect();
    let mut found = BTreeMap::new();
    for (module, names) in rooms.iter().filter(|(module, _)| !module.is_empty()) {
        let mut named: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for path in &names.needed {
            let other = defined_in(&rooms, module, path, 0);
            if let Some(other) = other.filter(|other| other != module && other.first() == module.first()) {
                named.entry(other).or_default().insert(path.join("::"));
            }
        }
        found.insert(module.clone(), named);
    }
    found
}

/// The groups of modules in which each leads to each other.
fn cycles<T: Ord + Clone, P>(named: &BTreeMap<T, BTreeMap<T, P>>) -> Vec<BTreeSet<T>> {
    let reached = |from: &T| {
        let mut seen: BTreeSet<T> = BTreeSet::new();
        let mut open = vec![from.clone()];
        while let Some(next) = open.pop() {
            for other in named.get(&next).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(other.clone()) {
                    open.push(other.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<T, BTreeSet<T>> = named.keys().map(|from| (from.clone(), reached(from))).collect();
    let mut found: Vec<BTreeSet<T>> = Vec::new();
    for (module, reached) in &all {
        let group: BTreeSet<T> =
            reached.iter().filter(|other| all[other].contains(module)).cloned().collect();
        if group.len() > 1 && !found.contains(&group) {
            found.push(group);
        }
    }
    found
}

#[test]
fn no_two_files_of_a_room_name_each_other() {
    let code = code();
    let files: BTreeMap<&[String], &str> =
        code.iter().map(|code| (code.module.as_slice(), code.name.as_str())).collect();
    let named = named_within_rooms(&code);
    let mut wrong = String::new();
    for group in cycles(&named) {
        for module in &group {
            for (other, paths) in named[module].iter().filter(|(other, _)| group.contains(*other)) {
                let (file, other) = (files[module.as_slice()], files[other.as_slice()]);
                writeln!(wrong, "{file} names {other}: {paths:?}").unwrap();
            }
        }
        wrong.push_str("and so in a circle: cut it\n\n");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A room of a `mod.rs` and two children, with this code.
fn room(parent: &str, one: &str, two: &str) -> Vec<Code> {
    let file = |module: &[&str], text: &str| Code {
        name: module.join("/"),
        module: module.iter().map(|part| (*part).to_owned()).collect(),
        lines: text.lines().map(str::to_owned).collect(),
    };
    vec![file(&["room"], parent), file(&["room", "one"], one), file(&["room", "two"], two)]
}

#[test]
fn a_circle_is_seen_however_it_is_written() {
    for (parent, one, two) in [
        ("mod one;\nmod two;", "use super::two::Two;", "use crate::room::one::One;"),
        ("mod one;\npub use one::One;", "use super::two::Two;", "use super::One;"),
        ("mod one;\nuse one::One;\npub struct Shared;", "use super::Shared;", ""),
        ("mod one;\npub use one::One;\npub struct Shared(One);", "use super::{self, Shared};", ""),
        ("mod one;\nfn f() { one::g() }\nfn h() {}", "fn g() { super::h() }", ""),
        ("", "use super::two::{\n    Other as Two,\n    Third,\n};", "fn f(one: super::one::One<'_>) {}"),
    ] {
        let found = cycles(&named_within_rooms(&room(parent, one, two)));
        assert_eq!(found.iter().map(BTreeSet::len).collect::<Vec<_>>(), [2], "{parent:?} {one:?} {two:?}");
    }
}

#[test]
fn who_only_hands_a_name_on_is_in_no_circle() {
    for (parent, one, two) in [
        ("mod one;\npub use one::One;\npub struct Shared;", "use super::Shared;", ""),
        ("mod one;\nmod two;\npub use one::One;\npub use two::Two;", "use super::Two;", "pub struct Two;"),
        (
            "mod one;\n// one::f() is elsewhere\nfn f() {}",
            "use super::f;\nconst TEXT: &str = \"super::two::X\";",
            "use super::one::X;",
        ),
        ("", "pub(in crate::room) struct One;", "use super::one::One;\nfn f() -> impl Sized + use<'_> {}"),
    ] {
        let found = cycles(&named_within_rooms(&room(parent, one, two)));
        assert_eq!(found, [] as [BTreeSet<Vec<String>>; 0], "{parent:?} {one:?} {two:?}");
    }
}
