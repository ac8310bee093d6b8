//! The state of a training in one file, so that it goes on bit for bit after being killed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, View};

use crate::optimizer::AdamW;
use crate::{Parameter, Settings, TrainError};

/// Which layout the file has. A file of another version is refused.
const VERSION: &str = "1";

/// All that changes while a training runs.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Steps taken.
    pub step: usize,
    /// What is trained.
    pub parameters: Vec<Parameter>,
    /// The optimiser's moments.
    pub optimizer: AdamW,
}

/// The three blocks of a parameter that are kept.
const BLOCKS: [&str; 3] = ["value", "first", "second"];

/// A block as it stands in the file.
struct Block<'a> {
    shape: &'a [usize],
    values: &'a [f32],
}

impl View for Block<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.values)
    }
}

impl State {
    /// Writes the state to `path`. A file that is there is replaced in one go, so that there is always a whole one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path, settings: &Settings, data: &str) -> Result<(), TrainError> {
        let moments = self.optimizer.first.iter().zip(&self.optimizer.second);
        let blocks = self.parameters.iter().zip(moments).flat_map(|(parameter, (first, second))| {
            let blocks = BLOCKS.iter().zip([&parameter.values, first, second]);
            blocks
                .map(|(kind, values)| (format!("{}:{kind}", parameter.name), Block { shape: &parameter.shape, values }))
        });
        let names: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        let metadata = [
            ("version", VERSION.to_owned()),
            ("step", self.step.to_string()),
            ("settings", json(serde_json::to_string(settings))),
            ("names", json(serde_json::to_string(&names))),
            ("data", data.to_owned()),
        ];
        let metadata: HashMap<_, _> = metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let part = path.with_extension("part");
        safetensors::serialize_to_file(blocks, Some(metadata), &part)
            .map_err(|error| TrainError::Io { path: part.clone(), source: std::io::Error::other(error) })?;
        std::fs::rename(&part, path).map_err(TrainError::io(path))
    }

    /// Reads what `save` wrote: the state, and the settings and data that it was made with.
    ///
    /// # Errors
    /// [`TrainError::Resume`] when the file is damaged.
    pub fn open(path: &Path) -> Result<(Self, Settings, String), TrainError> {
        let bytes = std::fs::read(path).map_err(TrainError::io(path))?;
        let refuse = |reason: String| TrainError::Resume { path: PathBuf::from(path), reason };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| refuse(error.to_string()))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let field = |name: &str| metadata.get(name).map_or("", String::as_str);
        if field("version") != VERSION {
            return Err(refuse(format!("its version is `{}`, expected {VERSION}", field("version"))));
        }
        let unreadable = |error: serde_json::Error| refuse(format!("its header cannot be read: {error}"));
        let settings: Settings = serde_json::from_str(field("settings")).map_err(unreadable)?;
        let names: Vec<String> = serde_json::from_str(field("names")).map_err(unreadable)?;
        let step = field("step").parse().map_err(|_| refuse("it does not say its step".to_owned()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| refuse(error.to_string()))?;
        let read = |name: &str, kind: &str| {
            let name = format!("{name}:{kind}");
            let tensor = tensors.tensor(&name).map_err(|_| refuse(format!("it has no `{name}`")))?;
            let (numbers, _) = tensor.data().as_chunks::<4>();
            let values: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            Ok::<_, TrainError>((tensor.shape().to_vec(), values))
        };
        let mut parameters = Vec::new();
        let [mut first, mut second] = [Vec::new(), Vec::new()];
        for name in names {
            let (shape, values) = read(&name, BLOCKS[0])?;
            first.push(read(&name, BLOCKS[1])?.1);
            second.push(read(&name, BLOCKS[2])?.1);
            parameters.push(Parameter { name, shape, values });
        }
        let optimizer = AdamW::with_moments(first, second, settings.weight_decay);
        Ok((Self { step, parameters, optimizer }, settings, field("data").to_owned()))
    }

    /// Reads the state of a training with these settings and this data.
    ///
    /// # Errors
    /// [`TrainError::Resume`] when the file is damaged, or belongs to a training with others.
    pub fn resume(path: &Path, settings: &Settings, data: &str) -> Result<Self, TrainError> {
        let (state, its_settings, its_data) = Self::open(path)?;
        let refuse = |reason: String| Err(TrainError::Resume { path: PathBuf::from(path), reason });
        if its_settings != *settings {
            let settings = serde_json::to_string(&its_settings).unwrap_or_default();
            return refuse(format!("it was made with other settings: {settings}"));
        }
        if its_data != data {
            return refuse("it was made with another base or other data, or began with other parameters".to_owned());
        }
        Ok(state)
    }
}
