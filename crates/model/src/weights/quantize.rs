//! F32 to stored numbers: the other way round than `dequantize`.

use half::{bf16, f16};
use qianshou_gguf::TensorKind;
use rayon::prelude::*;

use super::dequantize::BLOCK;

/// Weights as a kind of GGUF stores them; `None` where this kind cannot be written here, or the weights are not
/// whole blocks. F32, F16, BF16, Q8_0 and Q4_0 can be.
///
/// A block of `Q8_0` or `Q4_0` is a scale and 32 quanta. The scale is chosen so that the weight of the greatest
/// magnitude gets the quantum of the greatest magnitude, and every weight the quantum nearest to it: with 8 bits it
/// is off by half a scale at most, with 4 bits (whose quanta, −8 to 7, reach less far to one side) by one.
///
/// ```
/// use qianshou_model::quantize;
/// use qianshou_gguf::TensorKind;
///
/// assert_eq!(quantize(TensorKind::Q8_0, &[0.5; 64]).map(|bytes| bytes.len()), Some(2 * 34));
/// assert_eq!(quantize(TensorKind::Q8_0, &[0.5; 33]), None);
/// ```
pub fn quantize(kind: TensorKind, weights: &[f32]) -> Option<Vec<u8>> {
    match kind {
        TensorKind::F32 => Some(by_block(weights, 1, |weight| weight[0].to_le_bytes())),
        TensorKind::F16 => Some(by_block(weights, 1, |weight| f16::from_f32(weight[0]).to_le_bytes())),
        TensorKind::BF16 => Some(by_block(weights, 1, |weight| bf16::from_f32(weight[0]).to_le_bytes())),
        TensorKind::Q8_0 if weights.len().is_multiple_of(BLOCK) => Some(by_block(weights, BLOCK, eight_bits)),
        TensorKind::Q4_0 if weights.len().is_multiple_of(BLOCK) => Some(by_block(weights, BLOCK, four_bits)),
        _ => None,
    }
}

fn by_block<const N: usize>(
    weights: &[f32],
    block: usize,
    convert: impl Fn(&[f32]) -> [u8; N] + Send + Sync,
) -> Vec<u8> {
    weights.par_chunks(block).flat_map_iter(convert).collect()
}

/// The scale, then quanta from −127 to 127.
fn eight_bits(block: &[f32]) -> [u8; 34] {
    let scale = f16::from_f32(extreme(block).abs() / 127.0);
    let mut bytes = [0; 34];
    bytes[..2].copy_from_slice(&scale.to_le_bytes());
    for (byte, weight) in bytes[2..].iter_mut().zip(block) {
        *byte = (quantum(*weight, scale).clamp(-127.0, 127.0) as i8).cast_unsigned();
    }
    bytes
}

/// The scale, then quanta from −8 to 7, kept as 0 to 15: the first half of the block in low nibbles, the second in
/// high ones.
fn four_bits(block: &[f32]) -> [u8; 18] {
    let scale = f16::from_f32(extreme(block) / -8.0);
    let mut bytes = [0; 18];
    bytes[..2].copy_from_slice(&scale.to_le_bytes());
    let nibble = |weight: f32| (quantum(weight, scale).clamp(-8.0, 7.0) + 8.0) as u8;
    let (low, high) = block.split_at(BLOCK / 2);
    for ((byte, low), high) in bytes[2..].iter_mut().zip(low).zip(high) {
        *byte = nibble(*low) | nibble(*high) << 4;
    }
    bytes
}

/// The weight of the greatest magnitude, with its sign.
fn extreme(block: &[f32]) -> f32 {
    block.iter().fold(0.0, |extreme: f32, &weight| if weight.abs() > extreme.abs() { weight } else { extreme })
}

/// Nearest multiple of the scale that is kept; 0 where the block is all zeros, or too small for a scale.
fn quantum(weight: f32, scale: f16) -> f32 {
    let scale = scale.to_f32();
    if scale == 0.0 { 0.0 } else { (weight / scale).round() }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::weights::dequantize;

    /// The weights after they were stored and read.
    fn stored(kind: TensorKind, weights: &[f32]) -> Vec<f32> {
        let bytes = quantize(kind, weights).unwrap_or_default();
        let mut read = vec![0.0; weights.len()];
        assert!(dequantize(kind, &bytes, &mut read));
        read
    }

    /// The greatest difference in a block, in parts of its greatest magnitude.
    fn error(kind: TensorKind, block: &[f32]) -> f32 {
        let read = stored(kind, block);
        let difference = block.iter().zip(&read).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        difference / extreme(block).abs().max(1e-2)
    }

    proptest! {
        #[test]
        fn errors_are_bounded(block in vec(-3.0..3.0_f32, BLOCK)) {
            // Half a scale, and the rounding of the scale to F16 (2⁻¹¹) for the extreme weight.
            prop_assert!(error(TensorKind::Q8_0, &block) <= 0.5 / 127.0 + 1e-3);
            prop_assert!(error(TensorKind::Q4_0, &block) <= 1.0 / 8.0 + 1e-3);
        }

        #[test]
        fn what_was_stored_once_is_stored_again_without_loss(block in vec(-3.0..3.0_f32, BLOCK)) {
            let read = stored(TensorKind::Q8_0, &block);
            let again = stored(TensorKind::Q8_0, &read);
            prop_assert!(read.iter().zip(&again).all(|(a, b)| (a - b).abs() <= 2e-3 * extreme(&block).abs()));
            for kind in [TensorKind::F16, TensorKind::BF16, TensorKind::F32] {
                let read = stored(kind, &block);
                prop_assert_eq!(&stored(kind, &read), &read);
            }
        }
    }

    #[test]
    fn blocks_are_laid_out_as_ggml_has_them() {
        let mut weights = [0.0; BLOCK];
        (weights[0], weights[1], weights[16]) = (-8.0, 7.0, 3.0);
        let four = quantize(TensorKind::Q4_0, &weights).unwrap_or_default();
        assert_eq!(four[..4], [0x00, 0x3c, 0xb0, 0x8f]);
        (weights[0], weights[1], weights[31]) = (127.0, -127.0, 1.0);
        let eight = quantize(TensorKind::Q8_0, &weights).unwrap_or_default();
        assert_eq!((&eight[..4], eight[33]), (&[0x00, 0x3c, 127, 129][..], 1));
    }

    #[test]
    fn nothing_is_nothing() {
        for kind in [TensorKind::Q8_0, TensorKind::Q4_0] {
            assert_eq!(stored(kind, &[0.0; BLOCK]), [0.0; BLOCK]);
            // Too small for a scale in F16.
            assert_eq!(stored(kind, &[1e-12; BLOCK]), [0.0; BLOCK]);
            assert_eq!(quantize(kind, &[1.0; 5]), None);
        }
        assert_eq!(quantize(TensorKind::Q4_1, &[1.0; BLOCK]), None);
    }
}
