"""`referrals protocol check` says what the free-text check finds and leaves alone."""

from click.testing import CliRunner

from services.cli.admin.protocol import protocol
from shared.protocols import ACTIVE, active


def test_it_prints_recall_and_specificity_on_the_corpus():
    result = CliRunner().invoke(protocol, ["check"])
    assert result.exit_code == 0
    first, second = result.output.splitlines()
    assert first == f"failed-slr {active().version}: 38 rules, {active().digest}"
    assert second == "free text: recall 59/61, specificity 77/80 on 141 labelled texts"


def test_a_version_without_a_corpus_has_no_such_line():
    result = CliRunner().invoke(protocol, ["check", str(ACTIVE.parent / "2026.1.0")])
    assert len(result.output.splitlines()) == 1
