//! Files, over HTTP: the server hands out a slot (XEP-0363), the file is put there, and a message names it (XEP-0066).
//!
//! What names a place is hostile, also where the server says it: only places below one URL, on this machine, are ever asked, and no
//! redirect is followed.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use tokio_xmpp::jid::{BareJid, Jid};
use xmpp_parsers::http_upload::{Header, SlotRequest, SlotResult};
use xmpp_parsers::iq::Iq;

use crate::adapters::OpenError;
use crate::session::{FetchError, IncomingFile, OutgoingFile};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a file may take.
const FILE_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest file that is fetched, in bytes: more than a platform makes of the longest that is sent.
const MAX_FILE: usize = 32 << 20;
/// The longest URL.
const MAX_URL: usize = 4096;
/// How often a file is asked for, and after how long again.
const FETCHES: u32 = 3;
const BACKOFF: Duration = Duration::from_millis(50);
/// XEP-0363 knows three headers.
const MAX_HEADERS: usize = 3;

/// Where files are kept.
pub struct Store {
    http: reqwest::Client,
    /// The service that hands out slots.
    service: BareJid,
    /// All files lie below it; its path ends with `/`.
    base: Url,
}

/// A place for one file.
#[derive(Debug)]
pub struct Slot {
    put: Url,
    headers: HeaderMap,
    /// Where it can be had, as the server writes it.
    pub get: String,
}

impl Store {
    /// Reads and checks the settings.
    pub fn new(service: &str, url: &str) -> Result<Self, OpenError> {
        let bad = |key, error: String| OpenError::PlatformKey { key, error };
        let service = BareJid::new(service).map_err(|error| bad("upload", format!("{error}: `{service}`")))?;
        let mut base = Url::parse(url).map_err(|error| bad("upload-url", format!("{error}: `{url}`")))?;
        let is_here = match base.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        };
        if base.scheme() != "http" || !is_here || base.query().is_some() || base.fragment().is_some() || has_user(&base) {
            return Err(bad("upload-url", format!("`{url}` is no http:// address on the loopback interface")));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        crate::tls::install_provider();
        let http = reqwest::Client::builder()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(FILE_TIMEOUT)
            .build()
            .map_err(|error| OpenError::Client(error.to_string()))?;
        Ok(Self { http, service, base })
    }

    /// Whether an answer comes from the service.
    pub fn is_service(&self, from: &Jid) -> bool {
        *from == self.service
    }

    /// Asks for a place.
    pub fn request(&self, id: String, file: &OutgoingFile) -> Iq {
        let request = SlotRequest {
            filename: file.name.to_string(),
            size: file.bytes.len() as u64,
            content_type: Some(file.media_type.to_owned()),
        };
        Iq::Get { from: None, to: Some(self.service.clone().into()), id, payload: request.into() }
    }

    /// The place that the server hands out.
    pub fn slot(&self, slot: SlotResult) -> Result<Slot, String> {
        let put = self.own(&slot.put.url).ok_or_else(|| elsewhere(&slot.put.url))?;
        if self.own(&slot.get.url).is_none() {
            return Err(elsewhere(&slot.get.url));
        }
        let mut headers = HeaderMap::new();
        if slot.put.headers.len() > MAX_HEADERS {
            return Err("the slot has more headers than there are".to_owned());
        }
        for Header { name, value } in slot.put.headers {
            let value = HeaderValue::from_str(&value).map_err(|_| format!("the header {} cannot be sent", name.as_str()))?;
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|error| error.to_string())?;
            headers.append(name, value);
        }
        Ok(Slot { put, headers, get: slot.get.url })
    }

    /// Puts a file into its place.
    pub async fn put(&self, slot: &Slot, file: &OutgoingFile) -> Result<(), String> {
        let request = self.http.put(slot.put.clone()).headers(slot.headers.clone()).header(CONTENT_TYPE, file.media_type);
        let response = request.body(file.bytes.to_vec()).send().await.map_err(words)?;
        if response.status().is_success() { Ok(()) } else { Err(response.status().to_string()) }
    }

    /// Fetches what a message names.
    pub async fn get(&self, link: &str) -> Result<IncomingFile, FetchError> {
        let url = self.own(link).ok_or_else(|| FetchError::Failed(elsewhere(link)))?;
        let name = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
        let mut wrong = String::new();
        for attempt in 0..FETCHES {
            if attempt > 0 {
                tokio::time::sleep(BACKOFF * attempt).await;
            }
            match self.http.get(url.clone()).send().await {
                Ok(response) if response.status() == StatusCode::OK => match body(response).await {
                    Ok(bytes) => return Ok(IncomingFile { name, bytes: bytes.into() }),
                    Err(error) => wrong = error,
                },
                Ok(response) if is_gone(response.status()) => return Err(FetchError::Gone(response.status().to_string())),
                Ok(response) => wrong = response.status().to_string(),
                Err(error) => wrong = words(error),
            }
        }
        Err(FetchError::Failed(wrong))
    }

    /// A URL below the base.
    fn own(&self, link: &str) -> Option<Url> {
        let url = Url::parse(link).ok().filter(|_| link.len() <= MAX_URL)?;
        let same = url.scheme() == self.base.scheme()
            && url.host() == self.base.host()
            && url.port_or_known_default() == self.base.port_or_known_default()
            && !has_user(&url);
        (same && url.path().starts_with(self.base.path())).then_some(url)
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The platform says that it has no such file, or that it gives it to nobody here.
fn is_gone(status: StatusCode) -> bool {
    use StatusCode as S;
    matches!(status, S::FORBIDDEN | S::NOT_FOUND | S::GONE | S::UNAVAILABLE_FOR_LEGAL_REASONS)
}

fn elsewhere(link: &str) -> String {
    format!("`{}` is not below `[platform] upload-url`", link[..link.floor_char_boundary(200)].escape_debug())
}

async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        if body.len() + chunk.len() > MAX_FILE {
            return Err(format!("the file is longer than {MAX_FILE} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        detail.push_str(": ");
        detail.push_str(&error.to_string());
        cause = error.source();
    }
    detail
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use lacuna_model::Shown;
    use tokio_xmpp::minidom::Element;

    use super::*;

    fn store() -> Store {
        Store::new("upload.test", "http://127.0.0.1:5280/file_share").unwrap()
    }

    #[test]
    fn only_places_below_the_url_on_this_machine_are_asked() {
        let store = store();
        for good in [
            "http://127.0.0.1:5280/file_share/x/a.png",
            "http://127.0.0.1:5280/file_share/a/../b",
            "http://127.1:5280/file_share/%E6%96%B0",
        ] {
            assert!(store.own(good).is_some(), "{good}");
        }
        let bad = [
            "http://127.0.0.1:5280/file_share/../admin",
            "http://127.0.0.1:5280/file_share/%2e%2e/admin",
            "http://127.0.0.1:5280/file_shares/x",
            "http://127.0.0.1:5281/file_share/x",
            "https://127.0.0.1:5280/file_share/x",
            "http://127.0.0.1:5280@example.org/file_share/x",
            "http://user@127.0.0.1:5280/file_share/x",
            "http://example.org:5280/file_share/x",
            "file:///file_share/x",
            "/file_share/x",
            "",
        ];
        for bad in bad {
            assert!(store.own(bad).is_none(), "{bad}");
        }
        assert!(store.own(&format!("http://127.0.0.1:5280/file_share/{}", "x".repeat(MAX_URL))).is_none());
        for bad in
            ["http://example.org/", "http://192.0.2.1/", "https://127.0.0.1/", "http://localhost/", "http://127.0.0.1/?x", "x"]
        {
            assert!(Store::new("upload.test", bad).is_err(), "{bad}");
        }
        assert!(Store::new("@", "http://127.0.0.1/").is_err());
    }

    #[test]
    fn a_slot_elsewhere_or_with_other_headers_is_not_used() {
        let slot = |put: &str, get: &str, headers: &str| {
            let slot = format!("<slot xmlns='urn:xmpp:http:upload:0'><put url='{put}'>{headers}</put><get url='{get}'/></slot>");
            let slot: Element = slot.parse().unwrap();
            SlotResult::try_from(slot).map_err(|error| error.to_string()).and_then(|slot| store().slot(slot))
        };
        let (own, other) = ("http://127.0.0.1:5280/file_share/1/a", "http://127.0.0.2:5280/file_share/1/a");
        let bearer = "<header name='Authorization'>Bearer x</header>";
        let taken = slot(own, own, bearer).unwrap();
        assert_eq!(taken.headers["authorization"], "Bearer x");
        assert!(slot(other, own, bearer).is_err());
        assert!(slot(own, other, bearer).is_err());
        assert!(slot(own, own, "<header name='Host'>example.org</header>").is_err());
        assert!(slot(own, own, "<header name='Cookie'>a\nX: y</header>").is_err());
        assert!(slot(own, own, &bearer.repeat(4)).is_err());
    }

    #[test]
    fn any_name_is_one_attribute() {
        let name: Arc<str> = "\"' <&>/新\n.png".into();
        let file = OutgoingFile {
            name: Arc::clone(&name),
            media_type: "image/png",
            sha256: "".into(),
            bytes: b"four"[..].into(),
            shown: Shown::default(),
        };
        let Iq::Get { payload, .. } = store().request("s".to_owned(), &file) else { panic!("a request is a get") };
        let written: Element = String::from(&payload).parse().unwrap();
        assert_eq!(written.attr("filename"), Some(&*name));
        assert_eq!(written.attr("size"), Some("4"));
    }
}
