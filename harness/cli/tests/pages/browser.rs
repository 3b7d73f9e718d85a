//! The page in a real browser: Chromium, without a head and without a way out (every name resolves to nothing).

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::runs::screen;

/// What Chromium said and did with a page.
struct Seen {
    /// The document as it stood in the end.
    document: String,
    /// What the page, or the browser about it, wrote to the console.
    console: Vec<String>,
    /// What the page asked others for. The browser's own wishes (updates, the time) have no page as their initiator.
    requests: Vec<String>,
}

fn chromium(page: &Path, profile: &Path, more: &[&str]) -> Seen {
    let log = profile.join("net.json");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .args(more)
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("chromium can be run (Debian package chromium)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stderr);
    let log: Value = serde_json::from_slice(&fs::read(log).unwrap()).unwrap();
    let asked = log["events"].as_array().unwrap().iter().filter_map(|event| {
        let (initiator, url) = (event["params"]["initiator"].as_str()?, event["params"]["url"].as_str()?);
        (initiator != "not an origin" && !url.starts_with("file:") && !url.starts_with("data:")).then(|| url.to_owned())
    });
    Seen {
        document: String::from_utf8(output.stdout).unwrap(),
        console: said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect(),
        requests: asked.collect(),
    }
}

#[test]
fn the_report_opens_in_a_browser_and_asks_nobody_for_anything() {
    let folder = tempfile::tempdir().unwrap();
    let run = screen(folder.path());
    let report = run.join("report.html");
    let mut pictures = Vec::new();
    for (width, scheme) in [(390, "light"), (1280, "light"), (1280, "dark")] {
        let picture = folder.path().join(format!("{width}-{scheme}.png"));
        let size = format!("--window-size={width},2400");
        // As Blink counts them: 0 is dark, 1 light.
        let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(scheme == "light"));
        let seen = chromium(&report, folder.path(), &[&size, &scheme, &format!("--screenshot={}", picture.display())]);
        assert_eq!(seen.console, Vec::<String>::new());
        assert_eq!(seen.requests, Vec::<String>::new());
        assert!(seen.document.contains("id=\"answer\"") && seen.document.contains("role=\"img\""));
        // An all but empty page compresses to next to nothing.
        let bytes = fs::read(&picture).unwrap();
        assert_eq!(u32::from_be_bytes(bytes[16..20].try_into().unwrap()), width);
        assert!(bytes.len() > 50_000, "{} bytes at {width}", bytes.len());
        pictures.push(bytes);
    }
    assert!(pictures[1] != pictures[2], "the page is the same in the dark");
    for picture in fs::read_dir(run.join("figures")).unwrap().map(|it| it.unwrap().path()) {
        if picture.extension().is_some_and(|it| it == "svg") {
            let seen = chromium(&picture, folder.path(), &[]);
            assert!(seen.console.is_empty() && seen.requests.is_empty(), "{}", picture.display());
            assert!(seen.document.contains("<title") && !seen.document.contains("parsererror"), "{}", picture.display());
        }
    }
}

/// The policy of the page forbids scripts, so a copy without it measures: nothing may make the page wider than the screen.
#[test]
fn nothing_in_the_report_is_wider_than_a_phone() {
    const MEASURE: &str =
        "<script>document.documentElement.dataset.wide = document.documentElement.scrollWidth > innerWidth</script></body>";
    let folder = tempfile::tempdir().unwrap();
    let report = fs::read_to_string(screen(folder.path()).join("report.html")).unwrap();
    let measured = report.replace("default-src 'none'; style-src", "style-src").replace("</body>", MEASURE);
    let page = folder.path().join("measured.html");
    fs::write(&page, measured).unwrap();
    for width in [360, 390, 1280] {
        let seen = chromium(&page, folder.path(), &[&format!("--window-size={width},2400")]);
        assert!(seen.document.contains("data-wide=\"false\""), "wider than {width}");
    }
}

/// What the tests above would see if the page were not as it should be.
#[test]
fn a_page_that_asks_and_complains_is_seen_to() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    fs::write(&page, "<!DOCTYPE html><title>x</title><img src=\"http://example.invalid/x.png\"><script>console.log(1)</script>")
        .unwrap();
    let seen = chromium(&page, folder.path(), &[]);
    assert_eq!(seen.requests, ["http://example.invalid/x.png"]);
    assert!(!seen.console.is_empty());
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">";
    fs::write(&page, format!("<!DOCTYPE html>{policy}<title>x</title><script>console.log(1)</script>")).unwrap();
    let seen = chromium(&page, folder.path(), &[]);
    assert!(seen.console.iter().any(|line| line.contains("Content Security Policy")), "{:?}", seen.console);
}
