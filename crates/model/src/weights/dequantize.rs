//! Stored numbers to F32, in parallel: plain floats, and the GGUF block formats.
//!
//! A GGUF block of 32 weights is a scale (F16), for `_1` formats also a minimum (F16), and packed
//! quanta; in 4-bit blocks the low nibbles are weights 0 to 15 and the high nibbles 16 to 31, and 5-bit
//! blocks keep the fifth bits apart. A `_K` block holds 256 weights in groups with scales of their own.

use half::{bf16, f16};
use qianshou_gguf::TensorKind;
use rayon::prelude::*;

/// Weights in a block, and in a `_K` block.
pub(super) const BLOCK: usize = 32;
const K_BLOCK: usize = 256;

/// Weights that one task converts: small enough to spread over cores, large enough to be worth it.
const TASK: usize = 1 << 14;

/// What can be read, for error messages.
pub(crate) const SUPPORTED: &str = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K";

/// Converts `bytes` of `kind` into `out`; `false` when the kind is not supported.
///
/// `bytes` holds exactly as many weights as `out`: the readers check sizes when they open a file.
pub(crate) fn dequantize(kind: TensorKind, bytes: &[u8], out: &mut [f32]) -> bool {
    match kind {
        TensorKind::F32 => by_task(bytes, out, 1, 4, |bytes, out| out[0] = f32::from_le_bytes(take(bytes))),
        TensorKind::F16 => by_task(bytes, out, 1, 2, |bytes, out| out[0] = f16_at(bytes)),
        TensorKind::BF16 => by_task(bytes, out, 1, 2, |bytes, out| out[0] = bf16::from_le_bytes(take(bytes)).to_f32()),
        TensorKind::Q8_0 => by_task(bytes, out, BLOCK, 34, |block, out| {
            let scale = f16_at(block);
            for (weight, &quantum) in out.iter_mut().zip(&block[2..]) {
                *weight = f32::from(quantum.cast_signed()) * scale;
            }
        }),
        TensorKind::Q4_0 => by_task(bytes, out, BLOCK, 18, |block, out| {
            let scale = f16_at(block);
            nibbles(&block[2..], out, |quantum| (f32::from(quantum) - 8.0) * scale);
        }),
        TensorKind::Q4_1 => by_task(bytes, out, BLOCK, 20, |block, out| {
            let (scale, minimum) = (f16_at(block), f16_at(&block[2..]));
            nibbles(&block[4..], out, |quantum| f32::from(quantum) * scale + minimum);
        }),
        TensorKind::Q5_0 => by_task(bytes, out, BLOCK, 22, |block, out| {
            let scale = f16_at(block);
            five_bits(&block[2..], out, |quantum| (f32::from(quantum) - 16.0) * scale);
        }),
        TensorKind::Q5_1 => by_task(bytes, out, BLOCK, 24, |block, out| {
            let (scale, minimum) = (f16_at(block), f16_at(&block[2..]));
            five_bits(&block[4..], out, |quantum| f32::from(quantum) * scale + minimum);
        }),
        TensorKind::Q4_K => by_task(bytes, out, K_BLOCK, 144, |block, out| {
            grouped(block, &[0; 32], &block[16..], out);
        }),
        TensorKind::Q5_K => by_task(bytes, out, K_BLOCK, 176, |block, out| {
            grouped(block, &block[16..48], &block[48..], out);
        }),
        TensorKind::Q6_K => by_task(bytes, out, K_BLOCK, 210, six_bits),
        _ => return false,
    }
    true
}

/// Runs `convert` on every block: `weights` numbers from `size` bytes.
fn by_task(bytes: &[u8], out: &mut [f32], weights: usize, size: usize, convert: impl Fn(&[u8], &mut [f32]) + Sync) {
    let blocks = TASK / weights;
    bytes.par_chunks(blocks * size).zip(out.par_chunks_mut(blocks * weights)).for_each(|(bytes, out)| {
        for (block, out) in bytes.chunks_exact(size).zip(out.chunks_exact_mut(weights)) {
            convert(block, out);
        }
    });
}

fn nibbles(packed: &[u8], out: &mut [f32], weight: impl Fn(u8) -> f32) {
    let (low, high) = out.split_at_mut(BLOCK / 2);
    for ((low, high), &byte) in low.iter_mut().zip(high).zip(packed) {
        *low = weight(byte & 0x0f);
        *high = weight(byte >> 4);
    }
}

/// 32 fifth bits, then the packed low four bits.
fn five_bits(packed: &[u8], out: &mut [f32], weight: impl Fn(u8) -> f32) {
    let fifths = u32::from_le_bytes(take(packed));
    let fifth = |index: usize| ((fifths >> index & 1) << 4) as u8;
    let (low, high) = out.split_at_mut(BLOCK / 2);
    for (index, ((low, high), &byte)) in low.iter_mut().zip(high).zip(&packed[4..]).enumerate() {
        *low = weight(byte & 0x0f | fifth(index));
        *high = weight(byte >> 4 | fifth(index + BLOCK / 2));
    }
}

/// Q4_K and Q5_K: eight groups of 32 weights, each with a six-bit scale and minimum that multiply those of
/// the block. Two groups share 32 bytes of nibbles; group g has its fifth bits at bit g of `fifths`.
fn grouped(block: &[u8], fifths: &[u8], nibbles: &[u8], out: &mut [f32]) {
    let (scale, minimum) = (f16_at(block), f16_at(&block[2..]));
    for (group, out) in out.chunks_exact_mut(BLOCK).enumerate() {
        let (group_scale, group_minimum) = group_scales(&block[4..16], group);
        let (scale, minimum) = (scale * f32::from(group_scale), minimum * f32::from(group_minimum));
        let bytes = &nibbles[group / 2 * BLOCK..];
        for ((weight, &byte), &fifth) in out.iter_mut().zip(bytes).zip(fifths) {
            let quantum = byte >> (4 * (group % 2)) & 0x0f | (fifth >> group & 1) << 4;
            *weight = f32::from(quantum) * scale - minimum;
        }
    }
}

/// Six-bit scale and minimum of a group, packed into twelve bytes: those of the first four groups are the
/// low bits of the first eight bytes; the others are put together from the last four and what is left.
fn group_scales(packed: &[u8], group: usize) -> (u8, u8) {
    if group < 4 {
        return (packed[group] & 63, packed[group + 4] & 63);
    }
    let low = packed[group + 4];
    (low & 0x0f | packed[group - 4] >> 6 << 4, low >> 4 | packed[group] >> 6 << 4)
}

/// Q6_K: low four bits, high two bits, a signed scale for each 16 weights, and the scale of the block.
fn six_bits(block: &[u8], out: &mut [f32]) {
    let (low, rest) = block.split_at(128);
    let (high, rest) = rest.split_at(64);
    let (scales, scale) = rest.split_at(16);
    let scale = f16_at(scale);
    for (index, weight) in out.iter_mut().enumerate() {
        // Halves of 128 weights hold four rows of 32: rows share bytes of `high`, and pairs those of `low`.
        let (half, row, column) = (index / 128, index % 128 / 32, index % 32);
        let four = low[half * 64 + row % 2 * 32 + column] >> (row / 2 * 4) & 0x0f;
        let two = high[half * 32 + column] >> (row * 2) & 3;
        let quantum = f32::from(four | two << 4) - 32.0;
        *weight = quantum * scale * f32::from(scales[index / 16].cast_signed());
    }
}

fn f16_at(bytes: &[u8]) -> f32 {
    f16::from_le_bytes(take(bytes)).to_f32()
}

fn take<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    taken.copy_from_slice(&bytes[..N]);
    taken
}
