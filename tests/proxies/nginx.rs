//! nginx as Debian installs it, as a child process with files of its own.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use test_support::{client, until};

/// The settings of `/etc/nginx/nginx.conf` of Debian 12 that are in force there, with paths of our own. What they leave open, above all
/// how nginx buffers, has its defaults.
const SETTINGS: &str = "
daemon off;
worker_processes 1;
pid <folder>/nginx.pid;
error_log <folder>/error.log;
events { worker_connections 768; }
http {
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    access_log <folder>/access.log;
    gzip on;
    client_body_temp_path <folder>/body;
    proxy_temp_path <folder>/proxy;
    fastcgi_temp_path <folder>/fastcgi;
    uwsgi_temp_path <folder>/uwsgi;
    scgi_temp_path <folder>/scgi;
    server {
        listen 127.0.0.1:<port>;
        <locations>
    }
}
";

/// A running nginx. It is ended when this is dropped.
pub(crate) struct Nginx {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Nginx {
    /// Starts nginx with these locations.
    pub(crate) async fn start(locations: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Started by root, its workers are another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // A port that was just free; nginx cannot choose one itself.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = folder.path().join("nginx.conf");
        let text = SETTINGS
            .replace("<folder>", folder.path().to_str().unwrap())
            .replace("<port>", &port.to_string())
            .replace("<locations>", locations);
        fs::write(&settings, text).unwrap();
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists());
        let child = Command::new(program.unwrap_or("nginx"))
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&settings)
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx does not start ({error}); .ci/run installs it"));
        let mut nginx = Self { child, folder, port };
        let url = nginx.url();
        until("nginx answers", async || {
            assert!(nginx.child.try_wait().unwrap().is_none(), "nginx ended: {}", nginx.log());
            client().get(&url).send().await.is_ok()
        })
        .await;
        nginx
    }

    /// Its URL, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM, so that the master ends its workers.
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
