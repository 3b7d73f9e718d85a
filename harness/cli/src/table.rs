//! Tables for people, all of one kind.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

/// Where stdout is no terminal, tables are this wide.
const WIDTH_OFF_TERMINAL: u16 = 120;

/// An empty table, at most so wide.
pub fn table(width: u16) -> Table {
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().top_border(rule).header_separator(rule).bottom_border(rule));
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table
}

/// How wide tables on stdout may be.
pub fn width() -> u16 {
    console::Term::stdout().size_checked().map_or(WIDTH_OFF_TERMINAL, |(_, width)| width)
}

/// Sets all columns but the first to the right, for numbers.
pub fn align_numbers(table: &mut Table) {
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if place == 0 { 2 } else { 1 }));
        if place > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
