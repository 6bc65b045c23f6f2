//! Downloads from a registry on this machine that serves a small package.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tar::EntryType;

use super::super::unpack::tests::package;
use super::*;

/// An npm registry with one package, and a folder for downloads.
struct Registry {
    folder: tempfile::TempDir,
    config: EmbeddedConfig,
    requests: Arc<AtomicUsize>,
    progress: Arc<Mutex<Vec<StartProgress>>>,
}

impl Registry {
    async fn serving(status: StatusCode, content: Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = EmbeddedConfig::new(folder.path());
        config.registry = format!("http://{}/", listener.local_addr().unwrap());
        let progress = Arc::new(Mutex::new(Vec::new()));
        config.progress = Some(Arc::new({
            let progress = progress.clone();
            move |step| progress.lock().unwrap().push(step)
        }));
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        let path = format!("/@embedded-postgres/test-x64/-/test-x64-{VERSION}.tgz");
        let router = Router::new().route(
            &path,
            get(async move || {
                count.fetch_add(1, Ordering::SeqCst);
                (status, content)
            }),
        );
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { folder, config, requests, progress }
    }

    fn downloads(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    async fn install(&self, package: &Package) -> Result<PathBuf, DownloadError> {
        let user = ServerUser::choose(Path::new("/nonexistent")).unwrap();
        package.install(&self.downloads(), &self.config, &user).await
    }

    fn leftovers(&self) -> usize {
        fs::read_dir(self.downloads()).unwrap().count()
    }
}

fn small_archive() -> Vec<u8> {
    let script = "#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n";
    package(&[
        ("package/native/bin/postgres", EntryType::Regular, 0o755, script),
        ("package/native/bin/initdb", EntryType::Regular, 0o755, script),
    ])
}

fn published(archive: &[u8]) -> Package {
    Package {
        platform: "test-x64",
        os: "test",
        arch: "test",
        bytes: archive.len() as u64,
        integrity: format!("sha512-{}", BASE64.encode(Sha512::digest(archive))).leak(),
    }
}

#[tokio::test]
async fn a_package_is_downloaded_once() {
    let archive = small_archive();
    let registry = Registry::serving(StatusCode::OK, archive.clone()).await;
    let package = published(&archive);

    let folder = registry.install(&package).await.unwrap();
    assert_eq!(registry.install(&package).await.unwrap(), folder);

    assert_eq!(registry.requests.load(Ordering::SeqCst), 1);
    assert!(folder.join("bin/postgres").exists());
    assert_eq!(registry.leftovers(), 1, "only the server is left");
    let total = archive.len() as u64;
    let progress = registry.progress.lock().unwrap();
    assert_eq!(progress.first(), Some(&StartProgress::Downloading { received: 0, total }));
    assert!(progress.contains(&StartProgress::Downloading { received: total, total }), "{progress:?}");
    assert_eq!(progress.last(), Some(&StartProgress::Unpacking));
}

#[tokio::test]
async fn another_content_is_refused() {
    let archive = small_archive();
    let mut forged = archive.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    for content in [forged, archive[..last].to_vec(), [archive.as_slice(), b"more"].concat()] {
        let registry = Registry::serving(StatusCode::OK, content).await;
        let error = registry.install(&published(&archive)).await.unwrap_err();
        assert!(matches!(error, DownloadError::Forged { .. }), "{error}");
        assert_eq!(registry.leftovers(), 0);
    }
}

#[tokio::test]
async fn a_registry_without_the_package_is_named() {
    let registry = Registry::serving(StatusCode::NOT_FOUND, Vec::new()).await;
    let error = registry.install(&published(&small_archive())).await.unwrap_err();
    assert!(matches!(&error, DownloadError::Status { status: 404, .. }), "{error}");
    assert!(error.to_string().contains(&registry.config.registry), "{error}");
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_named() {
    let mut registry = Registry::serving(StatusCode::OK, Vec::new()).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    registry.config.registry = format!("http://{closed}");
    let error = registry.install(&published(&small_archive())).await.unwrap_err();
    assert!(matches!(error, DownloadError::Network { .. }), "{error}");
    assert!(error.to_string().to_lowercase().contains("refused"), "down to the last cause: {error}");
}

#[tokio::test]
async fn the_unfinished_download_of_a_killed_host_is_removed() {
    let archive = small_archive();
    let registry = Registry::serving(StatusCode::OK, archive.clone()).await;
    fs::create_dir_all(registry.downloads().join("new-half/server/bin")).unwrap();
    registry.install(&published(&archive)).await.unwrap();
    assert_eq!(registry.leftovers(), 1);
}

#[test]
fn this_platform_and_the_usual_others_have_a_package() {
    for (os, arch) in [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "aarch64"), ("macos", "x86_64")] {
        let package = PACKAGES.iter().find(|package| package.os == os && package.arch == arch).unwrap();
        let digest = BASE64.decode(package.integrity.strip_prefix("sha512-").unwrap()).unwrap();
        assert_eq!(digest.len(), 64);
    }
    assert!(VERSION.starts_with(&format!("{MAJOR}.")));
}
