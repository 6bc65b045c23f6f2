//! Versions of Postgres.

use std::fmt;
use std::ops::RangeInclusive;

/// A major version of Postgres. The files of one cannot be read by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Major(u16);

/// From the oldest version that the Postgres project maintains to the newest that Gnomon is tested with.
pub(super) const SUPPORTED: RangeInclusive<Major> = Major(14)..=Major(18);

impl Major {
    pub(in crate::postgres) const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Reads what `postgres --version` prints, such as `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
    pub(super) fn of_program(output: &str) -> Option<Self> {
        // The brackets have the name of the distributor, which may have digits.
        let (_, version) = output.split_once(") ")?;
        Self::leading(version)
    }

    /// Reads the file `PG_VERSION` of a cluster.
    pub(super) fn of_cluster(content: &str) -> Option<Self> {
        Self::leading(content)
    }

    fn leading(text: &str) -> Option<Self> {
        // `18beta1` and `19devel` have no dot after the major version.
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        text[..digits].parse().ok().map(Self)
    }

    pub(super) fn is_supported(self) -> bool {
        SUPPORTED.contains(&self)
    }
}

impl fmt::Display for Major {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_output_of_programs() {
        for (output, major) in [
            ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n", 15),
            ("postgres (PostgreSQL) 18.4\n", 18),
            ("postgres (PostgreSQL) 18beta1\n", 18),
            ("postgres (EnterpriseDB) 17.2.0\n", 17),
            ("postgres (PostgreSQL) 9.6.24\n", 9),
        ] {
            assert_eq!(Major::of_program(output), Some(Major(major)), "{output}");
        }
        for output in ["", "postgres", "postgres (PostgreSQL)", "postgres (PostgreSQL) devel", "sh: not found) x"] {
            assert_eq!(Major::of_program(output), None, "{output}");
        }
    }

    #[test]
    fn versions_are_read_from_clusters() {
        assert_eq!(Major::of_cluster("15\n"), Some(Major(15)));
        assert_eq!(Major::of_cluster("9.6\n"), Some(Major(9)));
        assert_eq!(Major::of_cluster(""), None);
    }

    #[test]
    fn only_tested_versions_are_supported() {
        assert!(!Major(13).is_supported());
        assert!(Major(14).is_supported());
        assert!(Major(18).is_supported());
        assert!(!Major(19).is_supported());
    }
}
