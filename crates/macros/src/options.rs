//! What stands in the brackets of the attribute.

use proc_macro2::TokenStream;
use syn::parse::Parser as _;
use syn::{LitStr, Path, Result};

/// The options of one tool.
pub(crate) struct Options {
    /// The name that the model calls, if it is not that of the function.
    pub(crate) name: Option<LitStr>,
    /// The path of `qianshou-agent`.
    pub(crate) library: Path,
}

impl Options {
    pub(crate) fn parse(tokens: TokenStream, library: Path) -> Result<Self> {
        let mut options = Self { name: None, library };
        let parser = syn::meta::parser(|option| {
            if option.path.is_ident("name") {
                options.name = Some(option.value()?.parse()?);
            } else if option.path.is_ident("crate") {
                options.library = option.value()?.parse::<LitStr>()?.parse()?;
            } else {
                return Err(option.error("`#[tool]` takes `name = \"…\"` and `crate = \"…\"`"));
            }
            Ok(())
        });
        parser.parse2(tokens)?;
        Ok(options)
    }
}
