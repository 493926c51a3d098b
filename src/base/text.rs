//! Short texts and lists that lie where they are used, so that tables of them hold no addresses: a position-independent
//! program writes to every page that holds one before it begins, which costs it microseconds each.

use std::fmt;
use std::ops::Deref;

/// A text of at most `N` bytes, none of them zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// Takes a text over; one that is too long is a compile-time error in a constant.
    pub const fn new(text: &str) -> Text<N> {
        let mut bytes = [0; N];
        let mut index = 0;
        while index < text.len() {
            assert!(index < N && text.as_bytes()[index] != 0, "a text longer than its place");
            bytes[index] = text.as_bytes()[index];
            index += 1;
        }
        Text(bytes)
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        let mut len = 0;
        while len < N && self.0[len] != 0 {
            len += 1;
        }
        match std::str::from_utf8(self.0.as_slice().split_at(len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> PartialEq<&str> for Text<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// At most `N` items.
#[derive(Clone, Copy, Debug)]
pub struct Few<T, const N: usize> {
    items: [T; N],
    count: usize,
}

impl<T: Copy, const N: usize> Few<T, N> {
    /// Takes a list over; `none` stands where there is no item.
    pub const fn new(list: &[T], none: T) -> Few<T, N> {
        let mut items = [none; N];
        let mut count = 0;
        while count < list.len() {
            items[count] = list[count];
            count += 1;
        }
        Few { items, count }
    }

    /// The items.
    pub const fn as_slice(&self) -> &[T] {
        self.items.as_slice().split_at(self.count).0
    }
}

impl<T: Copy, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_lists_are_what_they_were_made_of() {
        const FULL: Text<3> = Text::new("abc");
        assert_eq!((FULL.as_str(), &*Text::<4>::new("é"), Text::<1>::new("").len()), ("abc", "é", 0));
        assert_eq!((format!("{FULL:>4}"), format!("{FULL:?}")), (" abc".to_string(), "\"abc\"".to_string()));
        const TWO: Few<u8, 3> = Few::new(&[1, 2], 0);
        assert_eq!((&*TWO, Few::<u8, 1>::new(&[], 0).len()), (&[1, 2][..], 0));
    }
}
