//! The thread that makes the journal durable.

use std::io;
use std::thread::JoinHandle;

use lacuna_model::{AccountIx, Cursor};
use lacuna_records::journal::Storage;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::accounts::Message;

/// Bytes of the journal, and what may happen once they are durable.
#[derive(Default)]
pub(super) struct Batch {
    pub bytes: Vec<u8>,
    pub sends: Vec<(AccountIx, Message)>,
    /// The last cursor that an account's observations reached in these bytes.
    pub cursors: Vec<(AccountIx, Cursor)>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.sends.is_empty() && self.cursors.is_empty()
    }
}

/// What the writer does with sends and cursors that are covered.
pub(super) struct Outlets {
    pub sends: Vec<mpsc::UnboundedSender<Message>>,
    pub cursors: Vec<watch::Sender<Option<Cursor>>>,
}

/// The writer's end of the line.
pub(super) struct Writer<S> {
    batches: std::sync::mpsc::Sender<Batch>,
    ended: CancellationToken,
    thread: JoinHandle<io::Result<S>>,
}

impl<S: Storage + Send + 'static> Writer<S> {
    pub fn start(storage: S, outlets: Outlets) -> io::Result<Self> {
        let (batches, incoming) = std::sync::mpsc::channel();
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            // Told also when the thread panics.
            let _guard: DropGuard = guard;
            write(storage, &incoming, &outlets)
        })?;
        Ok(Self { batches, ended, thread })
    }

    /// Cancelled when the writer has ended: before [`Writer::end`] only because of an error.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Hands a batch over. `false` if the writer is gone: [`Writer::end`] then says why.
    pub fn submit(&self, batch: Batch) -> bool {
        self.batches.send(batch).is_ok()
    }

    /// Waits until everything handed over is durable, and gives the storage back.
    pub fn end(self) -> io::Result<S> {
        drop(self.batches);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the journal's thread panicked")))
    }
}

/// Group commit: everything that has gathered while the last sync was under way is made durable by the next one.
fn write<S: Storage>(mut storage: S, incoming: &std::sync::mpsc::Receiver<Batch>, outlets: &Outlets) -> io::Result<S> {
    let mut gathered: Vec<Batch> = Vec::new();
    while let Ok(first) = incoming.recv() {
        gathered.push(first);
        gathered.extend(incoming.try_iter());
        for batch in &gathered {
            storage.append(&batch.bytes)?;
        }
        storage.sync()?;
        for batch in gathered.drain(..) {
            for (account, message) in batch.sends {
                // A closed outlet belongs to a session that ended; its sends stay unanswered and are of unknown fate.
                let _ = outlets.sends[account.get()].send(message);
            }
            for (account, cursor) in batch.cursors {
                outlets.cursors[account.get()].send_replace(Some(cursor));
            }
        }
    }
    Ok(storage)
}
