//! Building and uploading the modules.

use std::time::{Duration, Instant};

use super::step::{Step, Steps};
use crate::{
    api::Uploaded,
    cli::{
        client::Client,
        deploy::{Activate, Upload, upload as upload_module},
        figures,
        guest_crate::{CargoOutput, Component, GuestCrate, add_target},
        sources::Sources,
    },
};

/// The modules: first the upcaster of older arrivals, then those that fold the flights.
const MODULES: [&str; 4] = ["flight-arrivals", "punctuality", "flights", "fleet"];

/// The reactor, which comes last.
const REACTOR: &str = "delays";

/// A module's name and its component.
pub(super) type Built = (String, Component);

/// What was built.
pub(super) struct Components {
    /// In the order in which they are uploaded.
    pub(super) modules: Vec<Built>,
    pub(super) reactor: Built,
}

pub(super) async fn build(steps: &mut Steps, sources: &Sources) -> anyhow::Result<Components> {
    // Before the step, whose progress rustup would write over.
    add_target(&sources.module(MODULES[0])).await?;
    let step = steps.begin("building modules; the first time this takes a few minutes");
    let mut modules = Vec::new();
    for name in MODULES {
        modules.push(build_one(&step, sources, name).await?);
    }
    let reactor = build_one(&step, sources, REACTOR).await?;
    let built = modules.iter().chain([&reactor]);
    let sizes: Vec<String> =
        built.map(|(name, component)| format!("{name} {}", figures::bytes(component.bytes))).collect();
    step.done("built five modules from Rust to WebAssembly", &[sizes.join(", ")]);
    Ok(Components { modules, reactor })
}

/// Builds the module whose crate has this name.
pub(super) async fn build_one(step: &Step, sources: &Sources, name: &str) -> anyhow::Result<Built> {
    let guest = GuestCrate::find(&sources.module(name)).await?;
    let show = |line: &str| step.progress.show(0, None, format_args!("building {name}: {line}"));
    Ok((guest.module_name(), guest.build(CargoOutput::Lines(&show)).await?))
}

pub(super) async fn upload(steps: &mut Steps, client: &Client, modules: &[Built]) -> anyhow::Result<Vec<Upload>> {
    let step = steps.begin("uploading modules");
    let mut uploads = Vec::new();
    let mut lines = Vec::new();
    for (name, component) in modules {
        step.progress.show(0, None, format_args!("uploading {name}"));
        let begun = Instant::now();
        let uploaded = upload_module(client, name, &component.path, Activate::Auto).await?;
        lines.push(describe(&uploaded, begun.elapsed()));
        uploads.push(uploaded);
    }
    step.done("uploaded four of them; the host checked and compiled them", &[lines.join(", ")]);
    Ok(uploads)
}

fn describe(upload: &Upload, time: Duration) -> String {
    let Uploaded { name, version, .. } = &upload.uploaded;
    if upload.new {
        format!("{name} version {version} ({})", figures::time(time))
    } else {
        format!("{name} version {version} (uploaded before)")
    }
}
