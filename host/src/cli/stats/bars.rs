//! Tables whose last column is a bar for each row.

use comfy_table::Table;

use crate::cli::output;

/// The longest bar.
const LONGEST: usize = 40;
/// A shorter longest bar says nothing, and is left out.
const SHORTEST: usize = 4;
/// Where there is no terminal.
const PLAIN: usize = 20;
/// Characters of a name that are shown.
const SHOWN_NAME: usize = 48;
/// An eighth of a character, two eighths …
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// How bars are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bars {
    /// Columns of the terminal, which no line exceeds if a bar can help it; `None` if there is none.
    terminal: Option<usize>,
}

/// A row: its cells, of which the first is a name, and what its bar shows.
pub(super) type Row = (Vec<String>, u64);

impl Bars {
    /// For a terminal of so many columns.
    pub(super) fn of_terminal(width: usize) -> Self {
        Self { terminal: Some(width) }
    }

    /// For whatever reads the output.
    pub(super) fn plain() -> Self {
        Self { terminal: None }
    }

    /// The rows as a table; columns as [`output::table`] has them.
    pub(super) fn table(self, columns: &[&str], rows: &[Row]) -> Table {
        let mut table = output::table(&[columns, &[""]].concat());
        let cells = |(cells, _): &Row| -> Vec<String> {
            cells.iter().enumerate().map(|(index, cell)| if index == 0 { shown(cell) } else { cell.clone() }).collect()
        };
        let without_bars: Vec<Vec<String>> = rows.iter().map(cells).collect();
        let longest = self.longest(columns, &without_bars);
        let max = rows.iter().map(|(_, value)| *value).max().unwrap_or_default();
        for (mut cells, (_, value)) in without_bars.into_iter().zip(rows) {
            cells.push(self.bar(*value, max, longest));
            table.add_row(cells);
        }
        table
    }

    /// The longest bar beside these cells.
    fn longest(self, columns: &[&str], rows: &[Vec<String>]) -> usize {
        let Some(terminal) = self.terminal else { return PLAIN };
        let width = |index: usize| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            let name = columns.get(index).map_or(0, |name| name.trim_start_matches('#').chars().count());
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(name)
        };
        // Two spaces between columns.
        let others: usize = (0..columns.len()).map(|index| width(index) + 2).sum();
        match terminal.saturating_sub(others + 1).min(LONGEST) {
            room if room < SHORTEST => 0,
            room => room,
        }
    }

    /// A bar; whatever is not 0 has one that can be seen.
    fn bar(self, value: u64, max: u64, longest: usize) -> String {
        if value == 0 || longest == 0 {
            return String::new();
        }
        let part = |steps: usize| {
            let steps = u128::from(value) * steps as u128 / u128::from(max.max(1));
            usize::try_from(steps).unwrap_or(usize::MAX).max(1)
        };
        if self.terminal.is_none() {
            return "#".repeat(part(longest));
        }
        let eighths = part(longest * 8);
        let mut bar = "█".repeat(eighths / 8);
        bar.extend((eighths % 8).checked_sub(1).and_then(|rest| EIGHTHS.get(rest)));
        bar
    }
}

/// A name as a table has room for it, on one line.
fn shown(name: &str) -> String {
    let mut chars = name.chars().map(|char| if char.is_control() { ' ' } else { char });
    let mut shown: String = chars.by_ref().take(SHOWN_NAME).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |name: &str, events: u64| (vec![name.to_owned(), events.to_string()], events);
        vec![row("Deposited", 1600), row("Withdrawn", 850), row(&"long".repeat(20), 1), row("None", 0)]
    }

    #[test]
    fn bars_are_as_long_as_the_terminal_has_room() {
        let table = |bars: Bars| bars.table(&["TYPE", "#EVENTS"], &rows()).trim_fmt();
        for width in [1, 40, 70, 71, 100, 101, 102, 120, 300] {
            let table = table(Bars::of_terminal(width));
            let longest = table.lines().map(|line| line.chars().count()).max().unwrap();
            let without = 49 + 2 + 6;
            assert!(longest <= width.max(without), "{width}: {longest}\n{table}");
            assert_eq!(table.contains('█'), width > without + 2 + SHORTEST, "{width}\n{table}");
        }
        insta::assert_snapshot!(table(Bars::of_terminal(72)), @r"
        TYPE                                               EVENTS
        Deposited                                            1600  ████████████
        Withdrawn                                             850  ██████▍
        longlonglonglonglonglonglonglonglonglonglonglong…       1  ▏
        None                                                    0
        ");
        insta::assert_snapshot!(table(Bars::plain()), @r"
        TYPE                                               EVENTS
        Deposited                                            1600  ####################
        Withdrawn                                             850  ##########
        longlonglonglonglonglonglonglonglonglonglonglong…       1  #
        None                                                    0
        ");
    }
}
