//! Chromium under a driver: the protocol of its developer tools over two pipes (<https://chromedevtools.github.io/devtools-protocol/>).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A page in a browser that ends with it.
pub struct Page {
    browser: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    session: Option<Value>,
    asked: u64,
    /// The documents that are loaded, by the name of their loader.
    loaded: Vec<Value>,
}

impl Page {
    /// Opens a file in a window of this size.
    pub fn open(file: &Path, profile: &Path, width: u32, height: u32) -> Self {
        // The browser reads from its descriptor 3 and writes to 4.
        let mut browser = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 0</dev/null 1>&2", "sh"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (browser.stdin.take(), BufReader::new(browser.stdout.take().unwrap()));
        let mut page = Self { browser, to, from, session: None, asked: 0, loaded: Vec::new() };
        let target = page.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = page.ask("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        page.session = Some(attached["sessionId"].clone());
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        page.ask("Emulation.setDeviceMetricsOverride", &size);
        page.ask("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}));
        page.ask("Page.enable", &json!({}));
        page.ask("Page.setLifecycleEventsEnabled", &json!({"enabled": true}));
        let loader = page.ask("Page.navigate", &json!({"url": format!("file://{}", file.display())}))["loaderId"].clone();
        while !page.loaded.contains(&loader) {
            page.next();
        }
        page
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.clone();
        }
        let to = self.to.as_mut().unwrap();
        to.write_all(format!("{message}\0").as_bytes()).unwrap();
        to.flush().unwrap();
        loop {
            let answer = self.next();
            if answer["id"] == self.asked {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// What the browser says next.
    fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = self.from.read_until(0, &mut bytes).unwrap();
        assert!(read > 0, "chromium has ended (Debian package chromium)");
        let message: Value = serde_json::from_slice(&bytes[..read - 1]).unwrap();
        if message["method"] == "Page.lifecycleEvent" && message["params"]["name"] == "load" {
            self.loaded.push(message["params"]["loaderId"].clone());
        }
        message
    }

    /// The value of a JavaScript expression; the page's policy forbids scripts to pages, not to drivers.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.ask("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses a key, as a hand would: its name, the code that Windows gave it, and what it writes.
    pub fn press(&mut self, key: &str, code: u8, text: &str) {
        let pressed = |kind: &str| json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.ask("Input.dispatchKeyEvent", &pressed("keyDown"));
        self.ask("Input.dispatchKeyEvent", &pressed("keyUp"));
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // The browser ends when nobody drives it any more.
        drop(self.to.take());
        let _ = self.browser.wait();
    }
}
