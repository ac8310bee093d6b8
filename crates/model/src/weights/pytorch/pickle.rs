//! The pickle of a dictionary of tensors, read by a machine that can do nothing else.
//!
//! A pickle is a program for a stack machine: it pushes numbers, texts and names of Python objects, and
//! asks to call these. `torch.save` writes it in protocol 2. Here is the machine; what a name, a call or a
//! persistent id stands for is in [`rebuild`](super::rebuild).
//!
//! An instruction makes one value of fixed size, so memory is bounded by the length of the pickle; values
//! refer to each other by index, so that depth costs no recursion and a cycle no leak.

use std::collections::HashMap;

use super::PyTorchError;
use super::rebuild::{Global, Storage, Tensor};

/// The longest pickle that is read: enough for a hundred thousand tensors.
const MOST_BYTES: usize = 16 << 20;
/// The longest text and name: without a bound, one could be used again and again for two bytes each time.
const MOST_TEXT: usize = 4096;

/// The tensors of a pickled dictionary.
#[derive(Debug)]
pub(super) struct StateDict<'a> {
    names: Vec<(&'a str, usize)>,
    tensors: Vec<Tensor<'a>>,
}

impl<'a> StateDict<'a> {
    /// Reads a pickle.
    pub(super) fn read(pickle: &'a [u8]) -> Result<Self, PyTorchError> {
        if pickle.len() > MOST_BYTES {
            return Err(PyTorchError::TooLong { found: pickle.len(), most: MOST_BYTES });
        }
        let mut machine = Machine { pickle, ..Machine::default() };
        let dictionary = machine.run()?;
        Ok(Self { names: machine.dictionaries.swap_remove(dictionary), tensors: machine.tensors })
    }

    /// Names and tensors, in the order in which they were set.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (&'a str, &Tensor<'a>)> {
        self.names.iter().map(|&(name, index)| (name, &self.tensors[index]))
    }
}

/// What the stack holds.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// None, a truth value, a float or a list: nothing that describes a tensor.
    Opaque,
    Integer(i64),
    Text(&'a str),
    Global(Global),
    /// A part of [`Machine::items`].
    Tuple(usize, usize),
    /// Index of one of [`Machine::dictionaries`].
    Dictionary(usize),
    /// Index of one of [`Machine::storages`].
    Storage(usize),
    /// Index of one of [`Machine::tensors`].
    Tensor(usize),
}

/// The machine: its program, its stack, and what the values on the stack refer to.
#[derive(Default)]
pub(super) struct Machine<'a> {
    pickle: &'a [u8],
    /// Where the instruction begins, and where its next byte is.
    instruction: usize,
    position: usize,
    stack: Vec<Value<'a>>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    /// Of all tuples, one behind the other.
    items: Vec<Value<'a>>,
    /// Of a dictionary's entries, those that are tensors with a name.
    dictionaries: Vec<Vec<(&'a str, usize)>>,
    pub(super) storages: Vec<Storage<'a>>,
    pub(super) tensors: Vec<Tensor<'a>>,
}

impl<'a> Machine<'a> {
    /// Runs to the end and returns the index of the dictionary that is left on the stack.
    fn run(&mut self) -> Result<usize, PyTorchError> {
        loop {
            self.instruction = self.position;
            match self.byte()? {
                // STOP
                b'.' => {
                    return match self.pop()? {
                        Value::Dictionary(index) => Ok(index),
                        _ => Err(self.wrong("it ends with something else than a dictionary")),
                    };
                }
                // PROTO
                0x80 => {
                    if self.byte()? != 2 {
                        return Err(self.wrong("it is not of protocol 2, in which `torch.save` writes"));
                    }
                }
                // MARK
                b'(' => self.marks.push(self.stack.len()),
                // SETITEM, SETITEMS
                b's' => {
                    let start = self.below(2)?;
                    self.set_items(start)?;
                }
                b'u' => {
                    let start = self.mark()?;
                    self.set_items(start)?;
                }
                // APPEND, APPENDS
                b'a' => drop(self.pop()?),
                b'e' => {
                    let start = self.mark()?;
                    self.stack.truncate(start);
                }
                // BUILD: attributes of a dictionary, which say nothing about its tensors.
                b'b' => drop(self.pop()?),
                // BINPUT, LONG_BINPUT
                b'q' => {
                    let key = self.byte()?;
                    self.remember(key.into())?;
                }
                b'r' => {
                    let key = u32::from_le_bytes(self.array()?);
                    self.remember(key)?;
                }
                opcode => {
                    let value = self.value(opcode)?;
                    self.stack.push(value);
                }
            }
        }
    }

    /// The value that an instruction pushes.
    fn value(&mut self, opcode: u8) -> Result<Value<'a>, PyTorchError> {
        Ok(match opcode {
            // NONE, NEWTRUE, NEWFALSE, EMPTY_LIST, BINFLOAT
            b'N' | 0x88 | 0x89 | b']' => Value::Opaque,
            b'G' => {
                self.take(8)?;
                Value::Opaque
            }
            // BININT, BININT1, BININT2, LONG1
            b'J' => Value::Integer(i32::from_le_bytes(self.array()?).into()),
            b'K' => Value::Integer(self.byte()?.into()),
            b'M' => Value::Integer(u16::from_le_bytes(self.array()?).into()),
            0x8a => self.long()?,
            // BINUNICODE
            b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                let text = self.take(length as usize)?;
                Value::Text(self.text(text)?)
            }
            // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
            b')' => self.tuple(self.stack.len()),
            b't' => {
                let start = self.mark()?;
                self.tuple(start)
            }
            0x85..=0x87 => self.tuple(self.below(usize::from(opcode - 0x84))?),
            // EMPTY_DICT
            b'}' => self.dictionary(),
            // BINGET, LONG_BINGET
            b'h' => {
                let key = self.byte()?;
                self.recall(key.into())?
            }
            b'j' => {
                let key = u32::from_le_bytes(self.array()?);
                self.recall(key)?
            }
            // GLOBAL
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                Value::Global(Global::find(module, name).ok_or_else(|| PyTorchError::Global {
                    global: format!("{module}.{name}"),
                    offset: self.instruction,
                })?)
            }
            // REDUCE
            b'R' => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(callable, arguments)?
            }
            // BINPERSID
            b'Q' => {
                let id = self.pop()?;
                self.persistent(id)?
            }
            _ => return Err(PyTorchError::Opcode { opcode, offset: self.instruction }),
        })
    }

    pub(super) fn dictionary(&mut self) -> Value<'a> {
        self.dictionaries.push(Vec::new());
        Value::Dictionary(self.dictionaries.len() - 1)
    }

    /// Moves what the stack holds from `start` on into a tuple.
    fn tuple(&mut self, start: usize) -> Value<'a> {
        let (first, length) = (self.items.len(), self.stack.len() - start);
        self.items.extend(self.stack.drain(start..));
        Value::Tuple(first, length)
    }

    /// The items of a tuple.
    pub(super) fn items(&self, tuple: Value<'a>) -> Result<&[Value<'a>], PyTorchError> {
        match tuple {
            Value::Tuple(first, length) => Ok(&self.items[first..first + length]),
            _ => Err(self.wrong("a tuple is expected")),
        }
    }

    /// Moves what the stack holds from `start` on, keys and values in turn, into the dictionary below.
    fn set_items(&mut self, start: usize) -> Result<(), PyTorchError> {
        let dictionary = match self.stack[self.floor()..start].last() {
            Some(&Value::Dictionary(index)) => index,
            _ => return Err(self.wrong("items are set in something else than a dictionary")),
        };
        for item in self.stack.drain(start..).as_slice().chunks(2) {
            if let &[Value::Text(name), Value::Tensor(tensor)] = item {
                self.dictionaries[dictionary].push((name, tensor));
            }
        }
        Ok(())
    }

    /// Puts the top of the stack into the memo.
    fn remember(&mut self, key: u32) -> Result<(), PyTorchError> {
        let top = self.stack.last().copied().ok_or_else(|| self.wrong("the stack is empty"))?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&self, key: u32) -> Result<Value<'a>, PyTorchError> {
        self.memo.get(&key).copied().ok_or_else(|| self.wrong("the memo has nothing under this number"))
    }

    fn pop(&mut self) -> Result<Value<'a>, PyTorchError> {
        let start = self.below(1)?;
        let value = self.stack[start];
        self.stack.truncate(start);
        Ok(value)
    }

    /// Removes the last mark and returns its height.
    fn mark(&mut self) -> Result<usize, PyTorchError> {
        self.marks.pop().ok_or_else(|| self.wrong("no mark is set"))
    }

    /// The height of the stack below which the current mark forbids to go.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    /// The height of the stack below its top `count` values.
    fn below(&self, count: usize) -> Result<usize, PyTorchError> {
        let start = self.stack.len().checked_sub(count).filter(|&start| start >= self.floor());
        start.ok_or_else(|| self.wrong("the stack has too few values"))
    }

    /// An integer of any length up to eight bytes.
    fn long(&mut self) -> Result<Value<'a>, PyTorchError> {
        let length = self.byte()?;
        let bytes = self.take(length.into())?;
        if bytes.len() > 8 {
            return Err(self.wrong("an integer has more than 64 bits"));
        }
        let sign = if bytes.last().is_some_and(|&byte| byte >= 0x80) { 0xff } else { 0 };
        let mut number = [sign; 8];
        number[..bytes.len()].copy_from_slice(bytes);
        Ok(Value::Integer(i64::from_le_bytes(number)))
    }

    fn line(&mut self) -> Result<&'a str, PyTorchError> {
        let rest = &self.pickle[self.position..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| self.wrong("a name does not end"))?;
        let line = &self.take(length + 1)?[..length];
        self.text(line)
    }

    fn text(&self, bytes: &'a [u8]) -> Result<&'a str, PyTorchError> {
        if bytes.len() > MOST_TEXT {
            return Err(self.wrong("a text is longer than any name of a tensor"));
        }
        str::from_utf8(bytes).map_err(|_| self.wrong("a text is not UTF-8"))
    }

    fn byte(&mut self) -> Result<u8, PyTorchError> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PyTorchError> {
        let rest = &self.pickle[self.position..];
        let array = rest.first_chunk().copied().ok_or_else(|| self.wrong("it is cut off"))?;
        self.position += N;
        Ok(array)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], PyTorchError> {
        let taken = self.pickle[self.position..].get(..count).ok_or_else(|| self.wrong("it is cut off"))?;
        self.position += count;
        Ok(taken)
    }

    /// The error for the current instruction.
    pub(super) fn wrong(&self, problem: &'static str) -> PyTorchError {
        PyTorchError::Pickle { offset: self.instruction, problem }
    }
}
