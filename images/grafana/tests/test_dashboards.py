"""The committed dashboards: made from the query files as they are, and built as Grafana 12 reads dashboards."""

import json
import re
from typing import Any

import pytest
import yaml
from queries import FILES, load

from tools.dashboards.files import CHECKOUT, FOLDER, stale

IMAGE = CHECKOUT / "images" / "grafana"
DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
PANELS = [(file, panel) for file, dashboard in DASHBOARDS.items() for panel in dashboard["panels"]]
# Kinds of panels and units that come with Grafana: packages/grafana-data/src/valueFormats/categories.ts has the units' ids.
KINDS, UNITS = {"timeseries", "stat", "table", "logs"}, {"none", "percent", "currencyUSD", "s", "m"}
# Grafana's own variables: https://grafana.com/docs/grafana/v12.2/dashboards/variables/add-template-variables/#global-variables
TAGS = ("bot", "kind", "account", "side", "symbol", "service", "task", "rule", "outcome")
GLOBAL = {"timeFilter", "__interval", "col", *(f"tag_{tag}" for tag in TAGS)}


def sources() -> dict[str, str]:
    """uid -> type, as the provisioning file has them."""
    found = yaml.safe_load((IMAGE / "provisioning" / "datasources" / "tradestack.yaml").read_text())
    return {one["uid"]: one["type"] for one in found["datasources"]}


def test_none_is_stale() -> None:
    assert stale() == [], "run python -m tools.dashboards"


def test_there_is_one_for_each_query_file_and_a_panel_for_each_query() -> None:
    assert DASHBOARDS.keys() == set(FILES)
    for file, dashboard in DASHBOARDS.items():
        assert sorted(panel["title"] for panel in dashboard["panels"]) == sorted(query.title for query in load(file).values())


def test_identities_are_unique_and_stay() -> None:
    assert [dashboard["uid"] for dashboard in DASHBOARDS.values()] == [f"tradestack-{file}" for file in DASHBOARDS]
    for dashboard in DASHBOARDS.values():
        assert "id" not in dashboard, "a database's own number"
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", dashboard["uid"])
        numbers = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(numbers)) == len(numbers) and min(numbers) >= 1


@pytest.mark.parametrize("file", DASHBOARDS)
def test_the_dashboard(file) -> None:
    dashboard = DASHBOARDS[file]
    # Grafana 12 reads 13 to 42 (apps/dashboard/pkg/migration/schemaversion) and brings older ones up to date.
    assert dashboard["schemaVersion"] == 41
    assert dashboard["editable"] is False and dashboard["timezone"] == "browser"
    assert re.fullmatch(r"now-\d+[hd]", dashboard["time"]["from"]) and dashboard["time"]["to"] == "now"
    assert re.fullmatch(r"\d+[sm]", dashboard["refresh"])
    assert isinstance(dashboard["annotations"]["list"], list) and isinstance(dashboard["templating"]["list"], list)


@pytest.mark.parametrize("file", DASHBOARDS)
def test_panels_lie_in_the_grid_and_not_on_each_other(file) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[file]["panels"]:
        place = panel["gridPos"]
        assert place.keys() == {"x", "y", "w", "h"} and place["x"] >= 0 and place["x"] + place["w"] <= 24 and place["y"] >= 0
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize(("file", "panel"), PANELS, ids=lambda value: value if isinstance(value, str) else value["title"])
def test_the_panel(file, panel) -> None:
    assert panel["type"] in KINDS and panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert all(one["matcher"]["id"] == "byName" for one in panel["fieldConfig"]["overrides"])
    assert {one["value"] for override in panel["fieldConfig"]["overrides"] for one in override["properties"]} <= UNITS
    assert re.fullmatch(r"\d+[smhd]", panel.get("timeFrom", "1m"))
    (target,) = panel["targets"]
    assert target["datasource"] == panel["datasource"] and sources()[target["datasource"]["uid"]] == target["datasource"]["type"]
    assert target["refId"] == "A"
    if target["datasource"]["type"] == "loki":
        assert target["queryType"] == "range" and target["expr"] and panel["type"] in ("logs", "timeseries")
    else:
        assert target["rawQuery"] is True and "$timeFilter" in target["query"]
        assert target["resultFormat"] == ("table" if panel["type"] == "table" else "time_series")
        # A name is of tags that the query groups by.
        assert all(f'"{tag}"' in target["query"].rpartition("GROUP BY")[2] for tag in re.findall(r"\$tag_(\w+)", target["alias"]))


@pytest.mark.parametrize(("file", "panel"), PANELS, ids=lambda value: value if isinstance(value, str) else value["title"])
def test_each_variable_that_is_used_is_there(file, panel) -> None:
    (target,) = panel["targets"]
    used = set(re.findall(r"\$\{?(\w+)", " ".join(target.get(key, "") for key in ("query", "expr", "alias"))))
    assert used - GLOBAL <= {one["name"] for one in DASHBOARDS[file]["templating"]["list"]}
    assert not re.search(r"\$\{(?!\w+:(regex|raw)\})", json.dumps(target)), "what a person types must be escaped"


def test_what_a_person_types_is_escaped_everywhere() -> None:
    texts = [panel["targets"][0].get("query", "") + panel["targets"][0].get("expr", "") for _, panel in PANELS]
    assert any("${search:regex}" in one for one in texts) and any("${bot:regex}" in one for one in texts)
    assert not [one for one in texts if re.search(r"\$\{?(search|bot|service|symbol)(?!:regex\})", one)]


def test_what_tells_series_from_each_other_names_them() -> None:
    """Tags, or where there are none several columns."""
    alias = {panel["title"]: panel["targets"][0].get("alias") for panel in DASHBOARDS["strategies"]["panels"]}
    assert (alias["Signals by outcome"], alias["Closings by outcome"], alias["Profit of closings a day"]) == (
        "$col",
        "$tag_outcome",
        "$tag_account $tag_rule",
    )
    one_column = [panel["targets"][0]["alias"] for panel in DASHBOARDS["costs"]["panels"] if panel["title"] == "Cost of 30 days over time"]
    assert one_column == ["Cost of 30 days over time"]


def test_one_symbol_is_chosen_at_a_time() -> None:
    """Hundreds in one chart are none; the others begin with all."""
    chosen = {
        one["name"]: (one["multi"], one["includeAll"])
        for file in DASHBOARDS
        for one in DASHBOARDS[file]["templating"]["list"]
        if one["type"] == "query"
    }
    assert chosen == {"bot": (True, True), "service": (True, True), "symbol": (False, False)}


def test_a_level_s_choices_are_read_as_they_are_meant() -> None:
    """Grafana splits the text of a custom variable at commas, and each choice at ` : `."""
    (level,) = [one for one in DASHBOARDS["services"]["templating"]["list"] if one["name"] == "level"]
    split = [tuple(one.strip().split(" : ")) for one in level["query"].split(",")]
    assert split == [(one["text"], one["value"]) for one in level["options"]]
    assert [one["text"] for one in level["options"] if one["selected"]] == [level["current"]["text"]] == ["all"]
