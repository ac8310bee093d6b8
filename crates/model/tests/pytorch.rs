//! Files of `torch.save`: those that PyTorch writes give the model that was saved, and no others do anything.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};

use common::pytorch::{View, archive, archive_of, pickle};
use proptest::prelude::*;
use qianshou_model::{Checkpoint, ComputeDevice, Inspection, ModelError, PyTorchError};
use tempfile::TempDir;

const SHARD: &[u8] = include_bytes!("goldens/pytorch/sharded/pytorch_model-00002-of-00002.bin");

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/pytorch").join(name)
}

fn logits(folder: &Path) -> Vec<f32> {
    let decoder = Checkpoint::open(folder).unwrap().load(ComputeDevice::cpu(), None).unwrap();
    decoder.extend_all(&mut decoder.new_cache(), &[3, 1, 4, 1, 5, 9]).unwrap()
}

/// A folder with this file as its weights.
fn folder(file: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), common::config_json("qwen2")).unwrap();
    std::fs::write(folder.path().join("pytorch_model.bin"), file).unwrap();
    folder
}

/// The sharded model without its second shard.
fn first_shard() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"] {
        std::fs::copy(golden("sharded").join(file), folder.path().join(file)).unwrap();
    }
    folder
}

fn inspect(file: &[u8]) -> Result<Inspection, PyTorchError> {
    match Checkpoint::open(folder(file).path()).unwrap().inspect() {
        Ok(inspection) => Ok(inspection),
        Err(ModelError::PyTorch { source, .. }) => Err(source),
        Err(other) => panic!("{other}"),
    }
}

fn refused(file: &[u8]) -> String {
    inspect(file).unwrap_err().to_string()
}

/// Why a file with this pickle and a storage of three F32 is refused.
fn refused_pickle(pickle: &[u8]) -> String {
    refused(&archive(&[("data.pkl", pickle), ("data/0", &[0; 12])]))
}

fn refused_view(view: View<'_>) -> String {
    refused_pickle(&pickle(&[view]))
}

#[test]
fn files_of_pytorch_equal_the_safetensors_of_the_same_numbers() {
    let expected = logits(&golden("safetensors"));
    assert!(expected.iter().any(|logit| logit.abs() > 0.1), "the logits say nothing");
    assert_eq!(logits(&golden("sharded")), expected);
    assert_eq!(logits(&golden("single")), expected);
}

#[test]
fn a_folder_is_inspected_by_the_headers_of_its_shards() {
    let inspection = Checkpoint::open(&golden("sharded")).unwrap().inspect().unwrap();
    assert_eq!(inspection.missing, [""; 0]);
    let kinds: Vec<(&str, usize)> = inspection.kinds.iter().map(|(kind, &count)| (kind.as_str(), count)).collect();
    assert_eq!(kinds, [("BF16", 3), ("F16", 4), ("F32", 8)]);
}

#[test]
fn a_folder_with_both_is_read_from_safetensors() {
    let folder = folder(b"never opened");
    common::write_folder(folder.path(), "qwen2", &common::random_tensors(true), 1);
    assert!(Checkpoint::open(folder.path()).unwrap().load(ComputeDevice::cpu(), None).is_ok());
}

#[test]
fn a_folder_without_weights_says_what_is_expected() {
    let folder = folder(b"");
    std::fs::remove_file(folder.path().join("pytorch_model.bin")).unwrap();
    let message = Checkpoint::open(folder.path()).unwrap().inspect().unwrap_err().to_string();
    assert!(message.contains("`model.safetensors` or `pytorch_model.bin`"), "{message}");
}

#[test]
fn a_missing_shard_is_named() {
    let error = Checkpoint::open(first_shard().path()).unwrap().inspect().unwrap_err();
    assert!(error.to_string().contains("pytorch_model-00002-of-00002.bin is missing"), "{error}");
}

#[test]
fn a_type_that_is_no_float_is_an_error_where_a_weight_has_it() {
    let name = "model.embed_tokens.weight";
    let count = (common::VOCABULARY * common::HIDDEN) as i64;
    let view = View {
        name,
        storage: ("CharStorage", "0", count),
        sizes: &[common::VOCABULARY as i64, common::HIDDEN as i64],
        strides: &[common::HIDDEN as i64, 1],
        ..View::default()
    };
    let folder = folder(&archive(&[("data.pkl", &pickle(&[view])), ("data/0", &vec![0; count as usize])]));
    let error = Checkpoint::open(folder.path()).unwrap().load(ComputeDevice::cpu(), None).unwrap_err();
    assert!(error.to_string().contains("is stored as I8, supported: F32, F16, BF16"), "{error}");
}

#[test]
fn the_format_before_the_archive_is_named_with_the_way_out() {
    let message = refused(&std::fs::read(golden("legacy.bin")).unwrap());
    assert!(message.contains("before PyTorch 1.6") && message.contains("weights_only=True"), "{message}");
}

#[test]
fn what_is_no_tensor_is_refused_by_name_and_never_run() {
    let system = b"\x80\x02cos\nsystem\nX\x08\0\0\0touch it\x85R.";
    let error = inspect(&archive(&[("data.pkl", system)])).unwrap_err();
    assert_eq!(error, PyTorchError::Global { global: "os.system".to_owned(), offset: 2 });
    assert!(error.to_string().contains("asks for `os.system` at offset 2"), "{error}");
    let module = refused(&std::fs::read(golden("module.bin")).unwrap());
    assert!(module.contains("`torch.nn.modules.linear.Linear`"), "{module}");
    // Names that exist, in modules where they do not.
    for name in ["os\nOrderedDict", "builtins\nFloatStorage", "torch\nload", "torch\nFloatStorage.x", "torch.storage\n"]
    {
        let message = refused_pickle(format!("c{name}\n.").as_bytes());
        assert!(message.contains(&name.replace('\n', ".")), "{message}");
    }
    // The other ways in which a pickle can reach an object: INST, OBJ, NEWOBJ, EXT1, STACK_GLOBAL.
    for opcode in [b'i', b'o', 0x81, 0x82, 0x93] {
        assert_eq!(
            inspect(&archive(&[("data.pkl", &[b'N', opcode])])),
            Err(PyTorchError::Opcode { opcode, offset: 1 })
        );
    }
}

#[test]
fn calls_that_torch_does_not_write_are_refused() {
    for (pickle, problem) in [
        (&b"ccollections\nOrderedDict\n)Q."[..], "a persistent id is not that of a storage"),
        (b"ccollections\nOrderedDict\nK\x01\x85R.", "with other arguments"),
        (b"ctorch\nfloat32\n)R.", "with other arguments"),
        (b"ctorch._utils\n_rebuild_parameter\n)R.", "with other arguments"),
        (b"K\x01)R.", "something is called that is no function"),
        (b"ccollections\nOrderedDict\nNR.", "a tuple is expected"),
        (b"K\x01.", "something else than a dictionary"),
        (b"NNNs}.", "items are set in something else than a dictionary"),
        (b"}(NNu", "it is cut off"),
        (b"}(NN.", "it ends with something else than a dictionary"),
        (b"(.", "the stack has too few values"),
        (b"N(\x85.", "the stack has too few values"),
        (b"u.", "no mark is set"),
        (b"q\x00.", "the stack is empty"),
        (b"h\x00.", "the memo has nothing"),
        (b"\x80\x04}.", "protocol 2"),
        (b"\x8a\x09123456789.", "more than 64 bits"),
        (b"X\xff\xff\xff\xffx.", "it is cut off"),
        (b"X\x01\0\0\0\xff.", "not UTF-8"),
        (b"cos", "a name does not end"),
        (b"", "it is cut off"),
    ] {
        let message = refused_pickle(pickle);
        assert!(message.contains(problem), "{}: {message}", pickle.escape_ascii());
    }
    let long = [b"X\0\x20\0\0".as_slice(), &[b'x'; 0x2000], b"."].concat();
    assert!(refused_pickle(&long).contains("longer than any name"));
}

#[test]
fn views_outside_their_storage_are_refused() {
    for (view, problem) in [
        (View { offset: 1, ..View::default() }, "beyond the end of its storage"),
        (View { sizes: &[4], ..View::default() }, "beyond the end of its storage"),
        (View { strides: &[2], ..View::default() }, "beyond the end of its storage"),
        (View { offset: i64::MAX, ..View::default() }, "beyond the end of its storage"),
        (View { offset: -1, ..View::default() }, "out of range"),
        (View { strides: &[-1], ..View::default() }, "out of range"),
        (View { storage: ("FloatStorage", "0", i64::MAX), ..View::default() }, "larger than the address space"),
        (View { strides: &[0], ..View::default() }, "share bytes"),
        (View { sizes: &[i64::MAX, i64::MAX, 0], strides: &[0; 3], ..View::default() }, "too many to count"),
        (View { sizes: &[i64::MAX], strides: &[i64::MAX], ..View::default() }, "too many to count"),
        (View { strides: &[1, 1], ..View::default() }, "not as many strides"),
        (View { sizes: &[1; 9], strides: &[1; 9], ..View::default() }, "more than eight dimensions"),
        (View { storage: ("QInt8Storage", "0", 3), ..View::default() }, "`torch.QInt8Storage`"),
        (View { storage: ("float32", "0", 3), ..View::default() }, "not that of a storage"),
        (View { storage: ("FloatStorage", "1", 3), ..View::default() }, "no record `data/1`"),
        (View { storage: ("FloatStorage", "0", 4), ..View::default() }, "has 16 bytes by the pickle, and 12"),
    ] {
        let message = refused_view(view);
        assert!(message.contains(problem), "{problem}: {message}");
    }
    let inside = archive(&[("data.pkl", &pickle(&[View::default()])), ("data/0", &[0; 12])]);
    assert!(inspect(&inside).is_ok());
}

#[test]
fn containers_that_torch_does_not_write_are_refused() {
    let pickle = pickle(&[View::default()]);
    let records = [("data.pkl", pickle.as_slice()), ("data/0", &[0; 12])];
    let with = |extra| archive(&[&records[..], &[extra]].concat());
    assert!(inspect(&with(("byteorder", b"little"))).is_ok());
    assert_eq!(inspect(&with(("byteorder", b"big"))), Err(PyTorchError::BigEndian));
    assert!(refused(&with(("data/0", &[0; 12]))).contains("two records have one name"));
    assert!(refused(&archive(&records[1..])).contains("no record `data.pkl`"));
    let deflated = archive_of(&records, rawzip::CompressionMethod::DEFLATE);
    assert!(refused(&deflated).contains("record `data.pkl` is compressed"));
    assert!(refused(b"version https://git-lfs.github.com/spec/v1\n").contains("not a whole zip archive"));
    let long = vec![b'N'; (4 << 20) + 1];
    assert!(refused(&archive(&[("data.pkl", &long)])).contains("4194305 bytes"));
}

#[test]
fn depth_and_repetition_cost_no_more_than_their_bytes() {
    // A tuple in a tuple, eight hundred thousand times; and tuples that hold the one before twice.
    for nest in [b"\x85".as_slice(), b"q\0h\0\x86"] {
        let pickle = [b"\x80\x02}N", nest.repeat(800_000).as_slice(), b"b."].concat();
        let inspection = inspect(&archive(&[("data.pkl", &pickle)])).unwrap();
        assert!(inspection.kinds.is_empty());
    }
}

/// Instructions for storage 0, behind the function and the mark that a tensor of it needs.
const STORAGE: &[u8] =
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x03tQ";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Cut anywhere, a real file is refused; with other bytes in it, it loads or is refused.
    #[test]
    fn damaged_files_never_panic(
        cut: bool,
        at: prop::sample::Index,
        change in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let mut bytes = SHARD.to_vec();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            let end = (at + change.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&change[..end - at]);
        }
        let folder = first_shard();
        std::fs::write(folder.path().join("pytorch_model-00002-of-00002.bin"), bytes).unwrap();
        let result = Checkpoint::open(folder.path()).unwrap().load(ComputeDevice::cpu(), None);
        prop_assert!(!cut || result.is_err());
    }

    /// A program of instructions in any order opens or is refused.
    #[test]
    fn any_program_never_panics(
        program in prop::collection::vec(
            prop_oneof![
                4 => prop::sample::select(vec![
                    b"(".as_slice(), b"}", b"]", b")", b"t", b"\x85", b"\x86", b"\x87", b"s", b"u", b"a", b"e", b"N",
                    b"R", b"b", b"Q", b"K\x01", b"K\x03", b"q\x00", b"q\x01", b"h\x00", b"h\x01", b"\x89", b".",
                    b"X\x07\0\0\0storage", b"X\x01\0\0\x000", b"ctorch\nFloatStorage\n", b"ctorch\nbfloat16\n",
                    b"ctorch.storage\nUntypedStorage\n", b"ccollections\nOrderedDict\n",
                    b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_tensor_v3\n",
                    b"ctorch._utils\n_rebuild_parameter\n", STORAGE, b"K\0K\x03\x85K\x01\x85\x89NtR",
                ]).prop_map(<[u8]>::to_vec),
                1 => prop::collection::vec(any::<u8>(), 1..4),
            ],
            0..40,
        ),
    ) {
        let program = program.concat();
        let _ = inspect(&archive(&[("data.pkl", &program), ("data/0", &[0; 12])]));
    }
}
