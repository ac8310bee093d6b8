//! What the pickle of `torch.save` stands for: the few names that it may use, and the descriptions of
//! storages and tensors that come of them.

use std::ops::Range;

use super::PyTorchError;
use super::element::Element;
use super::layout::Layout;
use super::pickle::{Machine, Value};

/// The most dimensions of a tensor: without a bound, one tuple of sizes could be used again and again for
/// a few bytes each time. Weights have two.
const MOST_DIMENSIONS: usize = 8;

/// Bytes of their own, viewed by one or more tensors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storage<'a> {
    /// The record `data/KEY` holds them.
    pub(super) key: &'a str,
    /// Their number.
    pub(super) bytes: usize,
    /// What they are, unless each tensor says it itself.
    element: Option<&'static Element>,
}

/// A view of a storage.
#[derive(Debug)]
pub(super) struct Tensor<'a> {
    pub(super) storage: Storage<'a>,
    pub(super) element: &'static Element,
    pub(super) layout: Layout,
    /// The bytes from the first element to the last; they are within the storage.
    pub(super) range: Range<usize>,
}

/// A Python object that a pickle may name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    /// For the element types whose storages have no class of their own.
    RebuildTensorOfType,
    RebuildParameter,
    StorageClass(Option<&'static Element>),
    Dtype(&'static Element),
}

impl Global {
    /// The object of this name, if it is one of those that describe tensors.
    pub(super) fn find(module: &str, name: &str) -> Option<Self> {
        match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_tensor_v3") => Some(Self::RebuildTensorOfType),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch.storage", "UntypedStorage") => Some(Self::StorageClass(None)),
            ("torch", name) => Element::of_storage(name)
                .map(|element| Self::StorageClass(Some(element)))
                .or_else(|| Element::of_dtype(name).map(Self::Dtype)),
            _ => None,
        }
    }
}

impl<'a> Machine<'a> {
    /// What a call of `callable` would have returned.
    pub(super) fn call(&mut self, callable: Value<'a>, arguments: Value<'a>) -> Result<Value<'a>, PyTorchError> {
        let Value::Global(global) = callable else {
            return Err(self.wrong("something is called that is no function"));
        };
        // Whether a gradient is wanted and which hooks run then say nothing about the numbers.
        match (global, self.items(arguments)?) {
            (Global::OrderedDict, []) => Ok(self.dictionary()),
            (Global::RebuildTensor, &[Value::Storage(storage), offset, sizes, strides, _gradient, _hooks]) => {
                match self.storages[storage].element {
                    Some(element) => self.tensor(storage, element, offset, sizes, strides),
                    None => Err(self.wrong("a tensor does not say its type")),
                }
            }
            (
                Global::RebuildTensorOfType,
                &[
                    Value::Storage(storage),
                    offset,
                    sizes,
                    strides,
                    _gradient,
                    _hooks,
                    Value::Global(Global::Dtype(element)),
                ],
            ) => self.tensor(storage, element, offset, sizes, strides),
            (Global::RebuildParameter, &[tensor @ Value::Tensor(_), _gradient, _hooks]) => Ok(tensor),
            _ => Err(self.wrong("a function is called with other arguments than `torch.save` writes")),
        }
    }

    fn tensor(
        &mut self,
        storage: usize,
        element: &'static Element,
        offset: Value<'a>,
        sizes: Value<'a>,
        strides: Value<'a>,
    ) -> Result<Value<'a>, PyTorchError> {
        let storage = self.storages[storage];
        let (sizes, strides) = (self.dimensions(sizes)?, self.dimensions(strides)?);
        if sizes.len() != strides.len() {
            return Err(self.wrong("a tensor has not as many strides as sizes"));
        }
        let (layout, span) = Layout::new(sizes, strides)
            .ok_or_else(|| self.wrong("a tensor has elements that share bytes, or too many to count"))?;
        let start = self.number(offset)?.checked_mul(element.bytes);
        let range = start.zip(span.checked_mul(element.bytes)).and_then(|(start, length)| {
            let end = start.checked_add(length)?;
            (end <= storage.bytes).then_some(start..end)
        });
        let range = range.ok_or_else(|| self.wrong("a tensor goes beyond the end of its storage"))?;
        self.tensors.push(Tensor { storage, element, layout, range });
        Ok(Value::Tensor(self.tensors.len() - 1))
    }

    /// The storage that a persistent id stands for: `("storage", class, key, location, number of elements)`.
    pub(super) fn persistent(&mut self, id: Value<'a>) -> Result<Value<'a>, PyTorchError> {
        let &[
            Value::Text("storage"),
            Value::Global(Global::StorageClass(element)),
            Value::Text(key),
            Value::Text(_location),
            count,
        ] = self.items(id)?
        else {
            return Err(self.wrong("a persistent id is not that of a storage"));
        };
        let width = element.map_or(1, |element| element.bytes);
        let bytes = self.number(count)?.checked_mul(width);
        let bytes = bytes.ok_or_else(|| self.wrong("a storage is larger than the address space"))?;
        self.storages.push(Storage { key, bytes, element });
        Ok(Value::Storage(self.storages.len() - 1))
    }

    fn dimensions(&self, tuple: Value<'a>) -> Result<Vec<usize>, PyTorchError> {
        let items = self.items(tuple)?;
        if items.len() > MOST_DIMENSIONS {
            return Err(self.wrong("a tensor has more than eight dimensions"));
        }
        items.iter().map(|&size| self.number(size)).collect()
    }

    fn number(&self, value: Value<'a>) -> Result<usize, PyTorchError> {
        match value {
            Value::Integer(number) => usize::try_from(number).map_err(|_| self.wrong("a size is out of range")),
            _ => Err(self.wrong("a size is no integer")),
        }
    }
}
