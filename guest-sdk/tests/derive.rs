//! Declarations that the derives accept, and their errors for those that they refuse.

#[test]
fn valid_declarations_compile() {
    trybuild::TestCases::new().pass("tests/derive/pass/*.rs");
}

#[test]
fn invalid_declarations_have_clear_errors() {
    trybuild::TestCases::new().compile_fail("tests/derive/fail/*.rs");
}
