//! The attribute `#[tool]`. Programs use it through `qianshou_agent::tool` or `qianshou::tool`.
//!
//! Its tests are a package of their own, and its examples stand where it is exported: what the tests of a crate of
//! macros need is compiled as a tool of the build, so that nearly everything would be compiled twice.

#![forbid(unsafe_code)]

mod expand;
mod function;
mod options;

use proc_macro::TokenStream;
use syn::{Path, parse_quote};

/// Makes a tool of a function; its documentation is that of `qianshou_agent::tool`.
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(options, item, parse_quote!(::qianshou_agent))
}

/// [`tool`] for programs that depend on `qianshou` alone; there it is `qianshou::tool`.
#[proc_macro_attribute]
pub fn facade_tool(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(options, item, parse_quote!(::qianshou::agent))
}

fn expanded(options: TokenStream, item: TokenStream, library: Path) -> TokenStream {
    expand::expand(options.into(), item.into(), library).into()
}
