//! Listings of assembled code: one line per instruction, label or constant.

use std::fmt;

/// Text of what was emitted at an offset.
#[derive(Debug)]
pub(super) struct Note {
    pub at: usize,
    pub text: String,
}

/// The listing of [`super::Code`]; prints offset, bytes and text.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) notes: &'a [Note],
}

impl<'a> Listing<'a> {
    /// Offset, bytes and text of every line, in the order of emission. Labels have no bytes.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &'a [u8], &'a str)> + use<'a> {
        let Listing { bytes, notes } = *self;
        // The bytes of a line go up to the next one.
        let ends = notes.iter().skip(1).map(|note| note.at).chain([bytes.len()]);
        notes.iter().zip(ends).map(|(note, end)| {
            let code = bytes.get(note.at..end).unwrap_or_default();
            (note.at, code, note.text.as_str())
        })
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, code, text) in self.lines() {
            if code.is_empty() {
                writeln!(f, "{text}")?;
                continue;
            }
            let hex: Vec<String> = code.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(f, "{at:6x}  {:30}  {text}", hex.join(" "))?;
        }
        Ok(())
    }
}
