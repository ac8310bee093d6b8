//! Writes GGUF files, for tests only.

/// A file in the making: header entries and tensor data.
#[derive(Clone, Default)]
pub(crate) struct Writer {
    metadata: Vec<u8>,
    metadata_count: u64,
    tensors: Vec<u8>,
    tensor_count: u64,
    data: Vec<u8>,
    alignment: Option<u32>,
}

pub(crate) const F32: u32 = 6;
pub(crate) const U32: u32 = 4;
pub(crate) const STRING: u32 = 8;
pub(crate) const ARRAY: u32 = 9;

pub(crate) fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl Writer {
    /// A metadata entry from its encoded value.
    pub(crate) fn entry(mut self, key: &str, kind: u32, value: &[u8]) -> Self {
        self.metadata.extend(text(key));
        self.metadata.extend(kind.to_le_bytes());
        self.metadata.extend(value);
        self.metadata_count += 1;
        self
    }

    pub(crate) fn string(self, key: &str, value: &str) -> Self {
        self.entry(key, STRING, &text(value))
    }

    pub(crate) fn u32(self, key: &str, value: u32) -> Self {
        self.entry(key, U32, &value.to_le_bytes())
    }

    pub(crate) fn strings(self, key: &str, values: &[impl AsRef<str>]) -> Self {
        let items = values.iter().flat_map(|value| text(value.as_ref())).collect::<Vec<_>>();
        self.array(key, STRING, values.len() as u64, &items)
    }

    pub(crate) fn integers(self, key: &str, values: &[i32]) -> Self {
        let items = values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
        self.array(key, 5, values.len() as u64, &items)
    }

    pub(crate) fn array(self, key: &str, element: u32, count: u64, items: &[u8]) -> Self {
        let value = [&element.to_le_bytes(), &count.to_le_bytes()[..], items].concat();
        self.entry(key, ARRAY, &value)
    }

    pub(crate) fn alignment(self, alignment: u32) -> Self {
        Self { alignment: Some(alignment), ..self.u32("general.alignment", alignment) }
    }

    /// A tensor with its data placed after that of the tensors before it; `dimensions` in file order.
    pub(crate) fn tensor(mut self, name: &str, dimensions: &[u64], kind: u32, data: &[u8]) -> Self {
        let alignment = self.alignment.unwrap_or(32) as usize;
        self.data.resize(self.data.len().next_multiple_of(alignment), 0);
        let offset = self.data.len() as u64;
        self.data.extend(data);
        self.tensor_at(name, dimensions, kind, offset)
    }

    /// A tensor entry with any offset.
    pub(crate) fn tensor_at(mut self, name: &str, dimensions: &[u64], kind: u32, offset: u64) -> Self {
        self.tensors.extend(text(name));
        self.tensors.extend((dimensions.len() as u32).to_le_bytes());
        self.tensors.extend(dimensions.iter().flat_map(|length| length.to_le_bytes()));
        self.tensors.extend(kind.to_le_bytes());
        self.tensors.extend(offset.to_le_bytes());
        self.tensor_count += 1;
        self
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        self.finish_with(3, self.tensor_count, self.metadata_count)
    }

    /// The file with any version and counts.
    pub(crate) fn finish_with(&self, version: u32, tensors: u64, metadata: u64) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(version.to_le_bytes());
        file.extend(tensors.to_le_bytes());
        file.extend(metadata.to_le_bytes());
        file.extend(&self.metadata);
        file.extend(&self.tensors);
        if !self.data.is_empty() {
            file.resize(file.len().next_multiple_of(self.alignment.unwrap_or(32) as usize), 0);
            file.extend(&self.data);
        }
        file
    }
}
