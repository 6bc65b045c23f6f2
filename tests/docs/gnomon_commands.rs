//! Commands within the text, which are not run: that there are such commands and options is checked.

use crate::{markdown::inline_codes, pages, program::gnomon};

/// Why the program would not take a command.
fn problem(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().skip(1).take_while(|word| *word != "|").collect();
    let first_option = words.iter().position(|word| word.starts_with('-')).unwrap_or(words.len());
    let output = gnomon().args(&words[..first_option]).arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Some(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let listed = |option: &str| {
        help.split(|of: char| !of.is_ascii_alphanumeric() && of != '-').any(|word| word == option.trim_end_matches(','))
    };
    let options = words[first_option..].iter().filter(|word| word.starts_with("--"));
    let mut unknown = options.map(|word| word.split('=').next().unwrap_or(word)).filter(|option| !listed(option));
    unknown.next().map(|option| format!("it has no option {option}"))
}

#[test]
fn commands_that_pages_name_are_there() {
    let (mut found, mut checked) = (Vec::new(), 0);
    for page in pages::all() {
        for code in inline_codes(&pages::read(&page)).into_iter().filter(|code| code.text.starts_with("gnomon ")) {
            checked += 1;
            found
                .extend(problem(&code.text).map(|problem| format!("{page}:{}: `{}`: {problem}", code.line, code.text)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(checked > 50, "only {checked} commands were found");
}

#[test]
fn a_command_or_an_option_that_is_not_there_is_found() {
    assert_eq!(problem("gnomon rebuild punctuality --version 1"), None);
    assert_eq!(problem("gnomon upcasters activate flight_arrivals"), None);
    assert!(problem("gnomon rebuilt punctuality").unwrap().contains("rebuilt"));
    assert_eq!(problem("gnomon rebuild punctuality --versio 1").unwrap(), "it has no option --versio");
}
