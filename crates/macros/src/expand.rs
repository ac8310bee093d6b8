//! From a function to a function and a tool.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Error, ItemFn, Path, Result};

use crate::function::{Context, Function, Parameter};
use crate::options::Options;

/// The function and its tool, or the function and what is wrong with it.
pub(crate) fn expand(options: TokenStream, item: TokenStream, library: Path) -> TokenStream {
    let mut item: ItemFn = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(_) => {
            let fault = Error::new_spanned(&item, "`#[tool]` goes before a free function with a body");
            return [item, fault.into_compile_error()].into_iter().collect();
        }
    };
    let tool = tool(options, &mut item, library).unwrap_or_else(Error::into_compile_error);
    quote! { #item #tool }
}

fn tool(options: TokenStream, item: &mut ItemFn, library: Path) -> Result<TokenStream> {
    let function = Function::read(item)?;
    let Options { name, library } = Options::parse(options, library)?;
    let (ident, visibility) = (&item.sig.ident, &item.vis);
    let unraw = ident.unraw().to_string();
    let documentation = format!("The function [`{unraw}`](fn@{unraw}) as a tool.");
    let name = name.map_or(unraw, |name| name.value());

    // A type that nobody else can mean, since nothing but this block sees it.
    let arguments = Ident::new("__Arguments", Span::mixed_site());
    let definition = definition(&arguments, &function, visibility, &library);
    let call = call(item, &function);
    let returned = &function.returned;
    Ok(quote! {
        #[doc = #documentation]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug, ::core::default::Default)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}

        const _: () = {
            #definition

            impl #library::Tool for #ident {
                type Args = #arguments;

                fn spec(&self) -> #library::ToolSpec {
                    #library::ToolSpec::new::<#arguments>(#name)
                }

                async fn call(
                    &self,
                    arguments: #arguments,
                    context: &#library::ToolContext,
                ) -> ::core::result::Result<#library::ToolOutput, #library::ToolError> {
                    <#returned as #library::attribute::ToolReturn>::into_result(#call)
                }
            }
        };
    })
}

/// The struct of the arguments.
fn definition(name: &Ident, function: &Function, visibility: &syn::Visibility, library: &Path) -> TokenStream {
    let serde = quote!(#library::attribute::serde);
    let schemars = quote!(#library::attribute::schemars);
    let (serde_path, schemars_path) = (serde.to_string(), schemars.to_string());
    let documentation = &function.documentation;
    let fields =
        function.parameters.iter().map(|Parameter { attributes, name, ty }| quote!(#(#attributes)* #name: #ty));
    quote! {
        #(#documentation)*
        #[derive(#serde::Deserialize, #schemars::JsonSchema)]
        #[serde(crate = #serde_path)]
        #[schemars(crate = #schemars_path)]
        #visibility struct #name {
            #(#fields,)*
        }
    }
}

/// The call of the function with the arguments.
fn call(item: &ItemFn, function: &Function) -> TokenStream {
    let ident = &item.sig.ident;
    let arguments = function.parameters.iter().map(|Parameter { name, .. }| quote!(arguments.#name));
    let context = function.context.map(|context| match context {
        Context::Borrowed => quote!(context),
        Context::Owned => quote!(::core::clone::Clone::clone(context)),
    });
    let arguments = arguments.chain(context);
    let waiting = item.sig.asyncness.map(|_| quote!(.await));
    quote! { #ident(#(#arguments),*) #waiting }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// What the compiler says about `#[tool(options)] item`.
    fn faults(options: TokenStream, item: TokenStream) -> Vec<String> {
        let expansion = expand(options, item, parse_quote!(::qianshou_agent)).to_string();
        let messages = expansion.split("compile_error ! { \"").skip(1);
        messages.filter_map(|rest| Some(rest.split_once("\" }")?.0.to_owned())).collect()
    }

    #[test]
    fn a_function_that_cannot_be_a_tool_says_why() {
        let cases = [
            (
                quote!(
                    struct Weather;
                ),
                "`#[tool]` goes before a free function with a body",
            ),
            (
                quote!(
                    fn f() -> String;
                ),
                "`#[tool]` goes before a free function with a body",
            ),
            (
                quote!(
                    fn f(&self) -> String {}
                ),
                "a method cannot be a tool",
            ),
            (
                quote!(
                    fn f<T>(a: T) -> String {}
                ),
                "a tool cannot be generic",
            ),
            (
                quote!(
                    fn f<'a>(a: u8) -> String {}
                ),
                "a tool cannot be generic",
            ),
            (
                quote!(
                    fn f(a: u8) -> String
                    where
                        u8: Copy,
                    {
                    }
                ),
                "a tool cannot be generic",
            ),
            (
                quote!(
                    fn f(a: impl Into<String>) -> String {}
                ),
                "a tool cannot be generic",
            ),
            (
                quote!(
                    unsafe fn f() -> String {}
                ),
                "a tool cannot be `unsafe`",
            ),
            (
                quote!(
                    fn f(a: &str) -> String {}
                ),
                "an argument is read from JSON and cannot be a reference",
            ),
            (
                quote!(
                    fn f(a: &mut ToolContext) -> String {}
                ),
                "an argument is read from JSON and cannot be a reference",
            ),
            (
                quote!(
                    fn f(_: u8) -> String {}
                ),
                "a parameter of a tool is a plain name",
            ),
            (
                quote!(
                    fn f((a, b): (u8, u8)) -> String {}
                ),
                "a parameter of a tool is a plain name",
            ),
            (
                quote!(
                    fn f(a @ 1..: u8) -> String {}
                ),
                "a parameter of a tool is a plain name",
            ),
            (
                quote!(
                    fn f(context: &ToolContext, a: u8) -> String {}
                ),
                "the `ToolContext` has to be the last parameter",
            ),
            (
                quote!(
                    fn f() {}
                ),
                "a tool gives back what the model reads",
            ),
        ];
        for (item, expected) in cases {
            let text = item.to_string();
            let told = faults(quote!(), quote!(#[doc = "Does."] #item));
            assert!(matches!(&told[..], [fault] if fault.starts_with(expected)), "{text}: {told:?}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let told = faults(
            quote!(),
            quote!(
                fn f<T>(a: &str, (b, c): (T, T)) {}
            ),
        );
        let beginnings =
            ["a tool needs a doc comment", "a tool cannot be generic", "an argument is", "a parameter", "a tool gives"];
        assert_eq!(told.len(), beginnings.len(), "{told:?}");
        assert!(told.iter().zip(beginnings).all(|(fault, beginning)| fault.starts_with(beginning)), "{told:?}");
    }

    #[test]
    fn unknown_options_are_refused() {
        let item = quote!(
            #[doc = "Does."]
            fn f() -> String {}
        );
        assert_eq!(faults(quote!(name = "g", crate = "a::b"), item.clone()), [""; 0]);
        let told = faults(quote!(named = "g"), item.clone());
        assert!(told.iter().all(|fault| fault.starts_with("`#[tool]` takes `name = ")), "{told:?}");
        assert_eq!(told.len(), 1);
        assert_eq!(faults(quote!(name), item).len(), 1);
    }

    /// So that the compiler does not complain about the function as well.
    #[test]
    fn the_function_stays_whatever_is_wrong_with_the_tool() {
        let item = quote! {
            fn f(#[doc = "One."] #[cfg(unix)] a: &str) -> String {}
        };
        let expansion = expand(quote!(), item, parse_quote!(::qianshou_agent)).to_string();
        assert!(
            expansion.starts_with(
                &quote!(
                    fn f(#[cfg(unix)] a: &str) -> String {}
                )
                .to_string()
            ),
            "{expansion}"
        );
    }
}
