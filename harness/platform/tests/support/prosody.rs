//! The throw-away server, and a wire to it that can be cut.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/servers/prosody");

/// A running server; it stops when this is dropped.
pub struct Prosody {
    pub server: SocketAddr,
    pub rooms: String,
    /// The service that takes files, and what the addresses of files begin with.
    pub upload: (String, String),
    script: Child,
    stdin: Option<ChildStdin>,
}

impl Prosody {
    /// Starts a server with these rules and these accounts, all with the password `pw`.
    pub fn start(rules: &str, accounts: &[&str]) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(rules.as_bytes()).unwrap();
        let mut script = Command::new(SCRIPT)
            .arg("--rules")
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script can be run");
        let mut stdin = script.stdin.take().unwrap();
        for account in accounts {
            writeln!(stdin, "account {account} pw").unwrap();
        }
        writeln!(stdin).unwrap();
        let (mut server, mut rooms, mut upload, mut upload_url) = (None, None, None, None);
        for line in BufReader::new(script.stdout.take().unwrap()).lines() {
            match line.unwrap().split_once(' ') {
                Some(("server", address)) => server = Some(address.parse().unwrap()),
                Some(("rooms", domain)) => rooms = Some(domain.to_owned()),
                Some(("upload", domain)) => upload = Some(domain.to_owned()),
                Some(("upload-url", url)) => upload_url = Some(url.to_owned()),
                _ => break,
            }
        }
        let server = server.expect("the server starts; is Prosody installed?");
        let upload = (upload.unwrap(), upload_url.unwrap());
        Self { server, rooms: rooms.unwrap(), upload, script, stdin: Some(stdin) }
    }
}

impl Drop for Prosody {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // The script removes its folder before it ends.
        let _ = self.script.wait();
    }
}

/// A wire to a server.
pub struct Wire {
    pub address: SocketAddr,
    cuts: watch::Sender<u32>,
    swallowing: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

impl Wire {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, seen) = watch::channel(0);
        let (swallowing, broken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let wire = Self { address, cuts, swallowing: Arc::clone(&swallowing), broken: Arc::clone(&broken) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if broken.load(Ordering::Relaxed) {
                    continue;
                }
                let server = TcpStream::connect(server).await.unwrap();
                let (mut seen, swallowing) = (seen.clone(), Arc::clone(&swallowing));
                tokio::spawn(async move {
                    seen.mark_unchanged();
                    tokio::select! {
                        _ = seen.changed() => {}
                        () = carry(client, server, swallowing) => {}
                    }
                });
            }
        });
        wire
    }

    /// Cuts all connections that there are.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// From now on, what the client says does not reach the server.
    pub fn swallow(&self, swallowing: bool) {
        self.swallowing.store(swallowing, Ordering::Relaxed);
    }

    /// Whether new connections are cut at once.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }
}

async fn carry(client: TcpStream, server: TcpStream, swallowing: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            if !swallowing.load(Ordering::Relaxed) && to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    let down = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        () = up => {}
        _ = down => {}
    }
}
