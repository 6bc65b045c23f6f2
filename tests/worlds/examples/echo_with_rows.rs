//! Reads rows, which its world does not offer.

#![cfg(target_family = "wasm")]

use contract::{
    exports::test::worlds::echo_guest::{Batch, Failure, Guest},
    gnomon::module::read_model,
};

#[allow(missing_docs, unreachable_pub, unsafe_code, unused_qualifications, clippy::all, reason = "generated code")]
mod contract {
    wit_bindgen::generate!({ path: ["../../wit/v0.2.0", "wit"], world: "test:worlds/echo-with-rows", generate_all });
}

struct Echo;

impl Guest for Echo {
    fn describe() -> String {
        String::new()
    }

    fn echo(batch: Batch) -> Result<Vec<String>, Failure> {
        let rows = read_model::find("accounts", "by_owner", &[]);
        Ok(batch.events.iter().map(|_| rows.len().to_string()).collect())
    }
}

#[allow(unsafe_code, reason = "the exports of a component have unmangled names")]
const _: () = {
    contract::export!(Echo with_types_in contract);
};
