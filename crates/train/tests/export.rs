//! What is exported computes what was trained, in every form.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::checkpoint;
use half::bf16;
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, Decoder};
use qianshou_tokenizer::Specials;
use qianshou_train::{
    Lora, Parameter, Quantisation, TrainError, lora_parameters, write_adapter, write_gguf, write_merged,
};
use serde_json::json;

const LORA: Lora = Lora { rank: 4, alpha: 8.0 };

/// GPT-2's spelling of bytes: printable ones as they are, the others from U+0100 on.
fn byte_alphabet() -> Vec<String> {
    let mut next = 0x100;
    let printable = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut spell = |byte: u32| {
        let code = if printable(byte) {
            byte
        } else {
            next += 1;
            next - 1
        };
        char::from_u32(code).unwrap().to_string()
    };
    (0..256).map(&mut spell).collect()
}

/// A golden checkpoint with a tokenizer of bytes and one merge, split as the family splits.
fn base(name: &str) -> (tempfile::TempDir, Checkpoint) {
    let folder = tempfile::tempdir().unwrap();
    let golden = checkpoint(name);
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden.path().join(file), folder.path().join(file)).unwrap();
    }
    let mut vocabulary: serde_json::Map<String, serde_json::Value> =
        byte_alphabet().into_iter().enumerate().map(|(id, text)| (text, id.into())).collect();
    vocabulary.insert("an".to_owned(), 256.into());
    let qwen = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    let byte_level = |split: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": split});
    let (normalizer, first, second) = match name {
        "codellama-gqa" => (json!(null), json!({"type": "Digits", "individual_digits": true}), byte_level(true)),
        _ => {
            let split = json!({"type": "Split", "pattern": {"Regex": qwen}, "behavior": "Isolated", "invert": false});
            (json!({"type": "NFC"}), split, byte_level(false))
        }
    };
    let tokenizer = json!({
        "added_tokens": [{"id": 257, "content": "<|im_end|>", "special": true}],
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [first, second]},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": [["a", "n"]]},
    });
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let settings = json!({"eos_token": "<|im_end|>", "chat_template": "{{ messages[0].content }}"});
    std::fs::write(folder.path().join("tokenizer_config.json"), settings.to_string()).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    (folder, checkpoint)
}

/// An adapter that changes what the model says, in numbers that bf16 holds.
fn adapter(base: &Checkpoint) -> Vec<Parameter> {
    let mut parameters = lora_parameters(base.config(), LORA, 3);
    for (index, value) in parameters.iter_mut().flat_map(|parameter| &mut parameter.values).enumerate() {
        *value = bf16::from_f32(*value + 0.1 * ((index * 7919 % 101) as f32 / 50.0 - 1.0)).to_f32();
    }
    parameters
}

fn load(path: &Path, adapter: Option<&Path>) -> Decoder {
    let adapter = adapter.map(|folder| Adapter::open(folder).unwrap());
    Checkpoint::open(path).unwrap().load(ComputeDevice::cpu(), adapter).unwrap()
}

const PROMPT: [u32; 6] = [72, 101, 108, 108, 111, 33];

fn logits(decoder: &Decoder) -> Vec<f32> {
    decoder.extend_all(&mut decoder.new_cache(), &PROMPT).unwrap()
}

/// What the model says, greedily.
fn says(decoder: &Decoder) -> Vec<u32> {
    let mut cache = decoder.new_cache();
    let mut ids = PROMPT.to_vec();
    let mut said = Vec::new();
    for _ in 0..12 {
        let logits = decoder.extend(&mut cache, &ids).unwrap();
        let best = logits.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap().0 as u32;
        said.push(best);
        ids = vec![best];
    }
    said
}

/// The greatest difference of logits, in parts of the greatest logit.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    common::error(found, expected)
}

#[test]
fn every_form_computes_what_was_trained() {
    for name in ["qwen2-gqa-tied", "codellama-gqa"] {
        let (folder, base) = base(name);
        let parameters = adapter(&base);
        let out = tempfile::tempdir().unwrap();
        let path = |name: &str| out.path().join(name);
        write_adapter(&path("adapter"), &parameters, LORA, "base").unwrap();
        let trained = load(folder.path(), Some(&path("adapter")));
        let expected = (logits(&trained), says(&trained));
        assert_ne!(says(&load(folder.path(), None)), expected.1, "{name}: the adapter says nothing");

        write_merged(&path("merged"), &base, &parameters, Some(LORA)).unwrap();
        let merged = load(&path("merged"), None);
        assert!(difference(&logits(&merged), &expected.0) < 0.02, "{name}");
        for (quantisation, bound) in [(Quantisation::F16, 2e-3), (Quantisation::Q8_0, 0.03), (Quantisation::Q4_0, 0.5)]
        {
            let file = path("model.gguf");
            write_gguf(&file, &base, &parameters, Some(LORA), quantisation).unwrap();
            let decoder = load(&file, None);
            let error = difference(&logits(&decoder), &expected.0);
            assert!(error < bound, "{name}, {quantisation:?}: {error}");
            if quantisation != Quantisation::Q4_0 {
                assert_eq!(says(&decoder), expected.1, "{name}, {quantisation:?}");
            }
        }
    }
}

#[test]
fn what_does_not_fit_into_the_base_is_refused_and_nothing_is_written() {
    let (_folder, base) = base("qwen2-gqa-tied");
    // The same names in other shapes, and a layer that the base does not have.
    let wider = adapter(&checkpoint("qwen3-qknorm"));
    let mut deeper = adapter(&base);
    deeper[0].name = deeper[0].name.replace("layers.0", "layers.9");
    let full = vec![Parameter { name: "model.norm.weight".to_owned(), shape: vec![32], values: vec![0.0; 32] }];
    let out = tempfile::tempdir().unwrap();
    let [file, merged] = ["model.gguf", "merged"].map(|name| out.path().join(name));
    for (parameters, lora, reason) in [
        (&wider, Some(LORA), "only [64, 4] fits"),
        (&deeper, Some(LORA), "layers.9"),
        (&full, None, "`model.norm.weight` was trained as [32], and only [64] fits"),
    ] {
        for result in [
            write_merged(&merged, &base, parameters, lora),
            write_gguf(&file, &base, parameters, lora, Quantisation::F16),
        ] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn a_base_is_not_written_over() {
    let (folder, base) = base("qwen2-gqa-tied");
    let parameters = adapter(&base);
    let refused = |result: Result<(), TrainError>| result.unwrap_err().to_string().contains("is the base");
    let weights = folder.path().join("model.safetensors");
    let before = std::fs::read(&weights).unwrap();
    assert!(refused(write_merged(&folder.path().join("."), &base, &parameters, Some(LORA))));
    assert!(std::fs::read(&weights).unwrap() == before);

    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("base.gguf");
    write_gguf(&path, &base, &[], None, Quantisation::F16).unwrap();
    let before = std::fs::read(&path).unwrap();
    let base = Checkpoint::open(&path).unwrap();
    assert!(refused(write_gguf(&path, &base, &parameters, Some(LORA), Quantisation::F16)));
    assert!(std::fs::read(&path).unwrap() == before);
    // What was written at first has its own name only.
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
}

#[test]
fn shape_vocabulary_and_template_go_with_a_gguf_file() {
    for name in ["qwen2-gqa-tied", "codellama-gqa"] {
        let (_folder, base) = base(name);
        let out = tempfile::tempdir().unwrap();
        let [first, second] = ["first.gguf", "second.gguf"].map(|file| out.path().join(file));
        write_gguf(&first, &base, &[], None, Quantisation::F16).unwrap();
        let made = Checkpoint::open(&first).unwrap();
        assert_eq!(made.config(), base.config());
        let encode = |checkpoint: &Checkpoint| {
            checkpoint.tokenizer().unwrap().encode("In 2024, it's an island 千手<|im_end|>", Specials::All)
        };
        assert_eq!(encode(&made), encode(&base));
        assert_eq!(
            made.gguf().unwrap().require_string("tokenizer.chat_template").unwrap(),
            "{{ messages[0].content }}"
        );
        // From a GGUF base everything is copied: the same numbers give the same file.
        write_gguf(&second, &made, &[], None, Quantisation::F16).unwrap();
        assert!(std::fs::read(&first).unwrap() == std::fs::read(&second).unwrap());
    }
}

#[test]
fn a_vocabulary_that_gguf_cannot_name_is_refused() {
    let (folder, base) = base("qwen2-gqa-tied");
    let path = folder.path().join("tokenizer.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let out = tempfile::tempdir().unwrap();
    let refused = |text: String| {
        std::fs::write(&path, text).unwrap();
        let result = write_gguf(&out.path().join("model.gguf"), &base, &[], None, Quantisation::Q8_0);
        result.unwrap_err().to_string()
    };
    // Letters stand alone here, which no name in GGUF means.
    let message = refused(text.replace(r"?\\p{L}+|", r"?\\p{L}|"));
    assert!(message.contains("it splits text in a way that has no name there"), "{message}");
    let message = refused(text.replace("ByteLevel", "Whitespace").replace(r"|\\p{N}|", "|"));
    assert!(message.contains("no name in GGUF"), "{message}");
}
