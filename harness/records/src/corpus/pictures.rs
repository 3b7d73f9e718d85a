//! The pictures of a corpus: whether they can be sent and told apart.

use std::path::Path;

use lacuna_content::image::{Format, Limits, inspect};

use super::characters::shown;
use super::collector::Collector;
use super::load::{Cells, check_file};
use super::table::read_at_most;

/// Pictures with a shorter side are not told apart once a platform has shrunk them.
const SHORTEST_SIDE: u32 = 32;

/// The pictures of a corpus that were looked at.
pub(super) struct Pictures<'a> {
    folder: &'a Path,
    limits: Limits,
}

impl<'a> Pictures<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self { folder, limits: Limits::default() }
    }

    /// Reports what is wrong with the picture of a row. That it is there and inside the folder, every reader checks.
    pub(super) fn check(&mut self, cells: &Cells, problems: &mut Collector) {
        let (at, file) = ((cells.line, 0), cells.get("file"));
        if file.is_empty() || check_file(self.folder, file).is_err() {
            return;
        }
        let mut report = |message: String, fix: &str| problems.report(at, "file", format!("`{}` {message}", shown(file)), fix);
        let bytes = match read_at_most(&self.folder.join(file), self.limits.bytes) {
            Ok(bytes) => bytes,
            Err(message) => return report(message, "use a smaller file"),
        };
        let inspection = match inspect(&bytes, &self.limits) {
            Ok(inspection) => inspection,
            Err(error) => return report(error.to_string(), "use a whole PNG, JPEG, WebP or GIF, or take the item out"),
        };
        let format = inspection.format;
        let extension = Path::new(file).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if Format::of_extension(extension) != Some(format) {
            let fix = format!("let its name end in .{}", format.extensions()[0]);
            report(format!("is a {format}, which its name does not say"), &fix);
        }
        if inspection.animated {
            report("moves; only its first frame is compared".to_owned(), "use a picture with one frame");
        }
        if inspection.width.min(inspection.height) < SHORTEST_SIDE {
            let message = format!("has {} × {} pixels, too few to be recognised", inspection.width, inspection.height);
            report(message, "use a picture of at least 32 × 32 pixels");
        }
    }
}
