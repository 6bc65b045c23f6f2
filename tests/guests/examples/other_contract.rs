//! Built for a version of the contract that does not exist yet.

#![cfg(target_family = "wasm")]

#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
mod contract {
    wit_bindgen::generate!({
        inline: "
            package gnomon:module@0.3.0;

            interface projection-guest {
                describe: func() -> string;
            }

            world projection {
                export projection-guest;
            }
        ",
    });

    struct Module;

    impl exports::gnomon::module::projection_guest::Guest for Module {
        fn describe() -> String {
            "something else entirely".to_owned()
        }
    }

    export!(Module);
}
