"""Cases: a name, what a library reads, and what it has to be. Each is run, and a table of all is printed."""

_results = []


def check(name, read, expected):
    """Runs a case: `read` returns what is compared with `expected`."""
    try:
        got = read()
        problem = None if got == expected else f"got      {got!r}\nexpected {expected!r}"
    except Exception as error:  # a case that fails in whatever way is a line of the table
        problem = f"{type(error).__name__}: {error}"
    _results.append((name, problem))


def report():
    """Prints the table; whether all cases are right."""
    for name, problem in _results:
        print("ok   " if problem is None else "FAIL ", name)
        if problem is not None:
            print("        " + problem.replace("\n", "\n        "))
    assert len({name for name, _ in _results}) == len(_results), "two cases have one name"
    failed = sum(1 for _, problem in _results if problem is not None)
    print(f"{len(_results)} cases, {failed} failed")
    return failed == 0
