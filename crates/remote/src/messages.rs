//! Messages as the protocol has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qianshou_chat::{ChatError, ChatErrorKind, Image, Message, NativeCall, Part, Role};
use serde_json::{Map, Value, json};

/// The messages of a request; a tool's message becomes one for each result in it.
pub(crate) fn encode(messages: &[Message], image_bytes: usize) -> Result<Vec<Value>, ChatError> {
    check_images(messages, image_bytes)?;
    let mut encoded = Vec::with_capacity(messages.len());
    for message in messages {
        if message.role == Role::Tool {
            for part in &message.content {
                encoded.push(result(part)?);
            }
            continue;
        }
        let mut fields = json!({"role": message.role.as_str(), "content": content(message)});
        let calls: Vec<_> = message.calls().map(call).collect();
        if !calls.is_empty() {
            fields["tool_calls"] = calls.into();
        }
        encoded.push(fields);
    }
    Ok(encoded)
}

/// Text where there is nothing else, since not every server knows parts.
fn content(message: &Message) -> Value {
    if !message.content.iter().any(|part| matches!(part, Part::Image(_))) {
        return message.text().into();
    }
    let part = |part: &Part| match part {
        Part::Image(image) => Some(json!({"type": "image_url", "image_url": {"url": data_url(image)}})),
        // These have their own place.
        Part::Call(_) => None,
        part => Some(json!({"type": "text", "text": part.text()})),
    };
    message.content.iter().filter_map(part).collect()
}

fn data_url(image: &Image) -> String {
    format!("data:{};base64,{}", image.media_type, STANDARD.encode(&image.bytes))
}

/// A call of the history. Servers read the arguments and refuse what is no JSON object, however the model
/// came to write it.
fn call(call: &NativeCall) -> Value {
    let is_object = serde_json::from_str::<Map<String, Value>>(&call.arguments).is_ok();
    let arguments = if is_object { call.arguments.clone() } else { Value::Object(call.object()).to_string() };
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn result(part: &Part) -> Result<Value, ChatError> {
    match part {
        Part::Result(result) => Ok(json!({"role": "tool", "tool_call_id": result.call, "content": result.text})),
        _ => {
            let message = "a tool's message holds something else than the result of a native call";
            let error = ChatError::new(ChatErrorKind::InvalidRequest, message);
            Err(error.with_hint("make it with `Message::result`, which names the call"))
        }
    }
}

fn check_images(messages: &[Message], limit: usize) -> Result<(), ChatError> {
    let invalid = |message: String| Err(ChatError::new(ChatErrorKind::InvalidRequest, message));
    let mut bytes = 0_usize;
    for (index, message) in messages.iter().enumerate() {
        for part in &message.content {
            let Part::Image(image) = part else { continue };
            if !image.media_type.starts_with("image/") {
                return invalid(format!("the image in message {index} has the media type `{}`", image.media_type));
            }
            bytes = bytes.saturating_add(image.bytes.len());
        }
    }
    if bytes > limit {
        return invalid(format!("the images of the request have {bytes} bytes together, and {limit} may be sent"));
    }
    Ok(())
}
