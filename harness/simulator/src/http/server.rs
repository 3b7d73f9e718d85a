//! Connections to a world.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use lacuna_model::policy::Policy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::limits::Limits;
use super::ocr::Ocr;
use super::routes::router;
use super::state::SharedWorld;

/// Why the platform cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log cannot be opened for appending.
    #[error("{path}: the log of submissions cannot be opened: {error}")]
    Log {
        /// Its path, as it was given.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The address cannot be listened on.
    #[error("{addr}: cannot listen: {error}")]
    Listen {
        /// The address, as it was given.
        addr: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

/// Serves a world until `shutdown` ends. Then the listener and every connection are dropped at once, in the middle of a
/// request if need be: for its clients this looks like an outage. The world stays as it is and can be served again.
pub async fn serve(listener: TcpListener, world: SharedWorld, shutdown: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(router(world.clone()));
    let mut connections = JoinSet::new();
    let accept = async {
        loop {
            // Finished connections are collected on the way, so that the set does not grow.
            while connections.try_join_next().is_some() {}
            match listener.accept().await {
                Ok((stream, _)) if connections.len() < Limits::CONNECTIONS => {
                    connections.spawn(converse(stream, service.clone()));
                }
                Ok((_, peer)) => tracing::warn!(%peer, "connection closed: there are too many"),
                Err(error) => {
                    // Out of file descriptors, or a peer that gave up; the listener itself is well.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            }
        }
    };
    tokio::select! {
        () = shutdown => {}
        () = world.deliver() => {}
        () = accept => {}
    }
    connections.shutdown().await;
}

async fn converse(stream: TcpStream, service: TowerToHyperService<axum::Router>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::trace!(%error, "no TCP_NODELAY");
    }
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::trace!(%error, "a connection broke off");
    }
}

/// A platform that serves on an address in the background, until [`stop`](Self::stop) or the end of the runtime; to drop this
/// handle ends nothing.
pub struct Server {
    addr: SocketAddr,
    world: SharedWorld,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a platform with this policy. Port 0 takes a free one; `log` names the file to which submissions are appended.
    pub async fn start(policy: &Policy, seed: u64, addr: SocketAddr, log: Option<&Path>) -> Result<Self, StartError> {
        Self::start_with_reader(policy, seed, addr, log, None).await
    }

    /// The same, with a program that reads the texts in pictures where there is one.
    pub async fn start_with_reader(
        policy: &Policy,
        seed: u64,
        addr: SocketAddr,
        log: Option<&Path>,
        ocr: Option<Ocr>,
    ) -> Result<Self, StartError> {
        let world = SharedWorld::with_reader(policy, seed, log, ocr)
            .map_err(|error| StartError::Log { path: log.map(|path| path.display().to_string()).unwrap_or_default(), error })?;
        Self::resume(world, addr).await
    }

    /// Serves a world that exists already, as after an outage.
    pub async fn resume(world: SharedWorld, addr: SocketAddr) -> Result<Self, StartError> {
        let listen = |error| StartError::Listen { addr, error };
        let listener = TcpListener::bind(addr).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let (shutdown, ended) = oneshot::channel();
        let task = tokio::spawn(serve(listener, world.clone(), async {
            // A server that was dropped instead of stopped goes on: only a word ends it.
            if ended.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        Ok(Self { addr, world, shutdown, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops serving: the listener and all connections are gone when this returns. The world can be served again.
    pub async fn stop(self) -> SharedWorld {
        // An error says that the task has ended already.
        let _ = self.shutdown.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the platform's task failed");
        }
        self.world
    }
}
