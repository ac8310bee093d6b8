//! Loss, gradients and steps are those of torch, of finite differences, and of the engine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{NAMES, checkpoint, episodes, error, golden, sequence};
use qianshou_model::ComputeDevice;
use qianshou_train::{AdamW, Lora, Network, Parameter, Sequence, all_parameters, clip, lora_parameters};

const LORA: Lora = Lora { rank: 2, alpha: 4.0 };

fn ids(golden: &std::collections::BTreeMap<String, Vec<f32>>) -> Vec<u32> {
    golden["ids"].iter().map(|&id| id as u32).collect()
}

/// LoRA parameters with the values of the golden.
fn lora_of(name: &str) -> (Network, Vec<Parameter>) {
    let checkpoint = checkpoint(name);
    let golden = golden(name);
    let mut parameters = lora_parameters(checkpoint.config(), LORA, 1);
    for parameter in &mut parameters {
        parameter.values.clone_from(&golden[&format!("value.{}", parameter.name)]);
    }
    (Network::load(&checkpoint, Some(LORA)).unwrap(), parameters)
}

#[test]
fn lora_learns_as_in_torch() {
    for name in NAMES {
        let golden = golden(name);
        let (network, mut parameters) = lora_of(name);
        let sequence = sequence(&ids(&golden));
        let mut gradients = network.gradients(&parameters, &sequence).unwrap();
        let [_, loss, norm] = golden["losses_and_norm"][..] else { panic!("three numbers") };
        assert!((gradients.loss as f32 - loss).abs() < 1e-3, "{name}: {} {loss}", gradients.loss);
        for (parameter, gradient) in parameters.iter().zip(&gradients.values) {
            let error = error(gradient, &golden[&format!("gradient.{}", parameter.name)]);
            assert!(error < 1e-3, "{name}: {} is off by {error}", parameter.name);
        }
        let share = 1.0 / sequence.targets().len() as f32;
        gradients.values.iter_mut().flatten().for_each(|value| *value *= share);
        let found = clip(&mut gradients.values, 1.0);
        assert!((found as f32 / norm - 1.0).abs() < 1e-3, "{name}: norm {found}, expected {norm}");
        AdamW::new(&parameters, 0.1).step(&mut parameters, &gradients.values, 1, 1e-2);
        for parameter in &parameters {
            let error = error(&parameter.values, &golden[&format!("after.{}", parameter.name)]);
            // The first step of Adam is a sign: a gradient of about zero may fall on either side.
            assert!(error < 5e-3, "{name}: {} is off by {error}", parameter.name);
        }
    }
}

#[test]
fn everything_learns_as_in_torch() {
    for name in NAMES {
        let golden = golden(name);
        let checkpoint = checkpoint(name);
        let parameters = all_parameters(checkpoint.config(), &checkpoint.tensors(None).unwrap()).unwrap();
        let network = Network::load(&checkpoint, None).unwrap();
        let gradients = network.gradients(&parameters, &sequence(&ids(&golden))).unwrap();
        assert!((gradients.loss as f32 - golden["losses_and_norm"][0]).abs() < 1e-3, "{name}");
        let mut compared = 0;
        for (parameter, gradient) in parameters.iter().zip(&gradients.values) {
            let Some(expected) = golden.get(&format!("full.{}", parameter.name)) else { continue };
            let error = error(&gradient[..expected.len()], expected);
            assert!(error < 1e-3, "{name}: {} is off by {error}", parameter.name);
            compared += 1;
        }
        assert!(compared >= 11, "{name}: only {compared} were compared");
    }
}

#[test]
fn gradients_are_finite_differences() {
    for name in NAMES {
        let golden = golden(name);
        let (network, parameters) = lora_of(name);
        let sequence = sequence(&ids(&golden));
        let gradients = network.gradients(&parameters, &sequence).unwrap();
        // Along the gradient itself, where a difference is largest beside rounding, for a parameter of each kind.
        for (index, gradient) in gradients.values.iter().enumerate().take(14) {
            let norm = gradient.iter().map(|value| value * value).sum::<f32>().sqrt();
            let at = |step: f32| {
                let mut moved = parameters.clone();
                let values = moved[index].values.iter_mut().zip(gradient);
                values.for_each(|(value, gradient)| *value += step * gradient / norm);
                network.loss(&moved, &sequence).unwrap()
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            let error = (slope / f64::from(norm) - 1.0).abs();
            assert!(error < 2e-2, "{name}: {}: slope {slope}, norm {norm}", parameters[index].name);
        }
    }
}

#[test]
fn packed_episodes_are_computed_as_if_they_stood_alone() {
    for name in NAMES {
        let (network, parameters) = lora_of(name);
        let episodes = episodes(&ids(&golden(name)));
        let packed = network.gradients(&parameters, &Sequence::pack(&episodes).unwrap()).unwrap();
        let mut sum = vec![Vec::new(); parameters.len()];
        let mut loss = 0.0;
        for episode in episodes {
            let alone = network.gradients(&parameters, &Sequence::pack(&[episode]).unwrap()).unwrap();
            loss += alone.loss;
            for (sum, values) in sum.iter_mut().zip(alone.values) {
                sum.resize(values.len(), 0.0);
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
        assert!((packed.loss / loss - 1.0).abs() < 1e-5, "{name}: {} {loss}", packed.loss);
        for (packed, alone) in packed.values.iter().zip(&sum) {
            assert!(error(packed, alone) < 1e-4, "{name}");
        }
    }
}

#[test]
fn the_trainer_computes_what_the_engine_computes() {
    for name in NAMES.into_iter().chain(["qwen1-plain"]) {
        let checkpoint = checkpoint(name);
        let vocabulary = checkpoint.config().vocabulary_size;
        let ids: Vec<u32> = (0..40).map(|index| (index * 37 + 11) % vocabulary as u32).collect();
        let tokens = qianshou_train::Tokens { learned: ids.iter().map(|_| true).collect(), ids: ids.clone() };
        let network = Network::load(&checkpoint, Some(LORA)).unwrap();
        // B is zero: the adapter changes nothing.
        let parameters = lora_parameters(checkpoint.config(), LORA, 1);
        let loss = network.loss(&parameters, &Sequence::pack(&[tokens]).unwrap()).unwrap();
        let decoder = checkpoint.load(ComputeDevice::cpu(), None).unwrap();
        let logits = decoder.extend_all(&mut decoder.new_cache(), &ids).unwrap();
        let rows = logits.chunks(vocabulary).zip(&ids[1..]);
        let expected: f32 =
            rows.map(|(row, &id)| row.iter().map(|value| value.exp()).sum::<f32>().ln() - row[id as usize]).sum();
        assert!((loss as f32 - expected).abs() < 1e-2, "{name}: {loss} {expected}");
    }
}
