//! What the derives take, and what they say to what they do not.

#[test]
fn declarations_that_are_right_compile() {
    trybuild::TestCases::new().pass("tests/derive/pass/*.rs");
}

#[test]
fn declarations_that_are_wrong_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/derive/fail/*.rs");
}
