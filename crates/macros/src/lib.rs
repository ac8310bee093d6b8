//! The attribute `#[tool]`.
