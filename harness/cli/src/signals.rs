//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::{Exit, Failure};
use crate::screen::Screen;

/// Both signals.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::fault(format!("cannot listen for signals: {error}")));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The token is cancelled by the first signal; the second ends the process at once. The journal is whole at every moment, so
/// that even then the run can be resumed.
pub fn stop_on_signal(screen: Screen) -> Result<CancellationToken, Failure> {
    let mut signals = Signals::new()?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        token.cancel();
        screen.line("Stopping: nothing more is sent. Ctrl-C again ends at once.");
        signals.next().await;
        std::process::exit(Exit::Interrupted.code().into());
    });
    Ok(stop)
}

/// Waits for the first signal.
pub async fn wait() -> Result<(), Failure> {
    Signals::new()?.next().await;
    Ok(())
}
