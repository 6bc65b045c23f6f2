//! Names of tables and columns, as languages write them.

/// The name of a table as that of a type: `carrier_daily` is `CarrierDaily`. Tables whose names are the same then have a number behind
/// the second one.
pub(super) fn type_names(tables: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for table in tables {
        let name = type_name(table.as_ref());
        let mut unique = name.clone();
        let mut number = 1;
        while taken.contains(&unique) {
            number += 1;
            unique = format!("{name}{number}");
        }
        taken.push(unique);
    }
    taken
}

fn type_name(table: &str) -> String {
    let words = table.split('_').filter(|word| !word.is_empty());
    let name: String = words
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) && !RESERVED.contains(&&*name) {
        name
    } else {
        format!("Row{name}")
    }
}

/// Names of types that the languages, or what is printed before the types, have already.
const RESERVED: [&str; 17] = [
    "Any",
    "Deserialize",
    "False",
    "Float",
    "Json",
    "Literal",
    "None",
    "NotRequired",
    "Option",
    "Self",
    "Serialize",
    "String",
    "True",
    "TypedDict",
    "Value",
    "Vec",
    "Number",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_in_camel_case_and_differ() {
        let names = type_names(["accounts", "carrier_daily", "carrier__daily", "_", "_2024", "self", "a1_b2"].iter());
        assert_eq!(names, ["Accounts", "CarrierDaily", "CarrierDaily2", "Row", "Row2024", "RowSelf", "A1B2"]);
    }
}
