//! Choosing where a model runs.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{DType, Device};

use crate::ModelError;

/// Where a model is asked to run: `auto`, `cpu`, `wgpu`, `wgpu:N` or `wgpu:software`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU with this number, counted over discrete, then integrated, then virtual ones.
    Wgpu(usize),
    /// A software implementation of a graphics API: slow, for tests of the GPU path without a GPU.
    WgpuSoftware,
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Wgpu(number) => write!(formatter, "wgpu:{number}"),
            Self::WgpuSoftware => formatter.write_str("wgpu:software"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "wgpu" => Ok(Self::Wgpu(0)),
            Some(("wgpu", "software")) => Ok(Self::WgpuSoftware),
            Some(("wgpu", number)) if number.parse::<usize>().is_ok() => {
                Ok(Self::Wgpu(number.parse().unwrap_or_default()))
            }
            _ => Err(ModelError::Device {
                device: text.to_owned(),
                reason: "there is no such name; use auto, cpu, wgpu, wgpu:N or wgpu:software".to_owned(),
            }),
        }
    }
}

/// In which type the weights of a model are held and multiplied. All else is F32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// F16 on a GPU that computes in it, for weights that are stored in 16 bits or less and are within its
    /// range; else F32.
    #[default]
    Auto,
    /// F32.
    F32,
    /// F16 for every weight within its range: half the memory, about three decimal digits.
    F16,
}

impl FromStr for Precision {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            _ => Err(ModelError::Precision { reason: format!("there is no `{text}`; use auto, f32 or f16") }),
        }
    }
}

/// An opened device.
#[derive(Clone, Debug)]
pub struct ComputeDevice {
    pub(crate) device: Device,
    name: String,
    is_cpu: bool,
    precision: Precision,
    binding_limit: usize,
}

impl ComputeDevice {
    /// Opens the chosen device.
    ///
    /// # Errors
    /// [`ModelError::Device`] when a GPU was asked for that is not there, or not in this build. A
    /// device that opens is usable: nothing is left to panic later for want of a driver.
    pub fn open(choice: DeviceChoice) -> Result<Self, ModelError> {
        match choice {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Auto => Ok(gpu::open(0).unwrap_or_else(Self::cpu)),
            DeviceChoice::Wgpu(number) => gpu::open(number).ok_or_else(|| unusable(choice, gpu::NO_GPU)),
            DeviceChoice::WgpuSoftware => gpu::open_software().ok_or_else(|| unusable(choice, gpu::NO_SOFTWARE)),
        }
    }

    /// The CPU, through burn's `flex` backend.
    pub fn cpu() -> Self {
        Self {
            device: Device::flex(),
            name: "cpu".to_owned(),
            is_cpu: true,
            precision: Precision::Auto,
            binding_limit: usize::MAX,
        }
    }

    /// The same device, with weights held in another precision.
    ///
    /// # Errors
    /// [`ModelError::Precision`] when the device does not compute in it.
    pub fn with_precision(self, precision: Precision) -> Result<Self, ModelError> {
        if precision == Precision::F16 && !self.device.supports_dtype(DType::F16) {
            let reason = format!("{} does not compute in F16; use auto or f32", self.name);
            return Err(ModelError::Precision { reason });
        }
        Ok(Self { precision, ..self })
    }

    /// The same device, as if it could bind no more than so many bytes at once: for drivers that promise too
    /// much. Weights beyond the limit are held in several parts; at least one row is bound, whatever the limit.
    #[must_use]
    pub fn with_binding_limit(self, bytes: usize) -> Self {
        Self { binding_limit: bytes.min(self.binding_limit), ..self }
    }

    /// Name for people: `cpu`, or the GPU's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the CPU.
    pub fn is_cpu(&self) -> bool {
        self.is_cpu
    }

    /// Most bytes of one tensor.
    pub(crate) fn binding_limit(&self) -> usize {
        self.binding_limit
    }

    /// Whether a weight is held in F16 if its values allow it; `wide` is one that is stored in more than 16 bits.
    pub(crate) fn prefers_f16(&self, wide: bool) -> bool {
        match self.precision {
            Precision::Auto => !self.is_cpu && !wide && self.device.supports_dtype(DType::F16),
            Precision::F32 => false,
            Precision::F16 => true,
        }
    }
}

fn unusable(choice: DeviceChoice, reason: &str) -> ModelError {
    ModelError::Device { device: choice.to_string(), reason: reason.to_owned() }
}

#[cfg(feature = "wgpu")]
mod gpu;
#[cfg(not(feature = "wgpu"))]
mod gpu {
    use super::ComputeDevice;

    pub(super) const NO_GPU: &str = "this build has no GPU support; use cpu, or build with `--features wgpu`";
    pub(super) const NO_SOFTWARE: &str = NO_GPU;

    pub(super) fn open(_: usize) -> Option<ComputeDevice> {
        None
    }

    pub(super) fn open_software() -> Option<ComputeDevice> {
        None
    }
}
