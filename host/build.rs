//! Rebuilds the crate when a file is added to what is compiled in: the migrations, and the sources of the SDK.

fn main() {
    for folder in ["migrations", "guest-sdk/src", "guest-sdk/derive/src", "guest-sdk/values/src", "guest-sdk/wit/"] {
        println!("cargo:rerun-if-changed=../{folder}");
    }
}
