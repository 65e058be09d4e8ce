// The page put together: choices in the header, panels, and the live connection.
import {at, el, say} from "./dom.js";
import {OWN, setZone, zoneLabel} from "./format.js";
import {RANGES, choose, chosen, load, onChange, rangeWords} from "./state.js";
import {recolour} from "./chart.js";
import * as live from "./live.js";
import {startBots} from "./bots.js";
import {startCosts} from "./costs.js";
import {startLogs} from "./logs.js";
import {startOrders} from "./orders.js";
import {startProfit} from "./profit.js";
import {startSources} from "./sources.js";
import {startStrategies} from "./strategies.js";

function radios(box, name, choices, value, pick) {
  box.append(...choices.map(([key, label, spoken]) => {
    const input = el("input", {type: "radio", name, value: key, "aria-label": spoken || label, onchange: () => pick(key)});
    input.checked = key === value;
    return el("label", {}, input, el("span", {"aria-hidden": "true"}, label));
  }));
}

function header() {
  radios(at("ranges"), "range", RANGES, chosen.range, key => choose("range", key));
  at("zone").append(new Option(zoneLabel(OWN), "own"));
  if (OWN !== "UTC") at("zone").append(new Option("UTC", "UTC"));
  at("zone").value = OWN === "UTC" ? "own" : chosen.zone;
  at("zone").addEventListener("change", event => choose("zone", event.target.value));
  at("theme").value = chosen.theme;
  at("theme").addEventListener("change", event => choose("theme", event.target.value));
  const words = () => document.querySelectorAll(".range-word").forEach(one => say(one, rangeWords()));
  onChange(["range"], words);
  words();
}

function applyTheme() {
  if (chosen.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen.theme;
  recolour();
}

load();
setZone(chosen.zone === "UTC" ? "UTC" : OWN);
header();
onChange(["theme"], applyTheme);
onChange(["zone"], () => { setZone(chosen.zone === "UTC" ? "UTC" : OWN); recolour(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
startBots();
startSources();
startProfit();
startOrders();
startStrategies();
startCosts();
startLogs();
live.start();
