//! Whoever has a keyboard and no mouse reaches all that a page lets one do, in the order in which it is read, and sees where they are.

use std::path::Path;

use serde_json::Value;

use crate::devtools::Page;
use crate::runs;

/// All elements in the order of the document, and their places in it: of those that must be reached (links, and what opens or scrolls), and of
/// those that may be (what scrolls on another screen).
const EXPECTED: &str = "{
    const all = window.all = [...document.querySelectorAll('*')];
    const scrolls = it => {
        const style = getComputedStyle(it), can = way => ['auto', 'scroll'].includes(way);
        return it != document.documentElement && (can(style.overflowX) && it.scrollWidth > it.clientWidth
            || can(style.overflowY) && it.scrollHeight > it.clientHeight);
    };
    const places = chosen => all.flatMap((it, place) => chosen(it) ? [place] : []);
    for (const it of document.querySelectorAll('details')) it.open = true;
    const scrolling = all.filter(scrolls);
    const named = scrolling.filter(it => it.tabIndex == 0 && it.hasAttribute('tabindex') && it.getAttribute('role') == 'region' && it.ariaLabel);
    const must = places(it => it.matches('a[href], summary') || scrolling.includes(it));
    const may = places(it => it.matches('[tabindex=\"0\"]'));
    for (const it of document.querySelectorAll('details')) it.open = false;
    ({must, may, scrolling: scrolling.length, named: named.length})
}";

/// Where the focus is, and whether it can be seen: an outline, on the screen.
const FOCUS: &str = "{
    const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
    const seen = box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
    ({place: all.indexOf(it), name: it.outerHTML.slice(0, 120), opens: it.matches('summary'), seen,
      outline: style.outlineStyle == 'solid' && parseFloat(style.outlineWidth) >= 2})
}";

fn places(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect()
}

/// Walks through a page with the tabulator, opening what can be opened.
fn walk(file: &Path, profile: &Path, width: u32) -> Result<usize, String> {
    let mut page = Page::open(file, profile, width, 800);
    let expected = page.evaluate(EXPECTED);
    if expected["scrolling"] != expected["named"] {
        return Err(format!("{expected}: a region scrolls, and has no name or cannot be reached in every browser"));
    }
    let (must, may) = (places(&expected["must"]), places(&expected["may"]));
    let mut reached: Vec<u64> = Vec::new();
    loop {
        page.press("Tab", 9, "");
        let focus = page.evaluate(FOCUS);
        let place = focus["place"].as_u64().unwrap();
        let is_known = must.contains(&place) || may.contains(&place);
        // Behind the last it is the browser's own turn.
        if !is_known || reached.first() == Some(&place) {
            break;
        }
        if reached.last().is_some_and(|last| *last > place) {
            return Err(format!("out of order: {focus}"));
        }
        if focus["outline"] != true || focus["seen"] != true {
            return Err(format!("the focus is not seen: {focus}"));
        }
        if focus["opens"] == true {
            page.press("Enter", 13, "\r");
            if page.evaluate("document.activeElement.parentElement.open") != true {
                return Err(format!("is not opened: {focus}"));
            }
        }
        reached.push(place);
    }
    let missed: Vec<Value> = must
        .iter()
        .filter(|place| !reached.contains(place))
        .map(|place| page.evaluate(&format!("all[{place}].outerHTML.slice(0, 120)")))
        .collect();
    if !missed.is_empty() {
        return Err(format!("not reached: {missed:?}"));
    }
    Ok(reached.len())
}

#[test]
fn all_of_a_page_is_reached_with_the_keyboard_in_order_and_in_sight() {
    let folder = tempfile::tempdir().unwrap();
    let runs = runs::of_every_kind(folder.path());
    let mut reached = 0;
    for (number, run) in runs.iter().enumerate() {
        for width in [390, 1280] {
            let profile = folder.path().join(format!("profile-{number}-{width}"));
            let page = run.join("report.html");
            reached += walk(&page, &profile, width).unwrap_or_else(|wrong| panic!("{} at {width}: {wrong}", page.display()));
        }
    }
    assert!(reached > 20 * 2 * runs.len(), "{reached}");
}

/// What the test above would see.
#[test]
fn what_cannot_be_reached_or_seen_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string(runs::screen(folder.path()).join("report.html")).unwrap();
    let wrongs = [
        ("class=\"scroll\" tabindex=\"0\"", "class=\"scroll\"", "a region scrolls"),
        ("<a href=\"#paths\"", "<a tabindex=\"-1\" href=\"#paths\"", "not reached"),
        ("<a href=\"#paths\"", "<a tabindex=\"1\" href=\"#paths\"", "out of order"),
        ("outline:3px", "outline:0", "not seen"),
        (".skip:focus{left:1rem;", ".skip:focus{", "not seen"),
    ];
    for (number, (from, to, told)) in wrongs.into_iter().enumerate() {
        assert!(page.contains(from), "{from}");
        let file = folder.path().join(format!("{number}.html"));
        std::fs::write(&file, page.replace(from, to)).unwrap();
        let said = walk(&file, &folder.path().join(format!("profile-{number}")), 390).unwrap_err();
        assert!(said.contains(told), "{told}: {said}");
    }
}
