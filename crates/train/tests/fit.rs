//! A training lowers the loss, goes on bit for bit, and changes what it may change only.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use common::checkpoint;
use qianshou_train::{
    Fit, Lora, Metrics, Network, Parameter, Run, Schedule, Sequence, Settings, State, Tokens, TrainError, Trained,
    Workers, all_parameters, lora_parameters, read_metrics, write_adapter,
};

const LORA: Lora = Lora { rank: 4, alpha: 8.0 };

fn settings(steps: usize) -> Settings {
    Settings {
        rank: Some(LORA.rank),
        alpha: LORA.alpha,
        schedule: Schedule { peak: 2e-2, warm_up: 2, steps },
        batch: 2,
        weight_decay: 0.0,
        clip: 1.0,
        seed: 5,
    }
}

/// Episodes that say the same thing again and again, so that it can be learned.
fn data() -> Vec<Sequence> {
    let episode = |number: u32| {
        let ids: Vec<u32> = [1, 2, 3, 4, 5].into_iter().chain((0..12).map(|index| 20 + (index + number) % 4)).collect();
        Tokens { learned: (0..ids.len()).map(|index| index > 5).collect(), ids }
    };
    (0..6).map(|number| Sequence::pack(&[episode(number), episode(number + 1)]).unwrap()).collect()
}

fn train(folder: &Path, steps: usize, threads: usize, stop_after: usize) -> Result<(State, Vec<Metrics>), TrainError> {
    train_from(own_first(), folder, steps, threads, stop_after)
}

fn own_first() -> Vec<Parameter> {
    lora_parameters(checkpoint("qwen2-gqa-tied").config(), LORA, 5)
}

fn train_from(
    first: Vec<Parameter>,
    folder: &Path,
    steps: usize,
    threads: usize,
    stop_after: usize,
) -> Result<(State, Vec<Metrics>), TrainError> {
    let checkpoint = checkpoint("qwen2-gqa-tied");
    let network = Network::load(&checkpoint, Some(LORA))?;
    let run = Run { folder: folder.to_owned(), save_every: 4, evaluate_every: 5, data: "small".to_owned() };
    let (data, stop) = (data(), AtomicBool::new(false));
    let mut seen = Vec::new();
    let mut report = |metrics: &Metrics| {
        seen.push(metrics.clone());
        stop.store(metrics.step == stop_after, std::sync::atomic::Ordering::Relaxed);
    };
    let workers = Workers::new(threads)?;
    let settings = settings(steps);
    let (training, development) = (&data[1..], &data[..1]);
    let fit = Fit {
        network: &network,
        settings: &settings,
        run: &run,
        workers: &workers,
        training,
        development,
        stop: &stop,
    };
    let state = fit.run(first, &mut report)?;
    Ok((state, seen))
}

fn bits(parameters: &[Parameter]) -> Vec<u32> {
    parameters.iter().flat_map(|parameter| &parameter.values).map(|value| value.to_bits()).collect()
}

#[test]
fn the_loss_falls() {
    let folder = tempfile::tempdir().unwrap();
    let (state, metrics) = train(folder.path(), 30, 1, usize::MAX).unwrap();
    assert_eq!(state.step, 30);
    let (first, last) = (metrics.first().unwrap(), metrics.last().unwrap());
    assert!(last.loss < 0.5 * first.loss, "{} → {}", first.loss, last.loss);
    assert!(last.development_loss.unwrap() < 0.6 * first.loss, "{last:?}");
    let svg = std::fs::read_to_string(folder.path().join("loss.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("polyline"));
}

#[test]
fn a_training_goes_on_bit_for_bit_with_any_number_of_threads() {
    let [whole, parts] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (expected, _) = train(whole.path(), 12, 1, usize::MAX).unwrap();
    let (stopped, _) = train(parts.path(), 12, 2, 5).unwrap();
    assert_eq!(stopped.step, 5);
    let (resumed, metrics) = train(parts.path(), 12, 2, usize::MAX).unwrap();
    assert_eq!(metrics.first().map(|metrics| metrics.step), Some(6));
    assert_eq!(bits(&resumed.parameters), bits(&expected.parameters));
    assert_eq!(resumed, expected);
    let losses = |folder: &Path| -> Vec<u64> {
        read_metrics(folder).unwrap().iter().map(|metrics| metrics.loss.to_bits()).collect()
    };
    assert_eq!(losses(parts.path()), losses(whole.path()));
}

#[test]
fn a_second_phase_begins_with_what_the_first_made() {
    let [first, second, adapter] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let (made, metrics) = train(first.path(), 12, 1, usize::MAX).unwrap();
    let begin = || Trained::open(first.path()).unwrap().begin(&own_first(), Some(LORA)).unwrap();
    assert_eq!(bits(&begin()), bits(&made.parameters));
    // The optimiser and the schedule begin anew, the loss does not.
    let (state, later) = train_from(begin(), second.path(), 6, 1, 3).unwrap();
    assert_eq!((state.step, later[0].step), (3, 1));
    assert!(later[0].loss < 0.8 * metrics[0].loss, "{} → {}", metrics[0].loss, later[0].loss);
    // It goes on bit for bit, too.
    let (resumed, _) = train_from(begin(), second.path(), 6, 2, usize::MAX).unwrap();
    let whole = tempfile::tempdir().unwrap();
    assert_eq!(resumed, train_from(begin(), whole.path(), 6, 1, usize::MAX).unwrap().0);

    // An adapter holds the same in bf16, so that what is written of it again has the same bits.
    write_adapter(adapter.path(), &made.parameters, LORA, "base").unwrap();
    let begun = Trained::open(adapter.path()).unwrap().begin(&own_first(), Some(LORA)).unwrap();
    let rounded = |parameters: &[Parameter]| -> Vec<u16> {
        let values = parameters.iter().flat_map(|parameter| &parameter.values);
        values.map(|&value| half::bf16::from_f32(value).to_bits()).collect()
    };
    let names = |parameters: &[Parameter]| parameters.iter().map(|own| own.name.clone()).collect::<Vec<_>>();
    assert_eq!((names(&begun), rounded(&begun)), (names(&made.parameters), rounded(&made.parameters)));
}

#[test]
fn a_phase_of_another_adapter_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 2, 1, usize::MAX).unwrap();
    let model = checkpoint("qwen2-gqa-tied");
    let refused = |first: &[Parameter], lora: Option<Lora>| {
        Trained::open(folder.path()).unwrap().begin(first, lora).unwrap_err().to_string()
    };
    let wider = Lora { rank: 8, alpha: 8.0 };
    let message = refused(&lora_parameters(model.config(), wider, 5), Some(wider));
    assert!(message.contains("an adapter of rank 4 and α 8, and the training is of an adapter of rank 8"), "{message}");
    let everything = all_parameters(model.config(), &model.tensors(None).unwrap()).unwrap();
    assert!(refused(&everything, None).contains("the training is of a full fine-tuning"));
    let first = own_first();
    assert!(refused(&first[2..], Some(LORA)).contains("which the training does not"));
    let mut more = first.clone();
    more.push(Parameter { name: "model.extra.lora_A".to_owned(), shape: vec![1], values: vec![0.0] });
    assert!(refused(&more, Some(LORA)).contains("it has no `model.extra.lora_A`"));
    let mut other = first;
    other[0].shape = vec![1, 2];
    assert!(refused(&other, Some(LORA)).contains("and has to be [1, 2]"));
    let empty = tempfile::tempdir().unwrap();
    assert!(Trained::open(empty.path()).unwrap_err().to_string().contains("has no `state.safetensors`"));
}

#[test]
fn steps_beyond_the_checkpoint_are_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 12, 1, 4).unwrap();
    // As if the training had been killed at a later step, in the middle of a line.
    let path = folder.path().join("metrics.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    let later = text.lines().last().unwrap().replace("\"step\":4", "\"step\":5");
    text += &format!("{later}\n{{\"step\":6,\"lo");
    std::fs::write(&path, text).unwrap();
    train(folder.path(), 12, 1, usize::MAX).unwrap();
    let steps: Vec<usize> = read_metrics(folder.path()).unwrap().iter().map(|metrics| metrics.step).collect();
    assert_eq!(steps, (1..=12).collect::<Vec<_>>());
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 12, 1, 2).unwrap();
    let error = train(folder.path(), 13, 1, 2).unwrap_err();
    assert!(matches!(error, TrainError::Resume { .. }), "{error}");
    let path = folder.path().join("state.safetensors");
    State::resume(&path, &settings(12), "small").unwrap();
    let error = State::resume(&path, &settings(12), "small, of another base").unwrap_err();
    assert!(error.to_string().contains("another base or other data"), "{error}");
    std::fs::write(folder.path().join("state.safetensors"), b"damaged").unwrap();
    let error = train(folder.path(), 12, 1, 2).unwrap_err();
    assert!(matches!(error, TrainError::Resume { .. }), "{error}");
}

#[test]
fn episodes_beyond_the_model_s_reach_are_refused() {
    let checkpoint = checkpoint("qwen2-gqa-tied");
    let network = Network::load(&checkpoint, Some(LORA)).unwrap();
    let first = lora_parameters(checkpoint.config(), LORA, 5);
    let folder = tempfile::tempdir().unwrap();
    let run = Run { folder: folder.path().to_owned(), save_every: 1, evaluate_every: 1, data: String::new() };
    let long = Tokens { ids: vec![1; 600], learned: vec![true; 600] };
    let foreign = Tokens { ids: vec![512, 512], learned: vec![true; 2] };
    for tokens in [long, foreign] {
        let data = [Sequence::pack(&[tokens]).unwrap()];
        let workers = Workers::new(1).unwrap();
        let stop = AtomicBool::new(false);
        let settings = settings(1);
        let fit = Fit {
            network: &network,
            settings: &settings,
            run: &run,
            workers: &workers,
            training: &data,
            development: &[],
            stop: &stop,
        };
        let result = fit.run(first.clone(), &mut |_| {});
        assert!(matches!(result, Err(TrainError::Setting { .. })));
    }
}
