// Alerts and what became of them: counted, over time, and as a list that grows by itself.
import {at, el, keep, say, table} from "./dom.js";
import {count, fixed, moment, rate, several, when} from "./format.js";
import {chosen, onChange, rangeWords} from "./state.js";
import {Chart} from "./chart.js";
import {notice, poll} from "./data.js";
import {on} from "./live.js";
import {onSources, source} from "./sources.js";

const KINDS = {
  ordered: ["good", "ordered", "Placed at the broker"], passed: ["soft", "passed", "Nothing was to be done"], refused: ["bad", "dead letter", "Not traded: kept as a dead letter"],
  fill: ["good", "filled", "The broker filled an order"], rejected: ["bad", "rejected", "Not accepted: the sender was told why"],
};
const COUNTS = [["accepted", "Accepted"], ["rejected", "Rejected"], ["ordered", "Ordered"], ["passed", "Passed"], ["refused", "Dead letters"], ["fills", "Fills"]];
const FILTERS = [["all", "All"], ["orders", "Orders"], ["trouble", "Trouble"]];
const MOST = 200;
let chart;
let drawn = {counts: {}, bars: [], recent: [], grid: [0, -1, 1]};
let fresh = new Map();
let filter = "all";

const matches = one => filter === "all" || (filter === "trouble" ? ["refused", "rejected"].includes(one.kind) : ["ordered", "fill"].includes(one.kind));

// Each once, as it was said last; the first in are the first out.
export function remember(events, one) {
  const known = events.get(one.id);
  if (known && known.time > one.time) return;
  events.delete(one.id);
  events.set(one.id, one);
  for (const id of events.keys()) if (events.size > MOST) events.delete(id);
}

// Of several lists each event once, as the last of them has it unless another one has it later.
export function newest(...lists) {
  const found = new Map();
  for (const one of lists.flatMap(list => [...list])) if (!(found.get(one.id)?.time > one.time)) found.set(one.id, one);
  return [...found.values()];
}

function list() {
  const rows = newest(fresh.values(), drawn.recent).filter(matches).sort((one, other) => other.time - one.time).slice(0, MOST);
  const columns = [{name: "Time"}, {name: "Alert"}, {name: "Order"}, {name: "Outcome"}];
  table(at("order-list"), "Latest alerts and orders, newest first", columns, rows.map(one => {
    const [tone, word, title] = KINDS[one.kind] || ["soft", one.kind, ""];
    const size = one.qty ? `${fixed(one.qty, one.qty % 1 ? 4 : 0)} at ${rate(one.price)}` : one.route || "";
    return Object.assign([
      moment(one.time), el("span", {}, one.name || "–", el("small", {}, one.account || "")),
      el("span", {}, `${one.side || ""} ${one.symbol || ""}`.trim(), el("small", {}, size, one.name ? el("span", {class: "narrow"}, ` · ${one.name}`) : null)),
      el("span", {title}, el("span", {class: `mark ${tone}`}, word), el("small", {}, one.reason || ""))], {key: one.id});
  }), cells => cells.key);
  at("orders-empty").hidden = rows.length > 0;
  say(at("orders-empty"), filter === "all" ? `No alert and no order in the ${rangeWords()}.` : "None of this kind: choose All.");
}

function show({data, at: time, problem}) {
  if (data) drawn = data;
  notice("orders", problem, "influxdb", data && problem ? time : 0);
  const unknown = drawn.loki_problem;
  notice("admissions", unknown ? `What was accepted and rejected is not known: ${unknown}` : "", "loki", 0);
  counts();
  const bars = drawn.bars;
  const sum = bars.reduce((all, [, one, two, three]) => all + one + two + three, 0);
  const label = `Outcomes of alerts over time, ${rangeWords()}: ${count(sum)} together`;
  // Drawn on top of each other: the whole height first.
  chart.draw([bars.map(([t, ordered, passed, refused]) => [t, ordered + passed + refused]), bars.map(([t, , passed, refused]) => [t, passed + refused]), bars.map(([t, , , refused]) => [t, refused])], drawn.grid, label);
  table(at("orders-table"), label, [{name: "From"}, {name: "Ordered", num: true}, {name: "Passed", num: true}, {name: "Dead letters", num: true}],
    bars.filter(([, ...values]) => values.some(Boolean)).reverse().map(([t, ...values]) => [moment(t * 1000), ...values.map(count)]));
  list();
}

function counts() {
  keep(at("order-counts"), COUNTS, ([key]) => key, ([key, name]) => {
    const value = drawn.counts[key];
    const bad = value > 0 && ["refused", "rejected"].includes(key);
    return el("div", {}, el("dt", {}, name), el("dd", {class: bad ? "bad" : null}, count(value)));
  });
  const {ordered, refused} = drawn.counts;
  at("stat-orders").replaceChildren(count(ordered), refused === undefined ? "" : el("small", {class: refused > 0 ? "bad" : null}, ` · ${several(refused, "dead letter", "dead letters")}`));
}

function legend(ms, values) {
  const keys = [el("span", {class: "key good"}, "ordered"), " ", el("span", {class: "key soft"}, "passed"), " ", el("span", {class: "key bad"}, "dead letters")];
  if (ms === null) at("orders-legend").replaceChildren(...keys);
  const [all, quiet, bad] = values.map(value => value || 0);
  if (ms !== null) at("orders-legend").replaceChildren(`${when(ms)}: `, el("b", {}, `${all - quiet} ordered, ${quiet - bad} passed, ${several(bad, "dead letter", "dead letters")}`));
}

export function startOrders() {
  const kind = name => ({type: "Histogram", look: colour => ({color: colour(name), priceFormat: {type: "custom", minMove: 1, formatter: value => String(Math.round(value))}})});
  chart = new Chart(at("orders-chart"), [kind("good"), kind("soft"), kind("bad")]);
  chart.hover = legend;
  legend(null, []);
  at("order-kinds").append(...FILTERS.map(([key, label]) => {
    const input = el("input", {type: "radio", name: "order-kind", value: key, "aria-label": label, onchange: () => { filter = key; list(); }});
    input.checked = key === filter;
    return el("label", {}, input, el("span", {"aria-hidden": "true"}, label));
  }));
  const ask = poll("orders", 5, () => ({range: chosen.range}), show);
  on("orders", events => {
    fresh = new Map(events.map(one => [one.id, one]));
    list();
  });
  on("new orders", events => {
    events.forEach(one => remember(fresh, one));
    list();
    events.forEach(one => document.querySelector(`#order-list tr[data-key="${CSS.escape(one.id)}"]`)?.classList.add("fresh"));
  });
  onChange(["range"], ask);
  onChange(["zone"], ask.again);
  onSources(() => {
    const redis = source("redis");
    notice("redis", redis?.state === "down" ? `${redis.problem}: new alerts come a few seconds late` : "", "redis", 0);
  });
}
