//! Which controls are sent: such that they differ from the candidates around them in nothing but what they say.
//!
//! A control is only a witness for candidates like itself. It is therefore chosen by the latest candidate on its channel: of the same
//! script, about as long, and with as many parts where that is a pool. Controls take turns, so that none is repeated more than others.

use std::collections::BTreeSet;

use lacuna_content::{Script, script};
use lacuna_model::{ChannelIx, ItemIx, Probe, Role, Study};
use rand::seq::SliceRandom;

use crate::random::generator;

/// With fewer controls to choose from an item is sent bare: a filter that knows it together with one of them must not meet the two
/// again and again.
const FEWEST_CARRIERS: usize = 6;

/// Messages of several controls that go missing in a row until controls are sent singly: one of them may be what is dropped.
const MISSING_UNTIL_SINGLE: u32 = 2;

/// What is longer than most controls stands beside several of them.
const LENGTH_OF_TEXTS: usize = 100;

/// Of so many controls one is tried in company again.
const TRIES_AGAIN: u32 = 10;

/// One control on one channel.
#[derive(Clone, Copy, Debug)]
struct Control {
    item: ItemIx,
    script: Option<Script>,
    length: usize,
    /// How its file was made.
    file: Option<Made>,
    sends: u32,
}

/// How a file was made, as a number: a benign twin of a transform stands for its files.
type Made = u64;

fn made(study: &Study, item: ItemIx) -> Option<Made> {
    let file = study.item(item).file.as_ref()?;
    // FNV-1a, 64 bits.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    Some(file.origin.transform.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The controls of one channel.
#[derive(Clone, Debug)]
pub(crate) struct Controls {
    /// In seeded random order.
    all: Vec<Control>,
    /// Messages of several controls that went missing since one arrived.
    missing_in_company: u32,
    messages: u32,
}

/// What a control is to look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Likeness {
    script: Option<Script>,
    length: usize,
    parts: usize,
    file: Option<Made>,
}

impl Likeness {
    /// The same, of one part.
    fn single(self) -> Self {
        let length = if self.parts == usize::MAX { 0 } else { self.length / self.parts.max(1) };
        Self { length, parts: 1, ..self }
    }

    /// Like the message of a probe. One from a text is as long as several controls, so that its parts are counted by their length.
    pub fn of(probe: &Probe, study: &Study) -> Self {
        let text = study.text_of(probe);
        let length = text.chars().count();
        let is_text = probe.excerpt.is_some() || length >= LENGTH_OF_TEXTS;
        let file = probe.items.first().and_then(|item| made(study, *item));
        Self { script: script(&text), length, parts: if is_text { usize::MAX } else { probe.items.len() }, file }
    }
}

impl Controls {
    pub fn new(study: &Study, channel: ChannelIx) -> Self {
        let mut all: Vec<Control> = study
            .items_of(Role::Control)
            .map(|item| {
                let message = &study.item(item).message;
                Control { item, script: script(message), length: message.chars().count(), file: made(study, item), sends: 0 }
            })
            .collect();
        all.shuffle(&mut generator(study.seed, &["controls", &channel.0.to_string()]));
        Self { all, missing_in_company: 0, messages: 0 }
    }

    /// What became of a message with several controls.
    pub fn told(&mut self, arrived: bool) {
        self.missing_in_company = if arrived { 0 } else { self.missing_in_company + 1 };
    }

    /// Controls that were sent more often than another was.
    pub fn ahead(&self) -> BTreeSet<ItemIx> {
        let fewest = self.all.iter().map(|control| control.sends).min().unwrap_or(0);
        self.all.iter().filter(|control| control.sends > fewest).map(|control| control.item).collect()
    }

    /// The controls of the next message, and the how-manieth send of the first of them this is. What is expelled is left out
    /// as long as there is something else. `alone`: one control is missing already, and the next is sent alone.
    pub fn next(&mut self, like: Option<Likeness>, alone: bool, expelled: impl Fn(ItemIx) -> bool) -> (Vec<ItemIx>, u32) {
        let mut like = like.unwrap_or(Likeness { script: None, length: 0, parts: 1, file: None });
        self.messages += 1;
        let in_doubt = self.missing_in_company >= MISSING_UNTIL_SINGLE && !self.messages.is_multiple_of(TRIES_AGAIN);
        if alone || in_doubt {
            like = like.single();
        }
        // A file is a witness for files, best one that was made in the same way. Where such a one is missing, that may be why.
        let fits = |control: &Control, strictness: u8| {
            let alike = like.script.is_none() || control.script == like.script;
            let same_kind = control.file.is_some() == like.file.is_some();
            let fits = match strictness {
                2 if alone && like.file.is_some() => same_kind && control.file != like.file,
                2 => alike && control.file == like.file,
                1 => same_kind && (alike || like.file.is_some()),
                _ => true,
            };
            fits && !expelled(control.item)
        };
        let mut chosen: Vec<usize> = Vec::new();
        for strictness in [2, 1, 0] {
            chosen = (0..self.all.len()).filter(|index| fits(&self.all[*index], strictness)).collect();
            if !chosen.is_empty() {
                break;
            }
        }
        if chosen.is_empty() {
            chosen = (0..self.all.len()).collect();
        }
        let usual = like.single().length;
        chosen.sort_by_key(|index| (self.all[*index].sends, self.all[*index].length.abs_diff(usual), *index));
        let mut length = 0;
        let mut items = Vec::new();
        let mut attempt = 1;
        let mut has_file = false;
        for index in chosen.into_iter().take(like.parts.max(1)) {
            let control = &mut self.all[index];
            // A file has a message of its own.
            if !items.is_empty() && (control.file.is_some() || has_file) {
                break;
            }
            has_file = control.file.is_some();
            // One more part would make it longer than what it stands for.
            if !items.is_empty() && length + control.length > like.length {
                break;
            }
            control.sends += 1;
            if items.is_empty() {
                attempt = control.sends;
            }
            length += control.length;
            items.push(control.item);
        }
        (items, attempt)
    }

    /// Whether a file was sent that was made in a way of which no benign twin was sent yet: it must be seen that this does not break
    /// delivery by itself.
    pub fn owes_twin(&self, like: Option<Likeness>) -> bool {
        let Some(made) = like.and_then(|like| like.file) else { return false };
        let mut twins = self.all.iter().filter(|control| control.file == Some(made)).peekable();
        twins.peek().is_some() && twins.all(|twin| twin.sends == 0)
    }

    /// A control to stand before an item that is sent alone: the next in turn of the item's script.
    pub fn carrier(&self, item: ItemIx, attempt: u32, study: &Study, expelled: impl Fn(ItemIx) -> bool) -> Option<ItemIx> {
        let message = &study.item(item).message;
        let own = script(message);
        let room = study.text.longest.checked_sub(message.chars().count() + study.text.separator.chars().count())?;
        let fits = |control: &&Control| control.script == own && control.length <= room && !expelled(control.item);
        let fitting: Vec<&Control> = self.all.iter().filter(fits).collect();
        if fitting.len() < FEWEST_CARRIERS {
            return None;
        }
        Some(fitting[item.get().wrapping_add(attempt as usize) % fitting.len()].item)
    }
}
