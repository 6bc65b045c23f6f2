"""Cases: a name, a call of the client, and what it has to answer. Each is run, and a table of all is printed."""

from postgrest.exceptions import APIError

_results = []


def check(name, call, test):
    """Runs a case: `test` gets what the call returns, or the error that it raises, and raises an AssertionError if that is wrong."""
    try:
        try:
            answer = call()
        except APIError as error:
            answer = error
        test(answer)
        _results.append((name, None))
    except Exception as error:  # a case that fails in whatever way is a line of the table
        _results.append((name, f"{type(error).__name__}: {error}"))


def equal(got, expected):
    assert got == expected, f"got      {got!r}\nexpected {expected!r}"


def reads(name, query, expected):
    """The query succeeds, and answers this."""

    def test(answer):
        assert not isinstance(answer, APIError), repr(answer)
        equal(answer.data, expected)

    check(name, query.execute, test)


def refused(name, query, code):
    """The query is refused with this code."""

    def test(answer):
        assert isinstance(answer, APIError), f"it was answered: {answer!r}"
        equal(answer.code, code)
        assert answer.message, repr(answer)

    check(name, query.execute, test)


def report():
    """Prints the table; whether all cases are right."""
    for name, problem in _results:
        print("ok   " if problem is None else "FAIL ", name)
        if problem is not None:
            print("        " + problem.replace("\n", "\n        "))
    names = {name for name, _ in _results}
    assert len(names) == len(_results), "two cases have one name"
    failed = sum(1 for _, problem in _results if problem is not None)
    print(f"{len(_results)} cases, {failed} failed")
    return failed == 0
