// Strategies: signals, what was closed, what could not be, and what was kept. A closing that failed stands above everything until it is settled.
import {at, el, keep, say, table} from "./dom.js";
import {count, fixed, gain, moment, rate, several, when} from "./format.js";
import {chosen, onChange, rangeWords} from "./state.js";
import {notice, poll} from "./data.js";
import {now, on} from "./live.js";
import {newest, remember} from "./orders.js";

const SIGNALS = {
  sent: ["good", "sent", "The webhook has it"], refused: ["bad", "refused", "The webhook did not take it"],
  unknown: ["bad", "unknown", "Nobody knows whether the webhook took it"], stale: ["warn", "stale", "Too old to be sent"],
  cooldown: ["soft", "cooldown", "Too soon after another"], late: ["soft", "late", "Too near the close"],
};
const COUNTS = [["sent", "Signals sent"], ["unsent", "Not sent"], ["trouble", "Refused or unknown"], ["closed", "Closed"], ["failed", "Failed"], ["kept", "Kept"]];
const QUIET = ["stale", "cooldown", "late"];
// As long as the board tells them (strategies.py).
const DAY_MS = 86400000;
const TOLD_MS = {close: 7 * DAY_MS, run: DAY_MS};
// What live brings is added to what was asked for: each list its own, so that none crowds out another.
const LISTS = ["signal", "close", "kept", "run"];
let fresh = emptied();
let drawn = {counts: {}, signals: [], closes: [], kept: [], failed: [], settled: []};

function emptied() {
  return Object.fromEntries(LISTS.map(name => [name, new Map()]));
}

const position = one => JSON.stringify([one.account, one.symbol]);
const latest = (one, other) => other.time - one.time;

// Position -> when it was closed or flat last; without a symbol: when a run did what it had to.
export function settledTimes(settled, live) {
  const found = new Map(settled.map(([account, symbol, time]) => [position({account, symbol}), time]));
  for (const one of live) found.set(position(one), Math.max(one.time, found.get(position(one)) ?? 0));
  return found;
}

// What had to be closed and is not, each position once, as it failed last.
export function unsettled(failed, settled) {
  const found = new Map();
  for (const one of [...failed].sort(latest).reverse()) if (one.time > (settled.get(position(one)) ?? -1)) found.set(position(one), one);
  return [...found.values()].sort(latest);
}

const trouble = one => (one.list === "run" ? "Nothing was closed" : `${one.symbol} was not closed`);
const left = one => (one.left ? `${rate(one.left)} left` : "");
const about = one => [one.account, one.rule && `rule ${one.rule}`].filter(Boolean).join(" · ");

function draw() {
  const live = name => [...fresh[name].values()];
  const runs = live("run");
  const settled = settledTimes(drawn.settled, [...live("close").filter(one => one.outcome === "closed"), ...runs.filter(one => !one.why)]);
  const closes = newest(live("close"), runs.filter(one => one.why), drawn.closes).sort(latest);
  const told = one => one.outcome === "failed" && one.time > now() - TOLD_MS[one.list];
  const failed = newest(drawn.failed, [...live("close"), ...runs].filter(told));
  top(unsettled(failed, settled));
  signals(newest(live("signal"), drawn.signals).sort(latest));
  closings(closes, settled);
  // What was kept, and closed or tried later, is no longer kept.
  const over = settledTimes(drawn.settled, closes);
  kept(newest(live("kept"), drawn.kept).filter(one => one.time > (over.get(position(one)) ?? -1)));
}

function top(failed) {
  at("failed").hidden = failed.length === 0;
  say(at("failed-title"), failed.length === 1 ? "A closing failed" : `${count(failed.length)} closings failed`);
  keep(at("failed-list"), failed, one => one.id, one => el("li", {}, el("b", {}, trouble(one)), ` ${when(one.time)}: ${one.why || "no reason is known"}`,
    el("small", {}, [about(one), left(one)].filter(Boolean).join(" · "))));
  say(at("failed-announce"), failed.length ? `${several(failed.length, "closing", "closings")} failed: ${failed.slice(0, 3).map(trouble).join(", ")}` : "");
}

function signals(rows) {
  const columns = [{name: "Time"}, {name: "Signal"}, {name: "Price", num: true, wide: true}, {name: "Outcome"}];
  table(at("signal-list"), "Latest signals, newest first", columns, rows.map(one => {
    const [tone, word, title] = SIGNALS[one.outcome] || ["soft", one.outcome || "not known yet", ""];
    return Object.assign([moment(one.time), el("span", {}, `${one.side} ${one.symbol}`, el("small", {}, one.reason, el("span", {class: "narrow"}, ` at ${rate(one.price)}`), one.account ? ` · ${one.account}` : "")),
      rate(one.price), el("span", {}, el("span", {class: `mark ${tone}`}, word), el("small", {}, title))], {key: one.id});
  }), cells => cells.key);
  at("signals-empty").hidden = rows.length > 0;
  say(at("signals-empty"), `No signal in the ${rangeWords()}: none arose, or no service writes them yet (earnyearn does).`);
}

function closings(rows, settled) {
  const columns = [{name: "Time"}, {name: "Position"}, {name: "Result"}, {name: "Profit", num: true, wide: true}];
  table(at("close-list"), "Latest closings, newest first", columns, rows.map(one => {
    const failed = one.outcome === "failed";
    const over = failed && one.time <= (settled.get(position(one)) ?? -1);
    const [tone, word] = !failed ? ["good", "closed"] : over ? ["warn", one.symbol ? "failed, flat since" : "failed, ran since"] : ["bad", "failed"];
    const size = one.qty ? `${one.side} ${rate(one.qty)} at ${rate(one.price)}` : "";
    const earned = () => gain(fixed(one.profit, 2, true), one.profit);
    return Object.assign([moment(one.time), el("span", {}, one.symbol || "Nothing closed", el("small", {}, about(one)), size ? el("small", {}, size) : null),
      el("span", {}, el("span", {class: `mark ${tone}`}, word), el("small", {}, [failed && left(one), one.why].filter(Boolean).join(": ")),
        one.profit === null ? null : el("span", {class: "narrow"}, earned())), earned()], {key: one.id, kind: failed && !over ? "failed" : null});
  }), cells => cells.key);
  at("closes-empty").hidden = rows.length > 0;
  say(at("closes-empty"), `Nothing was closed in the ${rangeWords()}: no rule was due, or no service writes it yet (beancleaner does).`);
}

function kept(rows) {
  const order = one => `${one.account} ${one.symbol}`;
  const columns = [{name: "Position"}, {name: "Why"}, {name: "Looked at", wide: true}];
  table(at("kept-list"), "Positions that were kept, and why", columns, rows.sort((one, other) => (order(one) < order(other) ? -1 : 1)).map(one => Object.assign(
    [el("span", {}, one.symbol, el("small", {}, [one.account, one.left ? rate(one.left) : ""].filter(Boolean).join(" · "))),
      el("span", {}, one.why || "–", one.rule ? el("small", {}, `rule ${one.rule}`) : null), moment(one.time)], {key: one.id})), cells => cells.key);
  at("kept-empty").hidden = rows.length > 0;
  say(at("kept-empty"), "No position is known to be kept.");
}

function counts() {
  const said = drawn.counts;
  const sum = names => (said.sent === undefined ? undefined : names.reduce((all, name) => all + said[name], 0));
  const values = {...said, unsent: sum(QUIET), trouble: sum(["refused", "unknown"])};
  keep(at("strategy-counts"), COUNTS, ([key]) => key, ([key, name]) =>
    el("div", {}, el("dt", {}, name), el("dd", {class: values[key] > 0 && ["trouble", "failed"].includes(key) ? "bad" : null}, count(values[key]))));
}

function show({data, at: time, problem}) {
  if (data) drawn = data;
  notice("strategies", problem, "influxdb", data && problem ? time : 0);
  notice("reports", drawn.loki_problem ? `Whether a run closed nothing at all is not known: ${drawn.loki_problem}` : "", "loki", 0);
  counts();
  draw();
}

export function startStrategies() {
  const ask = poll("strategies", 5, () => ({range: chosen.range}), show);
  const hear = events => events.forEach(one => fresh[one.list] && remember(fresh[one.list], one));
  on("strategies", events => {
    fresh = emptied();
    hear(events);
    draw();
  });
  on("new strategies", events => {
    hear(events);
    draw();
    events.forEach(one => document.querySelector(`#strategies tr[data-key="${CSS.escape(one.id)}"]`)?.classList.add("fresh"));
  });
  onChange(["range"], ask);
  onChange(["zone"], ask.again);
}
