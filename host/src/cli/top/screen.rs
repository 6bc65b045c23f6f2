//! The screen.

use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{
    attention::{Attention, Urgency, attention, seconds},
    history::{History, Moment},
    tables,
};
use crate::cli::figures;

/// Lines for what needs attention, at most; the rest is counted.
const ATTENTION_LINES: usize = 8;
/// A screen of fewer lines has no empty ones, and no keys.
const FEW_LINES: u16 = 10;
/// The fewest lines for the tables on a screen that has room for them: the names of the columns, and one build.
const BUILD_LINES: u16 = 2;

/// Draws all of it. `scrolled` is how many rows of the tables are above the screen, and is brought back to how many can be.
pub(super) fn draw(frame: &mut Frame<'_>, history: &History, scrolled: &mut u16) {
    let found = attention(history);
    let (width, height) = (frame.area().width, frame.area().height);
    let (head_lines, gap, key_lines) = if height < FEW_LINES { (1, 0, 0) } else { (3, 1, 1) };
    let room = height.saturating_sub(head_lines + gap + key_lines + BUILD_LINES).saturating_sub(1).max(1);
    let needs = needs(&found, history, width.into(), usize::from(room).min(ATTENTION_LINES));
    let needs_lines = u16::try_from(needs.len()).unwrap_or(u16::MAX).saturating_add(gap);
    let [top, middle, rows, bottom] = Layout::vertical([
        Constraint::Length(head_lines),
        Constraint::Length(needs_lines),
        Constraint::Fill(1),
        Constraint::Length(key_lines),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(head(history)), top);
    frame.render_widget(Paragraph::new(needs), middle);
    let is_old = found.first().is_some_and(|first| first.urgency == Urgency::Host && history.lost().is_some());
    tables::draw(frame, history, rows, scrolled, gap, is_old);
    let keys = Paragraph::new("q quit   ↑ ↓ move").style(faint()).alignment(Alignment::Left).wrap(Wrap { trim: true });
    frame.render_widget(keys, bottom);
}

fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

/// With `NO_COLOR`, crossterm writes no colour; what is important is in words as well.
fn coloured(color: Color) -> Style {
    Style::new().fg(color)
}

fn head(history: &History) -> Vec<Line<'static>> {
    let title = Span::styled("gnomon top", bold());
    let Some(newest) = history.newest() else {
        let waits = if history.lost().is_some() { "no answer yet" } else { "waiting for the first answer" };
        return vec![Line::from(vec![title, Span::raw(format!("  {}  {waits}", history.url()))])];
    };
    let Moment { version, not_ready, head, head_age, hosts, .. } = newest;
    let state = match (history.lost(), not_ready) {
        (Some(_), _) => Span::styled("no answer", coloured(Color::Red)),
        (None, Some(_)) => Span::styled("not ready", coloured(Color::Red)),
        (None, None) => Span::styled("ready", coloured(Color::Green)),
    };
    let hosts = hosts.map_or_else(String::new, |hosts| format!("  {}", figures::counted(hosts, "host")));
    let first = vec![title, Span::raw(format!("  {}  version {version}  ", history.url())), state, Span::raw(hosts)];
    let head = head.map_or_else(|| "unknown".to_owned(), |head| figures::count(head).to_string());
    let appends = history.appends().map_or_else(String::new, |rate| format!("  appends {}/s", figures::rate(rate)));
    let age = head_age.map_or_else(String::new, |age| format!("  newest event {} ago", seconds(age)));
    vec![Line::from(first), Line::from(format!("head {head}{appends}{age}"))]
}

/// What needs attention, in so many lines under their title. What has no room is counted.
fn needs(found: &[Attention], history: &History, width: usize, room: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("NEEDS ATTENTION", bold())];
    if found.is_empty() {
        let nothing = if history.newest().is_some() { "nothing" } else { "" };
        lines.push(Line::styled(nothing, faint()));
    }
    let mut left = room;
    for (index, Attention { urgency, text }) in found.iter().enumerate() {
        let color = match urgency {
            Urgency::Host | Urgency::Stopped => Color::Red,
            Urgency::Behind | Urgency::Idle | Urgency::SetAside => Color::Yellow,
            Urgency::Replaced | Urgency::Unseen => Color::Reset,
        };
        let (wrapped, others) = (wrapped(text, width), found.len() - index - 1);
        // The last line that is left says how many others there are. The most urgent is shown in any case.
        let kept_free = usize::from(others > 0);
        if index > 0 && wrapped.len() + kept_free > left {
            if left > 0 {
                lines.push(Line::raw(format!("and {} more", others + 1)));
            }
            break;
        }
        let shown = wrapped.len().min(left.saturating_sub(kept_free).max(1));
        lines.extend(wrapped.into_iter().take(shown).map(|line| Line::styled(line, coloured(color))));
        left = left.saturating_sub(shown);
    }
    lines
}

/// A text in lines of a width; those after the first are indented. The commands of a text stand at its end.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > width && !line.trim_start().is_empty() {
            lines.push(std::mem::replace(&mut line, "  ".to_owned()));
        }
        if !line.trim_start().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::{
        super::history::tests::{history, said},
        *,
    };

    fn screen(width: u16, height: u16, history: &History, scrolled: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut scrolled = scrolled;
        terminal.draw(|frame| draw(frame, history, &mut scrolled)).unwrap();
        let lines = terminal.backend().to_string();
        lines.lines().map(|line| line.trim_matches('"').trim_end()).collect::<Vec<_>>().join("\n")
    }

    fn two_builds() -> History {
        let at = |head: u64| {
            said(&format!(
                "gnomon_info{{version=\"0.2.0\"}} 1\ngnomon_head_position {head}\ngnomon_head_age_seconds 0.4\ngnomon_hosts 2\n\
                 gnomon_build_state{{projection=\"bank\",build=\"1\",version=\"1\",state=\"active\"}} 1\n\
                 gnomon_build_checkpoint_position{{projection=\"bank\",build=\"1\"}} {head}\n\
                 gnomon_build_state{{projection=\"tally\",build=\"4\",version=\"3\",state=\"halted\"}} 1\n\
                 gnomon_build_checkpoint_position{{projection=\"tally\",build=\"4\"}} 17\n\
                 gnomon_build_lag_positions{{projection=\"tally\",build=\"4\"}} {}\n\
                 gnomon_build_lag_seconds{{projection=\"tally\",build=\"4\"}} 61\n",
                head - 17
            ))
        };
        history([at(1000), at(3500)])
    }

    #[test]
    fn the_screen_has_the_log_what_needs_attention_and_the_builds() {
        insta::assert_snapshot!(screen(110, 12, &two_builds(), 0), @r#"
        gnomon top  http://h  version 0.2.0  ready  2 hosts
        head 3,500  appends 2,500/s  newest event 0.4 s ago

        NEEDS ATTENTION
        tally build 4 has halted behind position 17: gnomon projections tally; gnomon explain 18

        PROJECTION               BUILD    VERSION STATE       CHECKPOINT         LAG         AGE POSITIONS/S SET ASIDE
        tally                    4              3 halted              17       3,483   1 min 1 s           0         0
        bank                     1              1 active           3,500           0       0.0 s       2,500         0


        q quit   ↑ ↓ move
        "#);
    }

    fn with_messages() -> History {
        let at = |position: u64| {
            said(&format!(
                "gnomon_info{{version=\"0.2.0\"}} 1\ngnomon_head_position 3500\ngnomon_head_age_seconds 0.4\ngnomon_hosts 1\n\
                 gnomon_build_state{{projection=\"bank\",build=\"1\",version=\"1\",state=\"active\"}} 1\n\
                 gnomon_build_checkpoint_position{{projection=\"bank\",build=\"1\"}} 3500\n\
                 gnomon_reactor_state{{reactor=\"delays\",version=\"2\",state=\"running\"}} 1\n\
                 gnomon_reactor_checkpoint_position{{reactor=\"delays\"}} {position}\n\
                 gnomon_reactor_lag_positions{{reactor=\"delays\"}} {}\n\
                 gnomon_reactor_state{{reactor=\"settlement\",version=\"1\",state=\"halted\"}} 1\n\
                 gnomon_reactor_checkpoint_position{{reactor=\"settlement\"}} 7\n\
                 gnomon_reactor_lag_positions{{reactor=\"settlement\"}} 3493\n\
                 gnomon_reactor_lag_seconds{{reactor=\"settlement\"}} 61\n\
                 gnomon_outbox_pending_messages{{sink=\"passengers\"}} 12\n\
                 gnomon_outbox_oldest_pending_seconds{{sink=\"passengers\"}} 130\n\
                 gnomon_outbox_failed_messages{{sink=\"bank\"}} 2\n\
                 gnomon_log_publication_lag_positions{{sink=\"stream\"}} 40\ngnomon_log_publication_failing{{sink=\"stream\"}} 1\n",
                3500 - position
            ))
        };
        history([at(1000), at(3400)])
    }

    #[test]
    fn reactors_and_sinks_stand_below_the_builds() {
        insta::assert_snapshot!(screen(110, 24, &with_messages(), 0), @r#"
        gnomon top  http://h  version 0.2.0  ready  1 host
        head 3,500  appends 0/s  newest event 0.4 s ago

        NEEDS ATTENTION
        reactor settlement has halted behind position 7: gnomon reactors
        sink stream does not publish the log: gnomon sinks --json
        sink passengers: 12 messages not delivered, the oldest for 2 min 10 s: gnomon outbox --sink passengers --state
          pending
        sink bank: 2 messages failed: gnomon outbox --sink bank --state failed

        PROJECTION               BUILD    VERSION STATE       CHECKPOINT         LAG         AGE POSITIONS/S SET ASIDE
        bank                     1              1 active           3,500           0       0.0 s           0         0

        REACTOR                           VERSION STATE         POSITION         LAG         AGE POSITIONS/S SET ASIDE
        settlement                              1 halted               7       3,493   1 min 1 s           0         0
        delays                                  2 running          3,400         100       0.0 s       2,400         0

        SINK                                                                             PENDING      OLDEST    FAILED
        bank                                                                                   0       0.0 s         2
        passengers                                                                            12  2 min 10 s         0
        stream                                                                                40               failing


        q quit   ↑ ↓ move
        "#);
    }

    #[test]
    fn a_small_screen_comes_to_the_last_sink() {
        let small = screen(80, 16, &with_messages(), 0);
        assert!(small.contains("PROJECTION") && !small.contains("SINK"), "{small}");
        let last = screen(80, 16, &with_messages(), u16::MAX);
        assert!(last.contains("SINK") && last.contains("\nstream ") && !last.contains("PROJECTION"), "{last}");
        for (width, height) in [(1, 1), (10, 3), (34, 9), (200, 100)] {
            for scrolled in 0..8 {
                let _ = screen(width, height, &with_messages(), scrolled);
            }
        }
    }

    #[test]
    fn a_small_screen_shows_what_fits_and_moves_no_further_than_there_is() {
        let small = screen(60, 8, &two_builds(), 100);
        assert!(small.contains("gnomon top") && small.contains("\ntally "), "{small}");
        let usual = screen(80, 12, &two_builds(), 0);
        assert!(usual.contains("PROJECTION") && usual.contains("\ntally ") && !usual.contains("CHECKPOINT"), "{usual}");
        for (width, height) in [(1, 1), (10, 3), (200, 100)] {
            let _ = screen(width, height, &two_builds(), 7);
        }
    }

    #[test]
    fn a_command_that_is_advised_is_there_to_its_end() {
        let usual = screen(80, 24, &two_builds(), 0);
        let advice = "tally build 4 has halted behind position 17: gnomon projections tally; gnomon\n  explain 18\n";
        assert!(usual.contains(advice), "{usual}");
    }

    #[test]
    fn the_smallest_screens_show_what_is_wrong_and_where() {
        insta::assert_snapshot!(screen(20, 5, &two_builds(), 0), @r"
        gnomon top  http://h
        NEEDS ATTENTION
        tally build 4 has
        PROJECTION STATE
        tally      halted
        ");
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let found = |texts: &[&str]| -> Vec<Attention> {
            texts.iter().map(|text| Attention { urgency: Urgency::Stopped, text: (*text).to_owned() }).collect()
        };
        let lines = |texts: &[&str], room| -> Vec<String> {
            let shown = needs(&found(texts), &two_builds(), 10, room);
            shown.iter().skip(1).map(ToString::to_string).collect()
        };
        assert_eq!(lines(&["a", "b", "c"], 3), ["a", "b", "c"]);
        assert_eq!(lines(&["a", "b", "c"], 2), ["a", "and 2 more"]);
        assert_eq!(lines(&["a", "b b b b b b", "c"], 3), ["a", "and 2 more"]);
        assert_eq!(lines(&["a a a a a a", "b"], 2), ["a a a a a", "b"]);
        assert_eq!(lines(&["a a a a a a", "b"], 1), ["a a a a a"]);
        assert_eq!(lines(&["a a a a a a"], 2), ["a a a a a", "  a"]);
        assert_eq!(lines(&["averylongword and"], 2), ["averylongword", "  and"]);
    }

    #[test]
    fn a_host_that_never_answered_is_said_to() {
        let nobody = screen(100, 8, &history([Err("no host answers at http://h".to_owned())]), 0);
        assert!(nobody.contains("no answer yet") && nobody.contains("no host answers at http://h, for"), "{nobody}");
    }
}
