"""Alerts, the runbook and the commands in documents: what one names, the other has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prometheus_client import REGISTRY

from api.cli.commands import app
from api.telemetry import metrics
from api.telemetry.vitals import NAMES

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "deploy" / "prometheus" / "rentroll.rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "rentroll.json"
RUNBOOK = ROOT / "docs" / "RUNBOOK.md"
OPERATE = ROOT / "docs" / "OPERATE.md"
_COMMAND = re.compile(r"`rentroll\s((?:[a-z-]+\s?)+)")


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _names() -> set[str]:
    """Every name under which our numbers are scraped."""
    assert metrics.ROUNDS  # importing it made them known
    counted = {
        sample.name
        for family in REGISTRY.collect()
        for sample in family.samples
        if family.name.startswith("rentroll_")
    }
    # Of a labelled one there is no sample before its first use.
    families = {f.name for f in REGISTRY.collect() if f.name.startswith("rentroll_")}
    counted |= {f"{name}_total" for name in families} | families
    return counted | {f"rentroll_{name}" for name in NAMES} | {"rentroll_vitals_age_seconds"}


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def test_alerts__metrics_in_their_rules__exist() -> None:
    used = {name for alert in _alerts() for name in re.findall(r"rentroll_\w+", alert["expr"])}

    assert used
    assert used - _names() == set()


def test_dashboard__metrics_of_its_panels__exist() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    used = {
        name
        for panel in panels
        for target in panel["targets"]
        for name in re.findall(r"rentroll_\w+", target["expr"])
    }

    histograms = {name.removesuffix("_bucket") for name in used}
    assert histograms - _names() == set()
    # Nothing that is measured is left out of sight, but for what says how old all of it is.
    assert {f"rentroll_{name}" for name in NAMES} - used <= {
        "rentroll_relayer_stopped",
        "rentroll_rpc_requests",
        "rentroll_index_final_block",
    }


def test_alerts__each__has_a_section_of_the_runbook_and_each_section_an_alert() -> None:
    headings = {_anchor(h) for h in re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)}
    named = [alert["annotations"]["runbook"] for alert in _alerts()]

    assert {name.partition("#")[0] for name in named} == {"docs/RUNBOOK.md"}
    assert {name.partition("#")[2] for name in named} == headings
    for section in RUNBOOK.read_text().split("\n## ")[1:]:
        assert "**Means.**" in section
        assert "**Do.**" in section


def test_operate__every_metric__is_described() -> None:
    text = OPERATE.read_text()

    for name in sorted(NAMES):
        assert f"`rentroll_{name}`" in text, name


@pytest.mark.parametrize("page", [RUNBOOK, OPERATE], ids=["runbook", "operate"])
def test_commands__named_in_documents__are_there(page: Path) -> None:
    root = typer.main.get_command(app)

    for words in _COMMAND.findall(page.read_text()):
        command: Any = root
        for word in words.split():
            inner = getattr(command, "commands", None)
            if inner is None:
                break
            assert word in inner, f"rentroll {words}"
            command = inner[word]
