//! The tables of the screen: builds, reactors and sinks, one below the other.

use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Rect},
    style::{Color, Modifier, Style},
    text::Line,
    widgets::{Cell, Row, Table},
};

use super::{
    attention::seconds,
    history::{BuildKey, BuildMoment, History},
    moments::{ReactorMoment, SinkMoment},
};
use crate::cli::figures;

/// A column of a table.
struct Column {
    name: &'static str,
    is_number: bool,
    width: Constraint,
    /// The narrowest screen that shows it.
    from: u16,
}

impl Column {
    const fn text(name: &'static str, width: Constraint, from: u16) -> Self {
        Self { name, is_number: false, width, from }
    }

    const fn number(name: &'static str, width: u16, from: u16) -> Self {
        Self { name, is_number: true, width: Constraint::Length(width), from }
    }

    fn is_shown(&self, width: u16) -> bool {
        width >= self.from
    }
}

/// A screen of 80 columns has room for those that say how a build is; the narrowest has names and states.
const BUILDS: [Column; 9] = [
    Column::text("PROJECTION", Constraint::Fill(1), 0),
    Column::text("BUILD", Constraint::Length(8), 34),
    Column::number("VERSION", 7, 100),
    Column::text("STATE", Constraint::Length(9), 0),
    Column::number("CHECKPOINT", 12, 100),
    Column::number("LAG", 11, 60),
    Column::number("AGE", 11, 48),
    Column::number("POSITIONS/S", 11, 70),
    Column::number("SET ASIDE", 9, 80),
];
/// Below those of builds. A reactor has one state of its rows, and no builds.
const REACTORS: [Column; 9] = [
    Column::text("REACTOR", Constraint::Fill(1), 0),
    Column::text("", Constraint::Length(8), 34),
    Column::number("VERSION", 7, 100),
    Column::text("STATE", Constraint::Length(9), 0),
    Column::number("POSITION", 12, 100),
    Column::number("LAG", 11, 60),
    Column::number("AGE", 11, 48),
    Column::number("POSITIONS/S", 11, 70),
    Column::number("SET ASIDE", 9, 80),
];
const SINKS: [Column; 4] = [
    Column::text("SINK", Constraint::Fill(1), 0),
    Column::number("PENDING", 11, 0),
    Column::number("OLDEST", 11, 48),
    Column::number("FAILED", 9, 34),
];

/// A table: its columns, and its rows.
struct Section {
    columns: &'static [Column],
    rows: Vec<Row<'static>>,
}

/// Draws the tables. `scrolled` is how many rows are above the screen, and is brought back to how many can be. `is_old` marks what is not known
/// to hold any more, and `gap` says whether empty lines stand between them.
pub(super) fn draw(frame: &mut Frame<'_>, history: &History, area: Rect, scrolled: &mut u16, gap: u16, is_old: bool) {
    let sections = sections(history, area.width, is_old);
    let lengths: Vec<usize> = sections.iter().map(|section| section.rows.len()).collect();
    let last = lengths.iter().sum::<usize>();
    let fits = |above: &usize| height(&lengths, *above, gap) <= usize::from(area.height);
    let most = (0..last).find(fits).unwrap_or(last.saturating_sub(1));
    *scrolled = (*scrolled).min(u16::try_from(most).unwrap_or(u16::MAX));

    let (mut above, mut y) = (usize::from(*scrolled), area.y);
    for section in sections {
        let length = section.rows.len();
        if above > 0 && above >= length {
            above -= length;
            continue;
        }
        let left = area.bottom().saturating_sub(y);
        // The names of the columns alone say nothing; those of the first table say what there would be.
        if left < 2 && y > area.y {
            break;
        }
        let shown = u16::try_from(length - above).unwrap_or(u16::MAX).saturating_add(1).min(left);
        let table = table(section.columns, section.rows.into_iter().skip(above), area.width);
        frame.render_widget(table, Rect { y, height: shown, ..area });
        (above, y) = (0, y.saturating_add(shown).saturating_add(gap).min(area.bottom()));
    }
}

/// The lines of tables with so many rows, of which some are above the screen.
fn height(lengths: &[usize], mut above: usize, gap: u16) -> usize {
    let mut lines = 0;
    for length in lengths {
        let shown = length.saturating_sub(above);
        above = above.saturating_sub(*length);
        if shown > 0 {
            lines += shown + 1 + if lines > 0 { usize::from(gap) } else { 0 };
        }
    }
    lines
}

fn sections(history: &History, width: u16, is_old: bool) -> Vec<Section> {
    let style = if is_old { Style::new().add_modifier(Modifier::DIM) } else { Style::new() };
    let styled = |rows: Vec<Row<'static>>| rows.into_iter().map(|row| row.style(style)).collect();
    let all: [(&'static [Column], Vec<Row<'static>>); 3] =
        [(&BUILDS, builds(history, width)), (&REACTORS, reactors(history, width)), (&SINKS, sinks(history, width))];
    let mut sections: Vec<Section> =
        all.into_iter().map(|(columns, rows)| Section { columns, rows: styled(rows) }).collect();
    // Where there is nothing at all, the first table says so.
    let is_empty = sections.iter().all(|section| section.rows.is_empty());
    sections.retain(|section| is_empty || !section.rows.is_empty());
    sections.truncate(if is_empty { 1 } else { sections.len() });
    sections
}

/// The builds: those that need attention first, then by lag.
fn builds(history: &History, width: u16) -> Vec<Row<'static>> {
    let Some(newest) = history.newest() else { return Vec::new() };
    let mut builds: Vec<(&BuildKey, &BuildMoment)> = newest.builds.iter().collect();
    let is_stopped = |build: &BuildMoment| build.is_stopped() && !build.is_replaced;
    builds.sort_by(|(_, one), (_, other)| {
        is_stopped(other).cmp(&is_stopped(one)).then(other.lag_seconds.total_cmp(&one.lag_seconds))
    });
    builds.into_iter().map(|(key, build)| row(&BUILDS, of_build(history, key, build), width)).collect()
}

fn of_build(history: &History, key: &BuildKey, build: &BuildMoment) -> Vec<Cell<'static>> {
    let state = match build.state.as_str() {
        "failed" | "halted" if build.is_replaced => Style::new(),
        "active" => coloured(Color::Green),
        state => style_of_state(state),
    };
    vec![
        Cell::from(key.0.clone()),
        Cell::from(key.1.clone()),
        number(&build.version),
        Cell::from(build.state.clone()).style(state),
        number(figures::count(build.checkpoint)),
        number(figures::count(build.lag)),
        number(seconds(build.lag_seconds)),
        number(speed(history.speed(key))),
        number(figures::count(build.dead_letters)),
    ]
}

/// The reactors, in the order of the builds.
fn reactors(history: &History, width: u16) -> Vec<Row<'static>> {
    let Some(newest) = history.newest() else { return Vec::new() };
    let mut reactors: Vec<(&String, &ReactorMoment)> = newest.reactors.iter().collect();
    reactors.sort_by(|(_, one), (_, other)| {
        other.is_stopped().cmp(&one.is_stopped()).then(other.lag_seconds.total_cmp(&one.lag_seconds))
    });
    let cells = |(name, reactor): (&String, &ReactorMoment)| {
        vec![
            Cell::from(name.clone()),
            Cell::from(""),
            number(&reactor.version),
            Cell::from(reactor.state.clone()).style(style_of_state(&reactor.state)),
            number(figures::count(reactor.checkpoint)),
            number(figures::count(reactor.lag)),
            number(seconds(reactor.lag_seconds)),
            number(speed(history.speed_of_reactor(name))),
            number(figures::count(reactor.dead_letters)),
        ]
    };
    reactors.into_iter().map(|reactor| row(&REACTORS, cells(reactor), width)).collect()
}

/// The sinks: those with messages that have failed first, then by how long the oldest message waits. Of one that publishes the log, the positions
/// that are left are what waits.
fn sinks(history: &History, width: u16) -> Vec<Row<'static>> {
    let Some(newest) = history.newest() else { return Vec::new() };
    let mut sinks: Vec<(&String, &SinkMoment)> = newest.sinks.iter().collect();
    sinks.sort_by(|(_, one), (_, other)| {
        (other.failed > 0).cmp(&(one.failed > 0)).then(other.oldest_seconds.total_cmp(&one.oldest_seconds))
    });
    let cells = |(name, sink): (&String, &SinkMoment)| match sink.publication {
        None => vec![
            Cell::from(name.clone()),
            number(figures::count(sink.pending)),
            number(seconds(sink.oldest_seconds)),
            number(figures::count(sink.failed)).style(if sink.failed > 0 {
                coloured(Color::Red)
            } else {
                Style::new()
            }),
        ],
        Some(publication) => vec![
            Cell::from(name.clone()),
            number(figures::count(publication.lag)),
            Cell::from(""),
            number(if publication.is_failing { "failing" } else { "" }).style(coloured(Color::Red)),
        ],
    };
    sinks.into_iter().map(|sink| row(&SINKS, cells(sink), width)).collect()
}

/// With `NO_COLOR`, crossterm writes no colour; what is important is in words as well.
fn coloured(color: Color) -> Style {
    Style::new().fg(color)
}

fn style_of_state(state: &str) -> Style {
    match state {
        "failed" | "halted" => coloured(Color::Red),
        "running" => coloured(Color::Green),
        _ => Style::new(),
    }
}

fn speed(rate: Option<f64>) -> String {
    rate.map_or_else(String::new, |rate| figures::rate(rate).to_string())
}

fn number(number: impl ToString) -> Cell<'static> {
    Cell::from(Line::from(number.to_string()).alignment(Alignment::Right))
}

fn row(columns: &[Column], cells: Vec<Cell<'static>>, width: u16) -> Row<'static> {
    Row::new(columns.iter().zip(cells).filter(|(column, _)| column.is_shown(width)).map(|(_, cell)| cell))
}

fn table(columns: &'static [Column], rows: impl Iterator<Item = Row<'static>>, width: u16) -> Table<'static> {
    let columns: Vec<&Column> = columns.iter().filter(|column| column.is_shown(width)).collect();
    let header = columns.iter().map(|column| {
        let alignment = if column.is_number { Alignment::Right } else { Alignment::Left };
        Line::from(column.name).alignment(alignment)
    });
    let widths = columns.iter().map(|column| column.width);
    Table::new(rows, widths).header(Row::new(header).style(Style::new().add_modifier(Modifier::BOLD))).column_spacing(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_a_line_for_each_row_that_is_shown_and_one_for_their_columns() {
        assert_eq!(height(&[2, 1, 1], 0, 1), 3 + 1 + 2 + 1 + 2);
        assert_eq!(height(&[2, 1, 1], 1, 1), 2 + 1 + 2 + 1 + 2);
        assert_eq!(height(&[2, 1, 1], 2, 1), 2 + 1 + 2);
        assert_eq!([height(&[2, 1, 1], 3, 0), height(&[2, 1, 1], 4, 0), height(&[], 0, 1)], [2, 0, 0]);
    }
}
