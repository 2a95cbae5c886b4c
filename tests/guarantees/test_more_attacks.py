"""The quick ones of the attacks that ``benchmarks/attacks.py`` runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.guarantees.attacks.registry import attacks, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the attacks are those of Linux")
SLOW = 4
"""How many times longer a command may take on a busy machine."""
QUICK = [
    "given.label_table[backslash]",
    "given.label_table[columns]",
    "given.label_table[nul]",
    "given.label_table[utf16]",
    "given.label_table_from[closed]",
    "given.options_file[nested]",
    "given.options_file[type]",
    "given.place_of_heat_maps[class_folder]",
    "given.recipe[key]",
    "given.scorer[strings]",
    "given.scorer_that_may_not_be_read",
    "limits.help_on_a_full_disk",
    "limits.limit[data]",
    "limits.limit[files_8]",
    "machines.signal_to_a_worker[kill]",
    "options.option_of_any_value[timeout]",
    "options.variable[config]",
    "options.words[empty_word]",
    "options.words[not_utf8]",
    "options.words[unknown_command]",
    "outputs.class_folder_became_a_file",
    "outputs.hard_link_to_a_source[output]",
    "outputs.name_of_out[bidi]",
    "outputs.out_is_a_link[itself]",
    "outputs.out_is_a_link[to_input]",
    "outputs.out_that_looks_like_an_option[option]",
    "outputs.path_of_out[deeper]",
    "outputs.place_of_out[input]",
    "outputs.place_of_out[proc]",
    "outputs.place_of_out[root]",
    "pictures.picture_of_this_kind[png_text_bomb]",
    "pictures.picture_of_this_kind[tiff_loop]",
    "python.from_an_event_loop[plain]",
    "python.wrong_argument[folder_surrogate]",
    "records.file_of_another_seed[record]",
    "records.folded_parts_that_are_a_bomb",
    "records.table_in_another_wrapping[shuffled]",
    "sources.input_inside_out_by_a_link",
    "sources.name_of_a_class[escape]",
    "sources.place_of_input[null]",
]


@pytest.mark.parametrize("name", QUICK)
def test_it_holds(tmp_path: Path, name: str) -> None:
    checks = run(attacks()[name], tmp_path, slow=SLOW)
    assert [check.what for check in checks if not check.held] == []


def test_there_are_more_than_a_hundred_and_fifty() -> None:
    assert len(attacks()) > 150
