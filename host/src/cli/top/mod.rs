//! `gnomon top`

mod attention;
mod history;
mod moments;
#[cfg(debug_assertions)]
mod panics;
mod poll;
mod screen;
mod tables;

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
};
use tokio::sync::mpsc;

use self::{history::History, screen::draw};
use super::{client::Client, end::End};
use crate::config::ClientOptions;

/// How soon a key that was pressed is noticed to be the last.
const KEY_WAIT: Duration = Duration::from_millis(200);
/// The screen is drawn at least so often, since it says how long ago something was.
const REDRAW: Duration = Duration::from_secs(1);
/// Lines that a page up or down moves.
const PAGE: u16 = 10;

/// Watch a host: the log, builds and reactors with their lag and speed, sinks with the messages that wait, and what needs attention first.
///
/// It asks the host each second. Speeds are of the last ten seconds, over all hosts on its database. Keys: `q` ends it, arrows and page up and
/// down move through the builds, the reactors and the sinks.
#[derive(Args, Debug)]
pub(super) struct Top {
    #[command(flatten)]
    client: ClientOptions,
}

/// What the user wants.
enum Wish {
    Quit,
    Scroll(i32),
    Draw,
}

impl Top {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            bail!(
                "`gnomon top` draws on a terminal, and there is none; `gnomon projections --watch` writes lines, and `/metrics` is for programs"
            );
        }
        // Before the terminal is changed, so that no signal comes between.
        let mut end = End::listen()?;
        // It also restores the terminal if this program panics.
        let mut terminal =
            ratatui::try_init().inspect_err(|_| ratatui::restore()).context("cannot draw on this terminal")?;
        let watched = watch(&client, &mut terminal, &mut end).await;
        ratatui::try_restore().context("cannot restore the terminal; the command `reset` does")?;
        watched
    }
}

async fn watch(client: &Client, terminal: &mut DefaultTerminal, end: &mut End) -> anyhow::Result<()> {
    let (mut wishes, mut polled) = (wishes(), poll::poll(client.clone()));
    let mut history = History::new(client.name());
    let mut scrolled: u16 = 0;
    loop {
        terminal.draw(|frame| draw(frame, &history, &mut scrolled))?;
        tokio::select! {
            answer = polled.recv() => match answer {
                Some(answer) => {
                    #[cfg(debug_assertions)]
                    panics::at(panics::Place::Screen);
                    history.add(answer);
                }
                None => bail!("the thread that asks the host ended"),
            },
            wish = wishes.recv() => match wish {
                Some(Wish::Scroll(lines)) => scrolled = scrolled.saturating_add_signed(i16::try_from(lines).unwrap_or_default()),
                Some(Wish::Draw) => {}
                // Without keys, nobody could end it.
                Some(Wish::Quit) | None => return Ok(()),
            },
            () = tokio::time::sleep(REDRAW) => {}
            () = end.asked() => return Ok(()),
        }
    }
}

/// What the user wants, as keys say it. Ends when nobody listens.
fn wishes() -> mpsc::Receiver<Wish> {
    let (tell, wishes) = mpsc::channel(16);
    tokio::task::spawn_blocking(move || {
        while !tell.is_closed() {
            let wish = match event::poll(KEY_WAIT) {
                Ok(false) => None,
                Ok(true) => event::read().ok().and_then(|event| wish(&event)),
                // The terminal is gone.
                Err(_) => return,
            };
            if wish.is_some_and(|wish| tell.blocking_send(wish).is_err()) {
                return;
            }
        }
    });
    wishes
}

fn wish(event: &Event) -> Option<Wish> {
    match event {
        Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press | KeyEventKind::Repeat, .. }) => match code {
            KeyCode::Char('q') | KeyCode::Esc => Some(Wish::Quit),
            // In raw mode it is a key like others.
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Some(Wish::Quit),
            KeyCode::Down => Some(Wish::Scroll(1)),
            KeyCode::Up => Some(Wish::Scroll(-1)),
            KeyCode::PageDown => Some(Wish::Scroll(PAGE.into())),
            KeyCode::PageUp => Some(Wish::Scroll(-i32::from(PAGE))),
            _ => None,
        },
        Event::Resize(..) => Some(Wish::Draw),
        _ => None,
    }
}
