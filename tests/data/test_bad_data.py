"""What is said of data that something is wrong with is what the page about them says."""

import re

import pytest

from tests.data.bad_data import CASES, PAGE, said_of

SAID = dict(re.findall(r"\*\*(.+?)\*\*\n\n```text\n(.*?)\n```\n", PAGE.read_text(encoding="utf-8"), re.DOTALL))


@pytest.mark.parametrize("title", CASES)
def test_the_message_is_the_one_of_the_page(title, tmp_path):
    said = said_of(CASES[title], tmp_path)
    assert said == SAID[title[0].upper() + title[1:]]
    assert re.match(r"(spec\.yaml:\d+: )?error\[[a-z0-9-]+\]: ", said)


def test_the_page_has_no_other():
    assert len(SAID) == len(CASES)
