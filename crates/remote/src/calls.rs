//! Putting native calls together, whose pieces may come mixed.

use qianshou_chat::{ChatEvent, NativeCall};

use crate::chunk::CallDelta;

/// The calls of a reply. The first one is told as it comes. Of the others nobody knows that the one before
/// is complete until the reply is, so they are told then.
#[derive(Debug)]
pub(crate) struct Calls {
    calls: Vec<Call>,
    /// How many calls the conversation has before this reply.
    before: usize,
}

#[derive(Debug)]
struct Call {
    index: Option<usize>,
    call: NativeCall,
    /// How much of the arguments has been told; nothing before the name has.
    told: Option<usize>,
}

impl Calls {
    pub(crate) fn new(before: usize) -> Self {
        Self { calls: Vec::new(), before }
    }

    /// Takes a piece.
    pub(crate) fn push(&mut self, delta: CallDelta) -> Vec<ChatEvent> {
        let CallDelta { index, id, function } = delta;
        let function = function.unwrap_or_default();
        let id = id.unwrap_or_default();
        let name = function.name.clone().unwrap_or_default();
        let position = self.position(index, &id, &name).unwrap_or_else(|| {
            let fallback = format!("call_{}", self.before + self.calls.len() + 1);
            let id = if id.is_empty() { fallback } else { id };
            let call = NativeCall { id, name: String::new(), arguments: String::new() };
            self.calls.push(Call { index, call, told: None });
            self.calls.len() - 1
        });
        if let Some(Call { call, .. }) = self.calls.get_mut(position) {
            if call.name.is_empty() {
                call.name = name;
            }
            call.arguments.push_str(&function.arguments());
        }
        match self.calls.first_mut() {
            Some(first) if position == 0 && !first.call.name.is_empty() => first.tell(),
            _ => Vec::new(),
        }
    }

    /// The reply is over; tells the rest.
    pub(crate) fn finish(&mut self) -> Vec<ChatEvent> {
        self.calls.drain(..).flat_map(|mut call| call.tell()).collect()
    }

    /// Which call a piece belongs to, if to one that has begun. Servers that number calls number all
    /// pieces; there are some that give every call the number 0, and some that give none.
    fn position(&self, index: Option<usize>, id: &str, name: &str) -> Option<usize> {
        let position = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index)?,
            None => self.calls.len().checked_sub(1)?,
        };
        let known = &self.calls.get(position)?.call;
        let is_named_anew = !name.is_empty() && !known.name.is_empty();
        let has_another_id = id != known.id && (index.is_none() || !id.is_empty());
        (!(is_named_anew && has_another_id)).then_some(position)
    }
}

impl Call {
    /// The events for what has not been told.
    fn tell(&mut self) -> Vec<ChatEvent> {
        let all = self.call.arguments.len();
        match self.told.replace(all) {
            None => vec![ChatEvent::Call(self.call.clone())],
            Some(told) if told < all => vec![ChatEvent::Arguments(self.call.arguments[told..].to_owned())],
            Some(_) => Vec::new(),
        }
    }
}
