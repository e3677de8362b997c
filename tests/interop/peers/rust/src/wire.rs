//! What bitswap and DAG-PB need of protobuf: fields written and read, no more.

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3);
    put_varint(out, value);
}

pub fn put_bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

pub fn take_varint(at: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = at.split_first()?;
        *at = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// A field: its number, and its number or its bytes.
pub struct Field<'a> {
    pub no: u64,
    pub value: u64,
    pub bytes: &'a [u8],
}

/// The fields of a message in order, None for bytes that are none.
pub fn fields(mut at: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut all = Vec::new();
    while !at.is_empty() {
        let key = take_varint(&mut at)?;
        let (mut value, mut bytes): (u64, &[u8]) = (0, &[]);
        match key & 7 {
            0 => value = take_varint(&mut at)?,
            2 => {
                let len = take_varint(&mut at)? as usize;
                if len > at.len() {
                    return None;
                }
                (bytes, at) = at.split_at(len);
            }
            _ => return None,
        }
        all.push(Field { no: key >> 3, value, bytes });
    }
    Some(all)
}
