"""A report of pytest (JUnit's XML) -> the tests that failed, to be shown once more at the end of a test run."""
from pathlib import Path
from xml.etree import ElementTree

MOST_SHOWN = 8      # tests whose words are shown; of all others, the names
MOST_LINES = 20     # of a test's words: the last ones say what was wrong


def failed_tests(report: Path) -> list[str]:
    """Each one's name with the end of what pytest says of it; none if pytest did not get to its own end."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return []
    wrong = [(f"{case.get('classname')}.{case.get('name')}", one.text or "")
             for case in cases for kind in ("failure", "error") for one in case.iter(kind)]
    return [*("\n".join([name, *text.splitlines()[-MOST_LINES:]]) for name, text in wrong[:MOST_SHOWN]),
            *(name for name, _ in wrong[MOST_SHOWN:])]
