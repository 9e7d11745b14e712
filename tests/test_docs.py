"""Documentation that cannot rot: what the READMEs tell people to type exists, and both say the same."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from engine.cli import HELP, root

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md", "README.zh-CN.md", "mlflow/README.md",
    *(f"docs/{p}.md" for p in ("sources", "us_gdp", "benchmarks", "news", "nowcasting", "forecasting", "contest", "densities")),
)  # fmt: skip
COMMANDS = "data|db|demo|experiment|models|nowcast|forecast|index|warning|scorecard|monitor|publish|serve"
LINES = re.compile(rf"(?:^|[\s`/&])jingqi ((?:{COMMANDS})\b[^`\n#|&;)]*)")


def told(page: str) -> list[str]:
    return [hit[1].strip() for hit in LINES.finditer((ROOT / page).read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_told_exist(page: str) -> None:
    for line in told(page):
        command: click.Command = root
        context = click.Context(root)
        words = line.split()
        while words and isinstance(command, click.Group) and not words[0].startswith("-"):
            found = command.get_command(context, words.pop(0))
            assert found, f"{page}: jingqi {line}"
            command = found
        known = {name for p in command.params for name in p.opts}
        for word in words:
            assert not word.startswith("--") or word.split("=")[0] in known, f"{page}: jingqi {line}: {word}"


def test_every_command_is_told() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in HELP:
        assert re.search(rf"(jingqi|make) {name}\b", text), f"README.md does not mention jingqi {name}"


def test_both_languages_have_the_same_blocks_variables_and_links() -> None:
    en, zh = ((ROOT / page).read_text(encoding="utf-8") for page in PAGES[:2])
    blocks = [re.findall(r"```sh\n(.*?)```", t, flags=re.DOTALL) for t in (en, zh)]
    typed = [[line.split("  #")[0].rstrip() for block in each for line in block.splitlines()] for each in blocks]
    assert len(typed[0]) > 8
    assert [line.split(" # ")[0].rstrip() for line in typed[0]] == [line.split(" # ")[0].rstrip() for line in typed[1]]
    assert set(re.findall(r"`(JINGQI_\w+|MLFLOW_\w+|nowcast\.\w+)`", en)) == set(
        re.findall(r"`(JINGQI_\w+|MLFLOW_\w+|nowcast\.\w+)`", zh)
    )


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def test_the_readme_names_every_model_and_no_other() -> None:
    from modelzoo.zoo import names

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+\.\w+)`", text, flags=re.MULTILINE)) == set(names())
