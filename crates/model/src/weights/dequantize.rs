//! Stored numbers to F32, in parallel: plain floats, and the GGUF block formats.
//!
//! A GGUF block of 32 weights is a scale (F16), for `_1` formats also a minimum (F16), and packed
//! quanta; in 4-bit blocks the low nibbles are weights 0 to 15 and the high nibbles 16 to 31.

use half::{bf16, f16};
use qianshou_gguf::TensorKind;
use rayon::prelude::*;

/// Weights in a block of the quantised formats read here.
const BLOCK: usize = 32;

/// Weights that one task converts: small enough to spread over cores, large enough to be worth it.
const TASK: usize = 1 << 14;

/// What can be read, for error messages.
pub(crate) const SUPPORTED: &str = "F32, F16, BF16, Q8_0, Q4_0, Q4_1";

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

fn f16_at(bytes: &[u8]) -> f32 {
    f16::from_le_bytes(take(bytes)).to_f32()
}

fn take<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    taken.copy_from_slice(&bytes[..N]);
    taken
}
