//! Numbers as bytes, the fewer the smaller: LEB128 (DWARF 5, 7.6), unsigned.

/// Appends a number.
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Takes a number off the front; 0 if there is none.
pub fn take(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 || shift > 63 {
            break;
        }
    }
    value
}

/// Appends a number that may be negative: small ones of both signs are short.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Takes a number off the front that [`put_signed`] appended.
pub fn take_signed(bytes: &mut &[u8]) -> i64 {
    let value = take(bytes);
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [0, 1, 127, 128, 300, 1 << 35, u64::MAX];
        let mut bytes = Vec::new();
        numbers.iter().for_each(|&number| put(&mut bytes, number));
        let signed = [0, -1, 1, 63, -64, 64, i64::MAX, i64::MIN];
        signed.iter().for_each(|&number| put_signed(&mut bytes, number));
        let mut rest = &bytes[..];
        assert_eq!(numbers.map(|_| take(&mut rest)), numbers);
        assert_eq!(signed.map(|_| take_signed(&mut rest)), signed);
        assert!(rest.is_empty() && take(&mut rest) == 0);
    }

    #[test]
    fn small_numbers_are_short() {
        let length = |value| {
            let mut bytes = Vec::new();
            put_signed(&mut bytes, value);
            bytes.len()
        };
        assert_eq!([0, 63, -64, 64, -65].map(length), [1, 1, 1, 2, 2]);
    }
}
