//! What programs that share no code with Lacuna make of twins: coreutils, libjpeg-turbo, Poppler.

use std::io::Write as _;
use std::process::{Command, Stdio};

use lacuna_content::collide::{Container, Files, collision};
use lacuna_content::image::{Limits, RgbImage, decode};

use crate::pairs::{difference, joined};

/// Decoders round differently.
const ROUNDING: f64 = 4.0;

/// What a program makes of bytes.
fn through(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program} {}", output.status);
    output.stdout
}

/// A binary PPM with three bytes a pixel.
fn ppm(bytes: &[u8]) -> RgbImage {
    let mut fields = bytes.splitn(4, u8::is_ascii_whitespace);
    assert_eq!(fields.next(), Some(&b"P6"[..]));
    let mut number = || std::str::from_utf8(fields.next().unwrap()).unwrap().parse::<u32>().unwrap();
    let (width, height) = (number(), number());
    let pixels = &bytes[bytes.len() - usize::try_from(width * height * 3).unwrap()..];
    RgbImage::from_raw(width, height, pixels.to_vec()).unwrap()
}

fn assert_one_md5(files: &Files, seed: u64) {
    let found = collision(&files.first, &files.second).unwrap();
    for file in [&files.first, &files.second] {
        let said = String::from_utf8(through("md5sum", &[], file)).unwrap();
        assert_eq!(said.split_whitespace().next(), Some(found.md5.as_str()), "seed {seed}");
    }
    let [one, other] = [&files.first, &files.second].map(|file| through("sha256sum", &[], file));
    assert_ne!(one, other, "seed {seed}");
}

#[test]
fn two_jpeg_decoders_see_the_same_two_different_pictures() {
    for seed in 0..20 {
        let files = joined(Container::Jpeg, seed);
        assert_one_md5(&files, seed);
        let [first, second] = [&files.first, &files.second].map(|file| {
            let ours = decode(file, &Limits::default()).unwrap().picture;
            let theirs = ppm(&through("djpeg", &["-ppm"], file));
            assert!(difference(&ours, &theirs) < ROUNDING, "seed {seed}: {}", difference(&ours, &theirs));
            theirs
        });
        assert!(difference(&first, &second) > 0.0, "seed {seed}");
    }
}

#[test]
fn a_pdf_viewer_sees_two_different_pages() {
    for seed in 0..20 {
        let files = joined(Container::Pdf, seed);
        assert_one_md5(&files, seed);
        let [first, second] = [&files.first, &files.second].map(|file| ppm(&through("pdftoppm", &["-r", "72", "-"], file)));
        assert_eq!(first.dimensions(), (files.made[0].width, files.made[0].height), "seed {seed}");
        assert!(difference(&first, &second) > 1.0, "seed {seed}");
    }
}
