//! `#[connector]`.

use proc_macro2::TokenStream;

pub fn expand(_options: TokenStream, item: TokenStream) -> TokenStream {
    item
}
