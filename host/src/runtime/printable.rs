//! Makes the text of a module safe to show.

/// Shortens text of a module to `max_bytes`, and escapes characters that would control a terminal or that Postgres refuses (NUL).
pub(super) fn printable(text: &str, max_bytes: usize) -> String {
    let mut printable = String::with_capacity(text.len().min(max_bytes));
    let mark = "…";
    for char in text.chars() {
        match char {
            '\n' | '\t' => printable.push(char),
            _ if char.is_control() => printable.extend(char.escape_default()),
            _ => printable.push(char),
        }
        if printable.len() > max_bytes {
            printable.truncate(printable.floor_char_boundary(max_bytes.saturating_sub(mark.len())));
            printable.push_str(mark);
            break;
        }
    }
    printable
}
