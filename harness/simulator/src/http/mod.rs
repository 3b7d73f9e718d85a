//! The platform's face: JSON over HTTP/1.1.
//!
//! | request | answer |
//! |---|---|
//! | `PUT /v1/accounts/{id}` `{"registered_in":"CN","located_in":"CN"}` | 200 `{"token":"…"}`; 409 if it exists with other data |
//! | `PUT /v1/venues/{id}` `{"kind":"direct\|group\|feed","members":["…"]}` | 200 `{}`; 404 for an unknown member; 409 if it exists with other data |
//! | `POST /v1/messages` `{"venue":"…","client_ref":"…","text":"…"}` | 200 `{"message_id":"…"}`; 403 `{"notice":"…"}`, with `"sanction":true` if it is about the account; 429 `{"retry_after_ms":N}`; 503 out of order; 404 unknown venue; 413 too long |
//! | `GET /v1/events?after=N&ack=N&wait_ms=N&limit=N` | 200 `{"instance":"…","events":[{"cursor":N,"kind":"message\|retraction\|notice","message_id":"…","sender":"…","venue":"…","text":"…"}],"cursor":N}` |
//!
//! | `POST /v1/files` the bytes of a file | 200 `{"file":"SHA-256"}`; 413 too long; 507 no room |
//! | `GET /v1/files/{file}` | 200 its bytes; 404 |
//!
//! A message with a file has `"file":{"file":"SHA-256","name":"…","shown":{"text":"…","look":"…","metadata":"…"}}`, of a file that
//! was uploaded before (404 if not), and `text` is its caption. An event with one has `"file":{"file":"…","name":"…"}`. `shown`
//! says what there is to be found in the file: the simulated filters believe it instead of looking, since telling texts and looks
//! apart is no part of what is simulated. With an [`Ocr`] the text is read from the picture instead.
//!
//! All but the first two want `Authorization: Bearer TOKEN`, else 401. Other faults are 400 and, where the platform is full, 507; each
//! with `{"error":"…"}`. Both `PUT`s may be repeated; a token depends on the seed and the account's id alone.
//!
//! `GET /v1/events` answers at once if there is something after the cursor, else when something comes or the wait is over.
//! What lies at or before `ack` (without it: `after`) is acknowledged and forgotten; `after` alone lets a
//! client read on before what it has read is safe. Cursors of one life of the platform lie above those of
//! all lives that began earlier, so an old cursor acknowledges nothing. `instance` changes when the platform, or this account's
//! queue, lost its memory: with each new [`SharedWorld`], and when an account leaves so much unacknowledged
//! ([`Limits::EVENTS`], [`Limits::TEXT_BYTES`]) that its queue is emptied.
//!
//! This module is where the clock enters: the world is told the time of day at its start plus the time that has passed
//! since, so it never goes back.

mod files;
mod inbox;
mod limits;
mod ocr;
mod routes;
mod server;
mod state;
mod wire;
mod witness;

pub use limits::Limits;
pub use ocr::Ocr;
pub use server::{Server, StartError, serve};
pub use state::SharedWorld;
