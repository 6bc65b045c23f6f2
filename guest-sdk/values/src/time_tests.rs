use proptest::prelude::*;

use super::*;

fn words(text: &str) -> String {
    Instant::parse(text).unwrap_err().to_string()
}

#[test]
fn the_limits_are_the_documented_ones() {
    assert_eq!(Instant::MIN.to_string(), "0001-01-01T00:00:00Z");
    assert_eq!(Instant::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
    assert_eq!((Day::MIN.to_string(), Day::MAX.to_string()), ("0001-01-01".into(), "9999-12-31".into()));
    assert_eq!(Day::of(NaiveDate::from_ymd_opt(1, 1, 1).unwrap()), Ok(Day::MIN));
    assert_eq!(Day::of(NaiveDate::from_ymd_opt(9999, 12, 31).unwrap()), Ok(Day::MAX));
    assert_eq!(Day::of(NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()), Ok(Day(0)));
}

#[test]
fn instants_are_rounded_towards_the_past() {
    for (nanos, micros) in [(1_999, 1), (1_000, 1), (999, 0), (0, 0), (-1, -1), (-1_000, -1), (-1_001, -2)] {
        let time = DateTime::from_timestamp_nanos(nanos);
        assert_eq!(Instant::of(time), Ok(Instant(micros)), "{nanos} ns");
        let text = time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
        assert_eq!(Instant::parse(&text), Ok(Instant(micros)), "{text}");
    }
}

#[test]
fn fractions_within_the_last_microsecond_are_kept() {
    for text in ["9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999999Z"] {
        assert_eq!(Instant::parse(text), Ok(Instant::MAX), "{text}");
    }
}

#[test]
fn rfc_3339_is_read_in_all_its_forms() {
    let expected = Instant(1_582_979_400_500_000);
    for text in [
        "2020-02-29T12:30:00.5Z",
        "2020-02-29t12:30:00.5z",
        "2020-02-29 12:30:00.500Z",
        "2020-02-29T12:30:00.5+00:00",
        "2020-02-29T12:30:00.5-00:00",
        "2020-02-29T14:30:00.5+02:00",
        "2020-02-28T12:31:00.5-23:59",
    ] {
        assert_eq!(Instant::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn other_forms_are_refused() {
    for text in [
        "",
        "now",
        "infinity",
        "2020-02-29",
        "2020-02-29T12:30Z",
        "2020-02-29T12:30:00",
        "2020-02-29T12:30:00.Z",
        "2020-02-29T12:30:00,5Z",
        "2020-02-29T12:30:00+02",
        "2020-02-29T12:30:00+0200",
        "2020-02-29T12:30:00\u{2212}02:00",
        "2020-02-29T12:30:00+24:00",
        "2020-02-29T12:30:00Z[UTC]",
        " 2020-02-29T12:30:00Z",
        "2020-02-29T12:30:00Z ",
        "2020-02-29  12:30:00Z",
        "2020-02-29_12:30:00Z",
        "2020-2-29T12:30:00Z",
        "20200229T123000Z",
        "2020-02-29T24:00:00Z",
        "2020-02-29T12:60:00Z",
        "2020-02-29T12:30:61Z",
        "2021-02-29T12:30:00Z",
        "10000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "٢٠٢٠-02-29T12:30:00Z",
    ] {
        assert_eq!(Instant::parse(text), Err(TimeError::NotAnInstant(text.to_owned())), "{text}");
    }
    assert_eq!(
        words("now"),
        "`now` is not an instant as RFC 3339 writes it, such as 2013-01-01T10:17:00Z, from 0001-01-01T00:00:00Z to \
         9999-12-31T23:59:59.999999Z"
    );
}

#[test]
fn an_error_shows_a_time_that_would_do() {
    for (text, meant) in [
        ("2020-02-29", "2020-02-29T00:00:00Z"),
        ("2020-02-29T12:30", "2020-02-29T12:30:00Z"),
        ("2020-02-29T12:30Z", "2020-02-29T12:30:00Z"),
        ("2020-02-29 12:30:00.5", "2020-02-29T12:30:00.5Z"),
        (" 2020-02-29T12:30:00+02:00", "2020-02-29T10:30:00Z"),
        ("2021-02-29", "2013-01-01T10:17:00Z"),
        ("yesterday", "2013-01-01T10:17:00Z"),
    ] {
        let expected = format!("`{text}` is not an instant as RFC 3339 writes it, such as {meant}, from 0001-");
        assert!(words(text).starts_with(&expected), "{}", words(text));
        assert!(Instant::parse(meant).is_ok());
    }
}

#[test]
fn a_leap_second_is_refused_as_text_and_from_chrono() {
    for (text, before) in [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.5Z"),
        ("2017-01-01T01:59:60+02:00", "2016-12-31T23:59:59Z"),
        ("2020-01-01T00:00:60Z", "2020-01-01T00:00:59Z"),
    ] {
        assert_eq!(
            words(text),
            format!(
                "{text} is within a leap second, which Gnomon does not keep; write second 59 ({before}), or the \
                 second that follows"
            )
        );
    }
    let leap: DateTime<Utc> = "2016-12-31T23:59:60.25Z".parse().unwrap();
    assert_eq!(Instant::of(leap), Err(TimeError::LeapSecond("2016-12-31T23:59:60.250Z".into())));
}

#[test]
fn errors_name_the_time_and_the_limit() {
    assert_eq!(
        words("9999-12-31T23:30:00-01:00"),
        "+10000-01-01T00:30:00Z is after 9999-12-31T23:59:59.999999Z, the last instant that Gnomon keeps"
    );
    assert_eq!(
        words("0000-12-31T23:59:59.999999999Z"),
        "0000-12-31T23:59:59.999999Z is before 0001-01-01T00:00:00Z, the first instant that Gnomon keeps"
    );
    let day = |day: i32| Day(day).check().unwrap_err().to_string();
    assert_eq!(day(Day::MIN.0 - 1), "0000-12-31 is before 0001-01-01, the first day that Gnomon keeps");
    assert_eq!(day(Day::MAX.0 + 1), "+10000-01-01 is after 9999-12-31, the last day that Gnomon keeps");
}

/// Every stored value can be written.
#[test]
fn the_ends_of_the_integers_can_be_written() {
    assert_eq!(Instant(i64::MIN).to_string(), "-290308-12-21T19:59:05.224192Z");
    assert_eq!(Instant(i64::MAX).to_string(), "+294247-01-10T04:00:54.775807Z");
    assert_eq!(Day(i32::MIN).to_string(), "-5877641-06-23");
    assert_eq!(Day(i32::MAX).to_string(), "+5881580-07-11");
    assert_eq!(Instant(i64::MIN).to_utc(), DateTime::<Utc>::MIN_UTC);
    assert_eq!(Instant(i64::MAX).to_utc(), DateTime::<Utc>::MAX_UTC);
    assert_eq!((Day(i32::MIN).to_date(), Day(i32::MAX).to_date()), (NaiveDate::MIN, NaiveDate::MAX));
}

proptest! {
    #[test]
    fn an_instant_is_read_as_it_is_written(micros in prop_oneof![Instant::MIN.0..=Instant::MAX.0, -10_000_000..10_000_000_i64]) {
        let instant = Instant(micros);
        prop_assert_eq!(instant.check(), Ok(instant));
        prop_assert_eq!(Instant::parse(&instant.to_string()), Ok(instant));
        prop_assert_eq!(Instant::of(instant.to_utc()), Ok(instant));
        // As chrono writes it, but for zeros.
        let theirs = instant.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        prop_assert_eq!(Instant::parse(&theirs), Ok(instant));
    }

    #[test]
    fn rounding_never_moves_an_instant_ahead(micros in Instant::MIN.0..=Instant::MAX.0, nanos in 0..1_000_i64) {
        let time = Instant(micros).to_utc() + chrono::TimeDelta::nanoseconds(nanos);
        prop_assert_eq!(Instant::of(time), Ok(Instant(micros)));
    }

    #[test]
    fn a_day_is_the_same_day_in_chrono(days in Day::MIN.0..=Day::MAX.0) {
        let day = Day(days);
        prop_assert_eq!(day.check(), Ok(day));
        prop_assert_eq!(Day::of(day.to_date()), Ok(day));
        prop_assert_eq!(day.to_string(), day.to_date().to_string());
    }

    #[test]
    fn instants_beyond_the_limits_are_refused(micros in prop_oneof![i64::MIN..Instant::MIN.0, Instant::MAX.0 + 1..=i64::MAX]) {
        prop_assert!(Instant(micros).check().is_err());
        prop_assert!(Instant::of(Instant(micros).to_utc()).is_err());
    }
}
