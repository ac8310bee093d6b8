//! Reading results: what a log adds up to, as a table, a comparison, or a page.

mod compare;
mod page;
mod plot;
mod published;
mod summary;
mod table;

pub use self::compare::{Comparison, compare};
pub use self::page::html;
pub use self::published::{PublishedRow, published};
pub use self::summary::{Row, Summary};
pub use self::table::table;
