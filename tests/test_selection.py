from __future__ import annotations

import pytest

from flushlint.rules.registry import RULES
from flushlint.selection import (
    Layer,
    chosen_codes,
    enabled_codes,
    matching_codes,
    unknown_prefixes,
)


def test_without_settings_every_rule_is_on_that_is_not_opt_in() -> None:
    assert enabled_codes([]) == set(RULES) - {"FLU106"}
    assert "FLU106" not in enabled_codes([Layer(ignore=("FLU2",))])


@pytest.mark.parametrize("prefix", ["FLU106", "FLU1", "FLU", "ALL"])
def test_an_opt_in_rule_is_on_when_selected_by_any_prefix(prefix: str) -> None:
    assert "FLU106" in enabled_codes([Layer(extend_select=(prefix,))])
    assert "FLU106" in enabled_codes([Layer(select=(prefix,))])


@pytest.mark.parametrize("prefix", ["FLU105", "FLU10", "FLU", "ALL"])
def test_a_code_is_chosen_where_a_setting_names_it_by_any_prefix(prefix: str) -> None:
    assert "FLU105" in chosen_codes([Layer(extend_select=(prefix,))])
    assert "FLU105" in chosen_codes([Layer(select=(prefix,)), Layer(ignore=("FLU2",))])
    assert "FLU105" not in chosen_codes([Layer(select=(prefix,), ignore=("FLU105",))])


def test_nothing_is_chosen_by_default() -> None:
    assert chosen_codes([]) == chosen_codes([Layer(ignore=("FLU2",))]) == set()
    assert "FLU105" in enabled_codes([])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (
            Layer(select=("FLU1",)),
            {"FLU101", "FLU102", "FLU103", "FLU104", "FLU105", "FLU106"},
        ),
        (
            Layer(select=("FLU1",), ignore=("FLU102", "FLU106")),
            {"FLU101", "FLU103", "FLU104", "FLU105"},
        ),
        (Layer(select=("FLU101",), ignore=("FLU1",)), {"FLU101"}),
        (Layer(select=("FLU101",), ignore=("FLU101",)), set()),
        (Layer(select=("FLU1", "FLU102"), ignore=("FLU10",)), {"FLU102"}),
        (Layer(select=("ALL",), ignore=("FLU",)), set()),
        (Layer(select=("FLU101",), extend_select=("FLU2",)), {"FLU101", "FLU201", "FLU202"}),
        (Layer(select=()), set()),
        (Layer(ignore=("F",)), set()),
        (
            Layer(ignore=("F",), extend_select=("FLU4",)),
            {"FLU401", "FLU402", "FLU403", "FLU404", "FLU405"},
        ),
        (Layer(ignore=("ALL",), extend_select=("FLU9",)), {"FLU901"}),
    ],
)
def test_the_longer_prefix_wins_and_ignore_between_equals(layer: Layer, expected: set[str]) -> None:
    assert enabled_codes([layer]) == expected


def test_a_select_on_the_command_line_starts_afresh() -> None:
    configured = Layer(select=("FLU1",), ignore=("FLU201",))
    assert enabled_codes([configured, Layer(select=("FLU2",))]) == {"FLU201", "FLU202"}


def test_other_options_on_the_command_line_change_what_is_configured() -> None:
    configured = Layer(select=("FLU1",))
    changed = Layer(ignore=("FLU101", "FLU102"), extend_select=("FLU2",))
    expected = {"FLU103", "FLU104", "FLU105", "FLU106", "FLU201", "FLU202"}
    assert enabled_codes([configured, changed]) == expected


def test_a_short_ignore_on_the_command_line_beats_a_long_select_in_the_configuration() -> None:
    assert enabled_codes([Layer(select=("FLU101",)), Layer(ignore=("FLU",))]) == set()


def test_prefixes() -> None:
    assert matching_codes("FLU4") == {"FLU401", "FLU402", "FLU403", "FLU404", "FLU405"}
    assert matching_codes("") == set()
    assert matching_codes("flu4") == set()
    assert unknown_prefixes(["FLU", "E501", "FLU101", "FLU1011", ""]) == ("E501", "FLU1011", "")
