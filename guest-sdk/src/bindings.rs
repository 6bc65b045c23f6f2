//! The contract of `wit/` in Rust. Only these files use the generated types; the rest of the crate has its own.
//!
//! Each world has a file with the exports of its components. `imports`, `convert` and `declared` are shared by all worlds.

mod convert;
pub(crate) mod declared;
pub(crate) mod imports;
pub(crate) mod projection;
pub(crate) mod reactor;
pub(crate) mod upcaster;

#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
pub mod generated {
    wit_bindgen::generate!({
        path: "wit",
        world: "projection",
        pub_export_macro: true,
        export_macro_name: "export_projection",
    });
}
