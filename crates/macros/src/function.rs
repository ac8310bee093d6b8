//! What a function tells about the tool that it is to be, and why some cannot be one.

use proc_macro2::Ident;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, FnArg, ItemFn, Pat, PatType, Result, ReturnType, Safety, Signature, Type};

/// A parameter that the model fills.
pub(crate) struct Parameter {
    /// Those that belong to a field: documentation, `serde`, `schemars`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) ty: Box<Type>,
}

/// How the function takes the surroundings of a call.
#[derive(Clone, Copy)]
pub(crate) enum Context {
    Borrowed,
    Owned,
}

/// What the tool is made from.
pub(crate) struct Function {
    pub(crate) documentation: Vec<Attribute>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) context: Option<Context>,
    pub(crate) returned: Type,
}

impl Function {
    /// Reads `item` and takes away from it what only the tool needs, so that plain Rust is left.
    ///
    /// # Errors
    /// All that keeps the function from being a tool.
    pub(crate) fn read(item: &mut ItemFn) -> Result<Self> {
        let attributes: Vec<_> = item.sig.inputs.iter_mut().map(take_field_attributes).collect();
        let mut faults = Vec::new();
        let documentation: Vec<_> = item.attrs.iter().filter(|it| it.path().is_ident("doc")).cloned().collect();
        if documentation.is_empty() {
            let fault = "a tool needs a doc comment: it tells the model what the tool is for";
            faults.push(Error::new_spanned(&item.sig.ident, fault));
        }
        faults.extend(form_fault(&item.sig));

        let mut parameters = Vec::new();
        let mut context = None;
        for (input, attributes) in item.sig.inputs.iter().zip(attributes) {
            if context.is_some() {
                faults.push(Error::new_spanned(input, "the `ToolContext` has to be the last parameter"));
            }
            match role(input) {
                Ok(Role::Context(kind)) => context = Some(kind),
                Ok(Role::Argument(name, ty)) => parameters.push(Parameter { attributes, name, ty }),
                Err(fault) => faults.push(fault),
            }
        }
        let returned = returned(&item.sig).unwrap_or_else(|fault| {
            faults.push(fault);
            Type::Verbatim(Default::default())
        });
        let all = faults.into_iter().reduce(|mut all, fault| {
            all.combine(fault);
            all
        });
        match all {
            Some(faults) => Err(faults),
            None => Ok(Self { documentation, parameters, context, returned }),
        }
    }
}

/// The attributes of a parameter that belong to a field, taken away from the parameter.
fn take_field_attributes(input: &mut FnArg) -> Vec<Attribute> {
    let FnArg::Typed(PatType { attrs, .. }) = input else {
        return Vec::new();
    };
    let of_field = |it: &Attribute| ["doc", "serde", "schemars"].iter().any(|name| it.path().is_ident(name));
    let (taken, left) = std::mem::take(attrs).into_iter().partition(of_field);
    *attrs = left;
    taken
}

/// A form of function that cannot be called as a tool.
fn form_fault(signature: &Signature) -> Option<Error> {
    let generics = &signature.generics;
    if !generics.params.is_empty() || generics.where_clause.is_some() {
        return Some(Error::new(generics.span(), "a tool cannot be generic: the model sees one fixed schema"));
    }
    match (&signature.safety, &signature.variadic) {
        (Safety::Unsafe(token), _) => {
            Some(Error::new_spanned(token, "a tool cannot be `unsafe`: a model decides what it is called with"))
        }
        (_, Some(variadic)) => Some(Error::new_spanned(variadic, "a tool has a fixed list of parameters")),
        _ => None,
    }
}

/// What a parameter is for.
enum Role {
    Argument(Ident, Box<Type>),
    Context(Context),
}

fn role(input: &FnArg) -> Result<Role> {
    let PatType { pat, ty, .. } = match input {
        FnArg::Typed(typed) => typed,
        FnArg::Receiver(receiver) => {
            let fault = "a method cannot be a tool: write a free function, or implement `Tool` for the type";
            return Err(Error::new_spanned(receiver, fault));
        }
    };
    match &**ty {
        ty if is_context(ty) => return Ok(Role::Context(Context::Owned)),
        Type::Reference(it) if it.mutability.is_none() && is_context(&it.elem) => {
            return Ok(Role::Context(Context::Borrowed));
        }
        Type::Reference(_) => {
            let fault = "an argument is read from JSON and cannot be a reference: use a type like `String` or `Vec`";
            return Err(Error::new_spanned(ty, fault));
        }
        Type::ImplTrait(_) => {
            return Err(Error::new_spanned(ty, "a tool cannot be generic: the model sees one fixed schema"));
        }
        _ => {}
    }
    match &**pat {
        Pat::Ident(it) if it.by_ref.is_none() && it.subpat.is_none() => {
            Ok(Role::Argument(it.ident.clone(), ty.clone()))
        }
        _ => Err(Error::new_spanned(pat, "a parameter of a tool is a plain name, which the model sees")),
    }
}

fn is_context(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "ToolContext"))
}

fn returned(signature: &Signature) -> Result<Type> {
    match &signature.output {
        ReturnType::Type(_, ty) => Ok((**ty).clone()),
        ReturnType::Default => {
            Err(Error::new_spanned(&signature.ident, "a tool gives back what the model reads, for example a `String`"))
        }
    }
}
