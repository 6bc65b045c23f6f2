//! Every example of the documentation is run as it stands: each page from top to bottom, by a shell, with the real program and a host
//! that has nothing yet. A page fails with its name, the line, the command and what it printed.
//!
//! What a block of a page is, its language says:
//!
//! - `sh` is run. All blocks of a page are run by one shell, so that folders and variables stay. Each command must succeed, and `curl`
//!   fails at a problem. `localhost:7070` becomes the address of the page's own host.
//! - `json` and `text` are what the block above prints: `json` its stdout, whatever its layout; `text` all of it, as a terminal shows
//!   it. `…` stands for any text; in `{…}`, `, …}`, `[…]` and `, …]` for members and items that are left out; on a line by itself for
//!   any lines.
//! - A language that cannot be run needs a comment that says what to do with the block; but `mermaid` is a drawing.
//!
//! A comment before a block, which readers do not see, says more: `<!-- example: …; … -->`, with
//!
//! | | |
//! |---|---|
//! | `not run: <reason>` | it is not run, and why |
//! | `fails` | its last command fails |
//! | `goes on` | it does not end: it is ended when it has printed the answer below it |
//! | `until it fits` | it is run again until it prints the answer below it |
//! | `answers <text>` | it is run at a terminal, and the text is typed |
//! | `varies: <name>, <name>` | members of an answer of which only the type is compared |
//! | `file <path>`, `end of <path>` | it is written to a file, or added to its end, as readers are told to do |
//! | `stands in <path>` | it is a part of that file of this repository |
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that finds what it did not expect fails")]

mod answer;
mod cargo_commands;
mod example;
mod gnomon_commands;
mod links;
mod markdown;
mod pages;
#[path = "../program/mod.rs"]
mod program;
mod run;
mod shell;

use run::{Folder, Page};

/// The documentation names files from here.
fn repository() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A test for each page, and the list of them.
macro_rules! pages {
    ($($name:ident: $page:expr;)*) => {
        const PAGES: &[Page] = &[$($page),*];

        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $page.run().await;
            }
        )*
    };
}

pages! {
    // Its reader starts the host, with a private Postgres.
    readme: Page { path: "README.md", folder: Folder::Empty, host: None };
    change_a_projection: Page { path: "docs/change-a-projection.md", folder: Folder::Repository, host: Some(&[]) };
    consistency_boundaries: Page { path: "docs/consistency-boundaries.md", folder: Folder::Empty, host: Some(&[]) };
    evolve_an_event: Page { path: "docs/evolve-an-event.md", folder: Folder::Repository, host: Some(&[]) };
    halted_build: Page { path: "docs/halted-build.md", folder: Folder::Repository, host: Some(&[]) };
    http_api: Page { path: "docs/http-api.md", folder: Folder::Repository, host: Some(&[]) };
    outbox: Page { path: "docs/outbox.md", folder: Folder::Empty, host: Some(&[]) };
    past: Page { path: "docs/past.md", folder: Folder::Repository, host: Some(&[]) };
    reactors: Page { path: "docs/reactors.md", folder: Folder::Empty, host: None };
    queries: Page { path: "docs/queries.md", folder: Folder::Repository, host: Some(&["--plans"]) };
    operations: Page { path: "docs/operations.md", folder: Folder::Repository, host: Some(&[]) };
    commits: Page { path: "projections/commits/README.md", folder: Folder::Repository, host: Some(&[]) };
    rotations: Page { path: "projections/rotations/README.md", folder: Folder::Repository, host: Some(&[]) };
    guest_sdk: Page { path: "guest-sdk/README.md", folder: Folder::Empty, host: Some(&[]) };
}
