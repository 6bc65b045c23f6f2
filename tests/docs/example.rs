//! What to do with each block of a page.

use crate::markdown::{Block, blocks};

/// A block, and what to do with it.
#[derive(Debug)]
pub(crate) struct Example {
    /// The line of its fence.
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    Run(Run),
    /// It becomes a file, or the end of one.
    Write {
        path: String,
        append: bool,
    },
    /// It is a part of a file of this repository.
    Excerpt {
        path: String,
    },
    NotRun,
}

/// How the commands of a block are run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The last of them fails.
    pub(crate) fails: bool,
    pub(crate) ends: Ends,
    /// What is typed at the terminal; without it, there is none.
    pub(crate) typed: Option<String>,
    pub(crate) answer: Option<Answer>,
}

/// When a block ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ends {
    #[default]
    ByItself,
    /// When it has printed its answer.
    WithAnswer,
    /// By itself, but it is run again until it prints its answer.
    AfterRepeats,
}

/// What a page says that a block prints.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) line: usize,
    pub(crate) kind: AnswerKind,
    pub(crate) text: String,
    /// Members of which only the type is compared.
    pub(crate) varies: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerKind {
    /// What it prints to stdout.
    Json,
    /// What a terminal shows.
    Text,
}

/// What a comment says.
#[derive(Debug, Default)]
struct Comment {
    not_run: bool,
    fails: bool,
    ends: Ends,
    typed: Option<String>,
    varies: Vec<String>,
    write: Option<(String, bool)>,
    excerpt: Option<String>,
}

/// The examples of a page; or what is wrong with them, each with its line.
pub(crate) fn examples(page: &str) -> Result<Vec<Example>, Vec<String>> {
    let (blocks, astray) = blocks(page);
    let mut examples: Vec<Example> = Vec::new();
    let mut problems: Vec<String> =
        astray.into_iter().map(|line| format!("{line}: no block of code follows this comment")).collect();
    let mut previous = None;
    for block in blocks {
        let line = block.line;
        let above = previous.take();
        let result = comment(block.comment.as_deref().unwrap_or_default()).and_then(|comment| {
            if let Some(kind) = answer_kind(&block, &comment) {
                let answer = Answer { line, kind, text: block.text, varies: comment.varies };
                let Some(Example { action: Action::Run(run), .. }) = above.and_then(|at: usize| examples.get_mut(at))
                else {
                    return Err("no command stands before this answer, and no comment says why it is not run".into());
                };
                run.answer = Some(answer);
                return Ok(());
            }
            if let Some(action) = action(&block.language, comment)? {
                if matches!(action, Action::Run(_)) {
                    previous = Some(examples.len());
                }
                examples.push(Example { line, text: block.text, action });
            }
            Ok(())
        });
        problems.extend(result.err().map(|problem: String| format!("{line}: {problem}")));
    }
    for example in &examples {
        if let Action::Run(run) = &example.action
            && run.ends != Ends::ByItself
            && run.answer.is_none()
        {
            problems.push(format!("{}: it ends with its answer, but no answer stands below it", example.line));
        }
    }
    if problems.is_empty() { Ok(examples) } else { Err(problems) }
}

/// Whether a block is the answer of the one above it.
fn answer_kind(block: &Block, comment: &Comment) -> Option<AnswerKind> {
    if comment.not_run || comment.write.is_some() || comment.excerpt.is_some() {
        return None;
    }
    match block.language.as_str() {
        "json" => Some(AnswerKind::Json),
        "text" => Some(AnswerKind::Text),
        _ => None,
    }
}

/// What is done with a block; nothing with a drawing.
fn action(language: &str, comment: Comment) -> Result<Option<Action>, String> {
    if comment.not_run {
        return Ok(Some(Action::NotRun));
    }
    if let Some((path, append)) = comment.write {
        return Ok(Some(Action::Write { path, append }));
    }
    if let Some(path) = comment.excerpt {
        return Ok(Some(Action::Excerpt { path }));
    }
    match language {
        "sh" => {
            Ok(Some(Action::Run(Run { fails: comment.fails, ends: comment.ends, typed: comment.typed, answer: None })))
        }
        "mermaid" => Ok(None),
        other => Err(format!("a block of `{other}` cannot be run; a comment says what it is, or why it is not run")),
    }
}

fn comment(text: &str) -> Result<Comment, String> {
    let mut comment = Comment::default();
    if let Some(reason) = text.strip_prefix("not run") {
        if reason.trim_start_matches(':').trim().is_empty() {
            return Err("it says `not run` without a reason".into());
        }
        comment.not_run = true;
        return Ok(comment);
    }
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
        match (word, rest) {
            ("fails", "") => comment.fails = true,
            ("goes", "on") => comment.ends = Ends::WithAnswer,
            ("until", "it fits") => comment.ends = Ends::AfterRepeats,
            ("answers", typed) => comment.typed = Some(typed.to_owned()),
            ("varies:", names) => comment.varies = names.split(',').map(|name| name.trim().to_owned()).collect(),
            ("file", path) => comment.write = Some((path.to_owned(), false)),
            ("end", rest) if rest.starts_with("of ") => comment.write = Some((rest[3..].to_owned(), true)),
            ("stands", rest) if rest.starts_with("in ") => comment.excerpt = Some(rest[3..].to_owned()),
            _ => return Err(format!("this test does not know `{part}`")),
        }
    }
    Ok(comment)
}

#[test]
fn a_block_that_is_neither_run_nor_excused_is_a_problem() {
    let problems = |page: &str| examples(page).unwrap_err().join("\n");
    assert_eq!(
        problems("```rust\nlet a;\n```\n"),
        "1: a block of `rust` cannot be run; a comment says what it is, or why it is not run"
    );
    assert_eq!(
        problems("```\na\n```\n"),
        "1: a block of `` cannot be run; a comment says what it is, or why it is not run"
    );
    assert_eq!(
        problems("```json\n{}\n```\n"),
        "1: no command stands before this answer, and no comment says why it is not run"
    );
    assert_eq!(problems("<!-- example: not run: -->\n```sh\na\n```\n"), "2: it says `not run` without a reason");
    assert_eq!(problems("<!-- example: nor run -->\n```sh\na\n```\n"), "2: this test does not know `nor run`");
    assert_eq!(problems("<!-- example: fails -->\nText\n"), "1: no block of code follows this comment");
    assert_eq!(
        problems("<!-- example: goes on -->\n```sh\na\n```\n"),
        "2: it ends with its answer, but no answer stands below it"
    );
}

#[test]
fn an_answer_belongs_to_the_block_above_it() {
    let page = "```sh\na\n```\n\nsays\n\n<!-- example: varies: time, rate -->\n```json\n{}\n```\n\n```mermaid\n```\n\n\
                <!-- example: not run: it is long -->\n```sh\nb\n```\n";
    let examples = examples(page).unwrap();
    let [Example { action: Action::Run(run), .. }, Example { action: Action::NotRun, .. }] = &examples[..] else {
        panic!("{examples:?}");
    };
    let answer = run.answer.as_ref().unwrap();
    assert_eq!((answer.line, answer.kind, answer.text.as_str()), (8, AnswerKind::Json, "{}\n"));
    assert_eq!(answer.varies, ["time", "rate"]);
}
