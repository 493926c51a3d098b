//! Which files are mapped where: what `/proc/self/maps` needs besides the page permissions.

use crate::base::GuestAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One mapped piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMap {
    pub end: GuestAddr,
    /// Offset in the file of the first byte.
    pub offset: u64,
    pub name: Arc<[u8]>,
}

/// Mapped pieces by start address. Invariant: they do not overlap.
#[derive(Clone, Debug, Default)]
pub struct FileMaps(BTreeMap<GuestAddr, FileMap>);

impl FileMaps {
    /// Records `[start, end)`, replacing what was recorded there.
    pub fn insert(&mut self, start: GuestAddr, end: GuestAddr, offset: u64, name: &[u8]) {
        self.remove(start, end);
        self.0.insert(start, FileMap { end, offset, name: name.into() });
    }

    /// Forgets `[start, end)`; pieces that reach over it are cut.
    pub fn remove(&mut self, start: GuestAddr, end: GuestAddr) {
        for (at, map) in self.take(start, end) {
            if at < start {
                self.0.insert(at, FileMap { end: start, ..map.clone() });
            }
            if map.end > end {
                self.0.insert(end, FileMap { offset: map.offset + (end - at), ..map });
            }
        }
    }

    /// Moves the records of `[old, old + old_len)` to `[new, new + new_len)`. The last piece grows or is cut.
    pub fn rename(&mut self, old: GuestAddr, old_len: u64, new: GuestAddr, new_len: u64) {
        let pieces = self.pieces(old, old + old_len);
        self.remove(old, old + old_len);
        self.remove(new, new + new_len);
        let last = pieces.len().wrapping_sub(1);
        for (index, (start, map)) in pieces.into_iter().enumerate() {
            let at = new + (start - old);
            let end = if index == last { new + new_len } else { (new + (map.end - old)).min(new + new_len) };
            if at < end {
                self.0.insert(at, FileMap { end, ..map });
            }
        }
    }

    /// Whether any piece lies in `[start, end)`.
    pub fn overlaps(&self, start: GuestAddr, end: GuestAddr) -> bool {
        self.0.range(..end).next_back().is_some_and(|(_, map)| map.end > start)
    }

    /// The pieces that lie in `[start, end)`, cut to it.
    pub fn pieces(&self, start: GuestAddr, end: GuestAddr) -> Vec<(GuestAddr, FileMap)> {
        let mut pieces: Vec<_> = self
            .0
            .range(..end)
            .rev()
            .take_while(|(_, map)| map.end > start)
            .map(|(&at, map)| {
                let from = at.max(start);
                (
                    from,
                    FileMap {
                        end: map.end.min(end),
                        offset: map.offset + (from - at),
                        name: map.name.clone(),
                    },
                )
            })
            .collect();
        pieces.reverse();
        pieces
    }

    /// Takes out whole pieces that overlap `[start, end)`.
    fn take(&mut self, start: GuestAddr, end: GuestAddr) -> Vec<(GuestAddr, FileMap)> {
        let keys: Vec<_> =
            self.0.range(..end).rev().take_while(|(_, map)| map.end > start).map(|(&at, _)| at).collect();
        keys.into_iter().filter_map(|at| self.0.remove(&at).map(|map| (at, map))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(maps: &FileMaps) -> Vec<(u64, u64, u64)> {
        maps.pieces(0, u64::MAX).into_iter().map(|(at, map)| (at, map.end, map.offset)).collect()
    }

    #[test]
    fn pieces_are_cut_and_replaced() {
        let mut maps = FileMaps::default();
        maps.insert(0x1000, 0x5000, 0, b"a");
        maps.remove(0x2000, 0x3000);
        assert_eq!(list(&maps), [(0x1000, 0x2000, 0), (0x3000, 0x5000, 0x2000)]);
        maps.insert(0x1000, 0x4000, 0x7000, b"b");
        assert_eq!(list(&maps), [(0x1000, 0x4000, 0x7000), (0x4000, 0x5000, 0x3000)]);
        assert!(maps.overlaps(0x4fff, 0x9000) && !maps.overlaps(0x5000, 0x9000));
        maps.rename(0x1000, 0x3000, 0x8000, 0x5000);
        assert_eq!(list(&maps), [(0x4000, 0x5000, 0x3000), (0x8000, 0xd000, 0x7000)]);
    }
}
