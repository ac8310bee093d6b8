//! A cursor over untrusted bytes.

use crate::GgufError;

/// Reads little-endian fields one after the other and knows, for errors, what it is reading.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The part of the file that is being read, for example ``metadata `general.name` ``.
    pub(crate) context: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], context: &str) -> Self {
        Self { bytes, position: 0, context: context.to_owned() }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], GgufError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let taken = rest.get(..count).ok_or_else(|| self.truncated(field, count as u64))?;
        self.position += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], GgufError> {
        let bytes = self.take(N, field)?;
        // `take` has returned exactly N bytes, so the conversion cannot fail.
        bytes.try_into().map_err(|_| self.truncated(field, N as u64))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, GgufError> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, GgufError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// A number of items of at least `item_bytes` each. One that the rest of the file cannot hold is
    /// refused here, so that callers may allocate for it.
    pub(crate) fn count(&mut self, item_bytes: usize, field: &'static str) -> Result<usize, GgufError> {
        let count = self.u64(field)?;
        self.check_count(count, item_bytes, field)
    }

    /// Refuses a number of items that the rest of the file cannot hold.
    pub(crate) fn check_count(&self, count: u64, item_bytes: usize, field: &'static str) -> Result<usize, GgufError> {
        let left = self.bytes.len() - self.position;
        match usize::try_from(count) {
            Ok(count) if count.checked_mul(item_bytes).is_some_and(|needed| needed <= left) => Ok(count),
            _ => Err(self.truncated(field, count.saturating_mul(item_bytes as u64))),
        }
    }

    pub(crate) fn string(&mut self, field: &'static str) -> Result<&'a str, GgufError> {
        let length = self.count(1, field)?;
        let offset = self.position;
        let bytes = self.take(length, field)?;
        str::from_utf8(bytes).map_err(|_| GgufError::Text { context: self.context.clone(), field, offset })
    }

    /// The error for a number that the format does not allow and that was the last thing read.
    pub(crate) fn number(&self, found: u64, width: usize, field: &'static str, expected: &'static str) -> GgufError {
        let offset = self.position.saturating_sub(width);
        GgufError::Number { context: self.context.clone(), field, offset, found, expected }
    }

    fn truncated(&self, field: &'static str, needed: u64) -> GgufError {
        let left = self.bytes.len() - self.position;
        GgufError::Truncated { context: self.context.clone(), field, offset: self.position, needed, left }
    }
}
