//! Numbers as options, each within its range. What is outside is refused before anything is started.

use std::{fmt::Display, str::FromStr};

/// Reads a number from `least` to `most`.
pub(super) fn between<T>(least: T, most: T) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text| match text.parse() {
        Ok(number) if least <= number && number <= most => Ok(number),
        _ => Err(format!("give a number from {least} to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_is_refused_with_the_range() {
        let read = between(4_u32, 1000);
        assert_eq!((read("4"), read("1000")), (Ok(4), Ok(1000)));
        for text in ["3", "1001", "-1", "", "ten", "4.5", "99999999999999999999"] {
            assert_eq!(read(text), Err("give a number from 4 to 1000".to_owned()), "{text}");
        }
    }
}
