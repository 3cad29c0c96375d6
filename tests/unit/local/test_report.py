import pytest

from local import LocalError
from local.bench import report
from local.bench.report import Budget


def test_a_section_is_written_between_its_markers_and_the_others_stay() -> None:
    document = report.with_section(report.empty(), "warm", "first")
    document = report.with_section(document, "cold", "other")

    again = report.with_section(document, "warm", "second")

    assert again == document.replace("first", "second")
    assert "first" not in again


def test_what_people_write_around_a_section_stays() -> None:
    document = report.empty() + "\nA word of ours.\n"

    assert report.with_section(document, "load", "text").endswith("A word of ours.\n")


def test_every_measurement_has_an_empty_section_at_first() -> None:
    for name, title in report.TITLES.items():
        assert f"## {title} (`make bench-{name}`)" in report.empty()
        assert report.with_section(report.empty(), name, "") != report.empty()


def test_a_document_without_the_section_is_not_guessed_at() -> None:
    with pytest.raises(LocalError, match="no section"):
        report.with_section("# Measured\n", "cold", "text")


def test_a_table_reads_as_markdown() -> None:
    made = report.table("function", "ratio")
    made.add_row("orders/create_order", "1.24")

    assert report.markdown(made).splitlines() == [
        "| function            | ratio |",
        "|---------------------|-------|",
        "| orders/create_order |  1.24 |",
    ]


def test_a_budget_may_be_used_up_but_not_exceeded() -> None:
    report.enforce([Budget("create_order", 1.4, 1.4)])

    with pytest.raises(LocalError, match=r"^over budget: authorize: 1\.21 \(at most 1\.2\)$"):
        report.enforce([Budget("create_order", 1.0, 1.4), Budget("authorize", 1.21, 1.2)])
