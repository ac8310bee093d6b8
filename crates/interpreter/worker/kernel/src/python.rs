//! The Python half: its sources, and its dicts as messages.

use std::ffi::CString;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};
use qianshou_interpreter_protocol::{Bundle, CellError, ModuleImport, Outcome, PythonFacts, WarmReport};

const LOADER: &str = include_str!("../python/loader.py");
const SOURCES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Loads the package from the sources inside this module.
pub(crate) fn package(python: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let loader = PyModule::from_code(python, &CString::new(LOADER)?, c"<loader>", c"qianshou_loader")?;
    python.import("sys")?.getattr("modules")?.del_item("qianshou_loader")?;
    let sources = PyDict::new(python);
    for (stem, text) in SOURCES {
        sources.set_item(stem, text)?;
    }
    Ok(loader.getattr("load")?.call1((sources,))?.cast_into::<PyModule>()?)
}

pub(crate) fn warm_report(report: &Bound<'_, PyAny>) -> PyResult<WarmReport> {
    let python = report.get_item("python")?;
    let imported = report.get_item("imported")?.try_iter()?.map(|module| {
        let module = module?;
        Ok(ModuleImport {
            name: module.get_item("name")?.extract()?,
            version: module.get_item("version")?.extract()?,
            milliseconds: module.get_item("milliseconds")?.extract()?,
        })
    });
    let failed = report.get_item("failed")?.try_iter()?.map(|module| module?.get_item("name")?.extract());
    Ok(WarmReport {
        python: PythonFacts {
            version: python.get_item("version")?.extract()?,
            executable: python.get_item("executable")?.extract()?,
            prefix: python.get_item("prefix")?.extract()?,
        },
        imported: imported.collect::<PyResult<_>>()?,
        missing: report.get_item("missing")?.extract()?,
        failed: failed.collect::<PyResult<_>>()?,
        cjk_font: report.get_item("cjk_font")?.extract()?,
    })
}

pub(crate) fn bundle(bundle: &Bound<'_, PyAny>) -> PyResult<Bundle> {
    bundle.extract()
}

pub(crate) fn outcome(result: &Bound<'_, PyAny>) -> PyResult<Outcome> {
    let error = result.get_item("error")?;
    let error = if error.is_none() {
        None
    } else {
        Some(CellError {
            name: error.get_item("name")?.extract()?,
            message: error.get_item("message")?.extract()?,
            traceback: error.get_item("traceback")?.extract()?,
            hint: error.get_item("hint")?.extract()?,
        })
    };
    Ok(Outcome {
        status: result.get_item("status")?.extract()?,
        value: result.get_item("value")?.extract()?,
        error,
        exit_code: result.get_item("exit_code")?.extract()?,
        notes: result.get_item("notes")?.extract()?,
    })
}
