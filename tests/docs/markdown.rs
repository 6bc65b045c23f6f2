//! The blocks of code of a page, with the comments that are meant for this test.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A block of code.
#[derive(Debug)]
pub(crate) struct Block {
    /// The line of its fence, from 1.
    pub(crate) line: usize,
    /// What its fence says; nothing if it says nothing.
    pub(crate) language: String,
    pub(crate) text: String,
    /// The text of the comment before it, after `example:`.
    pub(crate) comment: Option<String>,
}

/// A code within a line.
#[derive(Debug)]
pub(crate) struct InlineCode {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The blocks of a page, and the lines of comments that no block follows.
pub(crate) fn blocks(page: &str) -> (Vec<Block>, Vec<usize>) {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut comment, mut astray) = (None, Vec::new());
    let (mut html, mut inside) = (String::new(), false);
    for (event, range) in Parser::new_ext(page, Options::ENABLE_TABLES).into_offset_iter() {
        let line = line_of(page, range.start);
        match event {
            Event::Start(Tag::HtmlBlock) => html.clear(),
            Event::Html(text) => html.push_str(&text),
            Event::End(TagEnd::HtmlBlock) => {
                if let Some(text) = comment_of(&html)
                    && let Some((line, _)) = comment.replace((line, text))
                {
                    astray.push(line);
                }
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                let comment = comment.take().map(|(_, text)| text);
                blocks.push(Block { line, language, text: String::new(), comment });
                inside = true;
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => blocks.last_mut().unwrap().text.push_str(&text),
            // A list or a quote may begin between a comment and its block.
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Table(_)) => {
                astray.extend(comment.take().map(|(line, _)| line));
            }
            _ => {}
        }
    }
    astray.extend(comment.map(|(line, _)| line));
    (blocks, astray)
}

/// The codes within the lines of a page.
pub(crate) fn inline_codes(page: &str) -> Vec<InlineCode> {
    let events = Parser::new_ext(page, Options::ENABLE_TABLES).into_offset_iter();
    let codes = events.filter_map(|(event, range)| match event {
        Event::Code(text) => Some(InlineCode { line: line_of(page, range.start), text: text.to_string() }),
        _ => None,
    });
    codes.collect()
}

/// Links such as [`Event`] whose target the page does not give. rustdoc finds it, and elsewhere the brackets are shown.
pub(crate) fn links_to_nothing(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let note = |link: pulldown_cmark::BrokenLink<'_>| {
        found.push(link.reference.to_string());
        None
    };
    Parser::new_with_broken_link_callback(page, Options::ENABLE_TABLES, Some(note)).for_each(drop);
    found
}

fn line_of(page: &str, at: usize) -> usize {
    page[..at].matches('\n').count() + 1
}

/// What a comment says to this test.
fn comment_of(html: &str) -> Option<String> {
    let text = html.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim().strip_prefix("example:")?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn blocks_have_their_lines_and_comments() {
    let page = "# A\n\n```sh\na `b`\n```\n\n- one `c`\n\n  <!-- example:\n  fails -->\n  ```json\n  {}\n  ```\n\n<!-- example: x -->\n\nText\n\n    d\n";
    let (blocks, astray) = blocks(page);
    let found: Vec<_> = blocks
        .iter()
        .map(|block| (block.line, block.language.as_str(), block.text.as_str(), block.comment.as_deref()))
        .collect();
    assert_eq!(found, [(3, "sh", "a `b`\n", None), (11, "json", "{}\n", Some("fails")), (19, "", "d\n", None)]);
    assert_eq!(astray, [15]);
    let codes: Vec<_> = inline_codes(page).into_iter().map(|code| (code.line, code.text)).collect();
    assert_eq!(codes, [(7, "c".to_owned())]);
    assert_eq!(links_to_nothing("[`a`], [b](c), [d]\n\n[d]: e\n"), ["`a`"]);
}
